"""What commonly goes wrong on the way from a picture to a network.

Programs that use an exported file prepare its input themselves: they decode, resample, order the channels and
choose the type of the numbers. Each fault here is one mistake in that.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_cornernet.preprocessing import View, fit_view, stretch_view

Placing = Callable[[np.ndarray, View], np.ndarray]


class Fault(NamedTuple):
    """One mistake.

    Attributes:
        words: what is wrong, for people.
        pixels: changes `(1, height, width, 3)` float32 images that the file is given; None for faults of
            placing.
        undo: the inverse of `pixels`; None where there is none.
        place: from a picture and the right view to the image that the file is given instead.
    """

    words: str
    pixels: Callable[[np.ndarray], np.ndarray] | None = None
    undo: Callable[[np.ndarray], np.ndarray] | None = None
    place: Placing | None = None


def _nearest(picture: np.ndarray, view: View) -> np.ndarray:
    return _sampled(picture, view, Image.Resampling.NEAREST, view.image_from_input)


def _aligned_corners(picture: np.ndarray, view: View) -> np.ndarray:
    # The middles of the outermost pixels lie on one another, and not the edges of the images.
    back = np.zeros((2, 3))
    for axis, side in enumerate(picture.shape[1::-1]):
        scale, start = view.input_from_image[axis, axis], view.input_from_image[axis, 2]
        stretch = (side - 1) / max(scale * side - 1, 1)
        back[axis, axis], back[axis, 2] = stretch, 0.5 - stretch * (start + 0.5)
    return _sampled(picture, view, Image.Resampling.BILINEAR, back)


def _averaged(picture: np.ndarray, view: View) -> np.ndarray:
    x1, y1, x2, y2 = view.visible
    canvas = np.zeros((*view.input_size, 3), np.uint8)
    resized = Image.fromarray(picture).resize((x2 - x1, y2 - y1), Image.Resampling.BOX)
    canvas[y1:y2, x1:x2] = np.asarray(resized)
    return canvas


def _other_shape(picture: np.ndarray, view: View) -> np.ndarray:
    stretched = stretch_view(picture.shape[:2], view.input_size)
    right = np.allclose(stretched.input_from_image, view.input_from_image)
    other = fit_view(picture.shape[:2], view.input_size) if right else stretched
    return other.apply(picture)


def _sampled(
    picture: np.ndarray, view: View, method: Image.Resampling, image_from_input: np.ndarray
) -> np.ndarray:
    rows, columns = view.input_size
    coefficients = tuple(float(v) for row in image_from_input for v in row)
    moved = Image.fromarray(picture).transform((columns, rows), Image.Transform.AFFINE, coefficients, method)
    canvas = np.zeros((rows, columns, 3), np.uint8)
    x1, y1, x2, y2 = view.visible
    canvas[y1:y2, x1:x2] = np.asarray(moved)[y1:y2, x1:x2]
    return canvas


def _swapped(images: np.ndarray) -> np.ndarray:
    return images[..., ::-1]


FAULTS: dict[str, Fault] = {
    "channels": Fault("the channels are in the order blue, green, red", _swapped, _swapped),
    "scale": Fault("pixels are numbers from 0 to 1, not to 255", lambda x: x / 255, lambda x: x * 255),
    "normalisation": Fault(
        "pixels are normalised to -1..1, which the file does itself",
        lambda x: x / 127.5 - 1,
        lambda x: (x + 1) * 127.5,
    ),
    "nearest": Fault("pictures are resampled to the nearest pixel, not bilinearly", place=_nearest),
    "aligned_corners": Fault(
        "pictures are resampled with aligned corners, not aligned edges", place=_aligned_corners
    ),
    "averaged": Fault("pictures are resampled by averaging areas, not bilinearly", place=_averaged),
    "shape": Fault("pictures are stretched instead of fitted in, or the other way round", place=_other_shape),
}
"""The faults that every self-test shows, by name."""
