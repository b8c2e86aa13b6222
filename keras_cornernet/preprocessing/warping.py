"""Resampling of an image by an affine."""

import numpy as np
from PIL import Image

from keras_cornernet.ops import affine

Size = tuple[int, int]


def warp(
    image: np.ndarray,
    input_from_image: np.ndarray,
    input_size: Size,
    *,
    visible: tuple[int, int, int, int] | None = None,
    rounded: bool = True,
) -> np.ndarray:
    """Resamples an image bilinearly; the image's edge is repeated for half a pixel, then black begins.

    Equals OpenCV's bilinear resize to one grey level. Pillow samples each channel in float32, since its
    8-bit form rounds down.

    Args:
        image: `(height, width, 3)` uint8.
        input_from_image: `(2, 3)` affine.
        input_size: `(height, width)` of the result.
        visible: `x1, y1, x2, y2`; everything outside is black.
        rounded: to whole grey levels.

    Returns:
        `(*input_size, 3)` uint8, or float32 if not `rounded`.
    """
    rows, columns = input_size
    way_back = tuple(affine.invert(input_from_image).ravel())
    canvas = np.empty((rows, columns, 3), np.uint8 if rounded else np.float32)
    for channel in range(3):
        plane = Image.fromarray(image[..., channel].astype(np.float32))
        plane = plane.transform((columns, rows), Image.Transform.AFFINE, way_back, Image.Resampling.BILINEAR)
        canvas[..., channel] = np.rint(plane) if rounded else plane
    if visible is not None:
        x1, y1, x2, y2 = visible
        canvas[: max(y1, 0)] = canvas[max(y2, 0) :] = 0
        canvas[:, : max(x1, 0)] = canvas[:, max(x2, 0) :] = 0
    return canvas
