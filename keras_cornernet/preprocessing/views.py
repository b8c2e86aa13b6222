"""How an image is placed in a network's input: the choice of the affine map."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_cornernet.ops import affine
from keras_cornernet.preprocessing.warping import Size, warp


class View(NamedTuple):
    """How an image is placed in a network's input.

    Attributes:
        input_from_image: `(2, 3)` affine map from image pixels to input pixels.
        input_size: `(height, width)` of the input.
        visible: `x1, y1, x2, y2` in input pixels; outside of it the input is black.
    """

    input_from_image: np.ndarray
    input_size: Size
    visible: tuple[int, int, int, int]

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Resamples an image to the `(height, width, 3)` uint8 input."""
        return warp(image, self.input_from_image, self.input_size, visible=self.visible)

    @property
    def image_from_input(self) -> np.ndarray:
        """The `(2, 3)` affine map from input pixels to image pixels."""
        return affine.invert(self.input_from_image)

    def boxes_to_image(self, boxes: np.ndarray) -> np.ndarray:
        """Maps `(n, 4)` boxes from input pixels to image pixels."""
        return affine.transform_boxes(self.image_from_input, boxes)

    def points_to_image(self, points: np.ndarray) -> np.ndarray:
        """Maps `(n, 2)` points from input pixels to image pixels."""
        return affine.transform_points(self.image_from_input, points)


def fit_view(image_size: Size, input_size: Size) -> View:
    """The whole image, as large as fits into the input, centred on black."""
    (height, width), (rows, columns) = image_size, input_size
    scale = min(rows / height, columns / width)
    left, top = (columns - scale * width) / 2, (rows - scale * height) / 2
    placed = np.array([[scale, 0, left], [0, scale, top]], np.float64)
    visible = (
        math.floor(left + 1e-6),
        math.floor(top + 1e-6),
        math.ceil(left + scale * width - 1e-6),
        math.ceil(top + scale * height - 1e-6),
    )
    return View(placed, input_size, visible)


def stretch_view(image_size: Size, input_size: Size) -> View:
    """The whole image, stretched so that it fills the input."""
    (height, width), (rows, columns) = image_size, input_size
    placed = np.array([[columns / width, 0, 0], [0, rows / height, 0]], np.float64)
    return View(placed, input_size, (0, 0, columns, rows))


def person_view(
    center: Sequence[float] | np.ndarray, side: float, input_size: Size, rotation: float = 0.0
) -> View:
    """A square crop around a person, as large as fits into the input; outside of the image it is black.

    Args:
        center: x, y in image pixels.
        side: of the square, image pixels.
        input_size: `(height, width)` of the input.
        rotation: degrees by which the crop's content is rotated counter-clockwise.

    Raises:
        ValueError: `side` is not positive or the centre is not finite.

    Source: Newell et al. 2016, sec. 3.1; `get_transform` of princeton-vl/pytorch_stacked_hourglass,
    `utils/img.py` (its scale is `side / 200`). The released code truncates the corners of the crop to
    whole pixels; here the crop is one affine map without rounding.
    """
    x, y = (float(v) for v in center)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"center must be two finite numbers, not {center}")
    if not (side > 0 and math.isfinite(side)):
        raise ValueError(f"side must be positive, not {side}")
    rows, columns = input_size
    scale = min(rows, columns) / side
    # The centre moves to the middle of the input; in closed form, since training draws many of these.
    angle = math.radians(rotation)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    placed = [[c, s, columns / 2 - c * x - s * y], [-s, c, rows / 2 + s * x - c * y]]
    return View(np.array(placed, np.float64), (rows, columns), (0, 0, columns, rows))


def padded_view(
    image_size: Size, scale: float = 1.0, size_divisor: int = 128, *, whole_multiples: bool = False
) -> View:
    """The image times `scale`, centred on a black input whose sides are `size_divisor * m - 1`.

    Odd sides make the network's halving exact: 511, 256, 128, ..., 4.

    Args:
        image_size: `(height, width)`.
        scale: factor on the image.
        size_divisor: see above.
        whole_multiples: make the sides `size_divisor * m`, one pixel longer.

    Source: Law & Deng 2018, sec. 4.2 (zeros instead of resizing); `kp_detection` of princeton-vl/CornerNet,
    `test/coco.py`. As there, an image side that fills the input loses its last row or column. With
    `whole_multiples`: `pre_process` with `keep_res` of xingyizhou/CenterNet,
    `src/lib/detectors/base_detector.py`.
    """
    height, width = (max(1, int(n * scale)) for n in image_size)
    rows, columns = (
        (side // size_divisor + 1) * size_divisor - (not whole_multiples) for side in (height, width)
    )
    left, top = columns // 2 - width // 2, rows // 2 - height // 2
    placed = affine.compose(
        affine.translation(left, top), affine.scaling(width / image_size[1], height / image_size[0])
    )
    right, bottom = left + min(width, width // 2 + columns // 2), top + min(height, height // 2 + rows // 2)
    return View(placed, (rows, columns), (left, top, right, bottom))


def zoom_view(
    image_size: Size, center: tuple[float, float], crop_size: Size, input_size: Size, *, whole: bool = True
) -> View:
    """A crop around a point of the image, resized to the input; outside of the image the input is black.

    Args:
        image_size: `(height, width)`.
        center: x, y in image pixels, truncated to whole ones.
        crop_size: `(height, width)` in image pixels.
        input_size: `(height, width)`.
        whole: a crop of an odd side reaches one pixel further to the right or down, so that it has as many
            pixels as asked for and fills the input. False truncates both halves of the crop and of the input
            to whole pixels, as in the released code, where a crop of the whole image loses its last row or
            column if the image has an odd side, and the last rows and columns of the input may be black.

    Source: `crop_image_gpu` of princeton-vl/CornerNet-Lite, `core/sample/utils.py`. As there, the visible
    part of the image is resized to a whole number of input pixels, here by one affine map.
    """
    spans = []
    sides = zip(map(int, center), *(size[::-1] for size in (image_size, crop_size, input_size)), strict=True)
    for middle, length, crop, side in sides:
        first = max(middle - crop // 2, 0)
        last = max(min(middle + (crop - crop // 2 if whole else crop // 2), length), first + 1)
        start = side // 2 - int((middle - first) * (side / crop))
        reach = (last - middle) * (side / crop)
        reach = min(math.ceil(reach - 1e-6), side - side // 2) if whole else int(reach)
        end = max(side // 2 + reach, start + 1)
        spans.append((start, end, (end - start) / (last - first), first))
    (left, right, stretch_x, x), (top, bottom, stretch_y, y) = spans
    placed = affine.compose(
        affine.translation(left, top), affine.scaling(stretch_x, stretch_y), affine.translation(-x, -y)
    )
    return View(placed, input_size, (left, top, right, bottom))
