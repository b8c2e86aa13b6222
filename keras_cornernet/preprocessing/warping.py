"""Resampling of an image by an affine map."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_cornernet.ops import affine

Size = tuple[int, int]
"""`(height, width)` in pixels."""


def warp(
    image: np.ndarray,
    input_from_image: np.ndarray,
    input_size: Size,
    *,
    visible: tuple[int, int, int, int] | None = None,
    rounded: bool = True,
) -> np.ndarray:
    """Resamples an image bilinearly; its edge is repeated for half a pixel, and everything beyond is black.

    The result equals that of OpenCV's bilinear resize to within one grey level. Each channel is resampled in
    float32, since Pillow rounds down in its 8-bit mode.

    Args:
        image: `(height, width, 3)` uint8.
        input_from_image: `(2, 3)` affine.
        input_size: `(height, width)` of the result.
        visible: `x1, y1, x2, y2` in input pixels; everything outside of it is black.
        rounded: round to whole grey levels.

    Returns:
        `(*input_size, 3)` uint8, or float32 if not `rounded`.
    """
    rows, columns = input_size
    canvas = resample(image, affine.invert(input_from_image), (rows, columns), rounded=rounded)
    if visible is not None:
        x1, y1, x2, y2 = visible
        canvas[: max(y1, 0)] = canvas[max(y2, 0) :] = 0
        canvas[:, : max(x1, 0)] = canvas[:, max(x2, 0) :] = 0
    return canvas


def resample(
    image: np.ndarray,
    image_from_input: np.ndarray | Sequence[Sequence[float]],
    input_size: Size,
    *,
    rounded: bool = True,
) -> np.ndarray:
    """Does as `warp`, given the map back and without a visible part."""
    rows, columns = input_size
    coefficients = tuple(float(v) for row in image_from_input for v in row)
    canvas = np.empty((rows, columns, 3), np.uint8 if rounded else np.float32)
    for channel in range(3):
        plane = Image.fromarray(image[..., channel].astype(np.float32))
        plane = plane.transform(
            (columns, rows), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )
        pixels = np.asarray(plane)
        canvas[..., channel] = np.rint(pixels) if rounded else pixels
    return canvas
