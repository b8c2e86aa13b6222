"""Draws as arrays of numbers, ready for the accelerator."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cornernet.data.device.images import PackedImages
from keras_cornernet.data.draws import Draw

NOTHING = (0, 0, 0, 0)  # a rectangle
IDENTITY = np.eye(2, 3)


def numbers_of(draws: Sequence[Draw], views: int, packed: PackedImages) -> dict[str, Any]:
    """The numbers of `n` draws of one input size.

    Args:
        draws: what is shown.
        views: room for views; further ones show nothing.
        packed: the images.

    Returns:
        index: `(n, views)` int32 of the data set.
        page: `(n, views)` int32, the first page of the image's level.
        level_size: `(n, views, 2)` int32, its height and width.
        extent: `(n, views, 2)` float32, height and width of the image itself in pixels of the level.
        level_from_input, input_from_image: `(n, views, 2, 3)` float32.
        covered: `(n, views, 4)` float32, `xyxy`: the rectangle of the input in which the view can be seen.
        clip: `(n, views, 4)` float32, the rectangle that its boxes are clipped to.
        color: `(n, 3, 5)`, fill: `(n, 3)`, hidden: `(n, 4)` float32; mirrored: `(n,)` bool. See `Draw`.
    """
    empty = views - 1
    index, affines, visible, clips = [], [], [], []
    for draw in draws:
        free = empty + 1 - len(draw.views)
        index.append(draw.indices + (0,) * free)
        affines += [view.input_from_image for view in draw.views] + [IDENTITY] * free
        visible.append(tuple(view.visible for view in draw.views) + (NOTHING,) * free)
        clips.append(draw.clips + (NOTHING,) * free)
    indices = np.array(index, np.int32)
    input_from_image = np.array(affines, np.float64).reshape(len(draws), views, 2, 3)
    placed = _placed(indices, input_from_image, np.array(visible, np.float64), draws[0].input_size, packed)
    return {
        **placed,
        "index": indices,
        "input_from_image": input_from_image.astype(np.float32),
        "clip": np.array(clips, np.float32),
        "color": np.array([draw.color for draw in draws], np.float32),
        "fill": np.array([draw.fill for draw in draws], np.float32),
        "hidden": np.array([draw.hidden or NOTHING for draw in draws], np.float32),
        "mirrored": np.array([draw.mirrored for draw in draws], bool),
    }


def _placed(
    indices: np.ndarray,
    input_from_image: np.ndarray,
    visible: np.ndarray,
    input_size: tuple[int, int],
    packed: PackedImages,
) -> dict[str, np.ndarray]:
    """Where the pixels of each view come from, see `numbers_of`; agrees with `preprocessing.warp_into`."""
    levels = packed.levels
    files = levels.file_of[indices]
    a, b, x = np.moveaxis(input_from_image[..., 0, :], -1, 0)
    c, d, y = np.moveaxis(input_from_image[..., 1, :], -1, 0)
    area = a * d - b * c
    level = np.floor(-0.5 * np.log2(np.maximum(np.abs(area), 1e-18)) + 1e-9).astype(np.int64)
    level = np.clip(level, levels.first[files], levels.last[files])
    step = 2.0**level
    size = levels.sizes[files]
    area = np.where(np.abs(area) < 1e-12, 1.0, area)
    back = np.stack([d, -b, b * y - d * x, -c, a, c * x - a * y], axis=-1) / area[..., None]
    return {
        "page": packed.first_page[files, level],
        "level_size": (-(-size // step[..., None].astype(np.int64))).astype(np.int32),
        "extent": (size / step[..., None]).astype(np.float32),
        "level_from_input": (back / step[..., None]).reshape(input_from_image.shape).astype(np.float32),
        "covered": _covered(visible, back, size, input_size).astype(np.float32),
    }


def _covered(
    visible: np.ndarray, back: np.ndarray, size: np.ndarray, input_size: tuple[int, int]
) -> np.ndarray:
    """The visible rectangles; of upright images only what the image covers, which 32 bits might miss."""
    rows, columns = input_size
    found: np.ndarray = np.clip(visible, 0, [columns, rows, columns, rows])
    upright = (back[..., 1] == 0) & (back[..., 3] == 0)
    for axis, stretch, move, side in (
        (0, back[..., 0], back[..., 2], size[..., 1]),
        (1, back[..., 4], back[..., 5], size[..., 0]),
    ):
        stretch = np.where(stretch == 0, 1.0, stretch)
        ends = np.sort(np.stack([-move / stretch, (side - move) / stretch], -1) - 0.5, axis=-1)
        first, last = np.moveaxis(np.ceil(ends - 1e-9), -1, 0)
        found[..., axis] = np.where(upright, np.maximum(found[..., axis], first), found[..., axis])
        found[..., axis + 2] = np.where(upright, np.minimum(found[..., axis + 2], last), found[..., axis + 2])
    return found
