"""The pixels of a training example: images placed, filled around, and changed in colour."""

from collections.abc import Sequence

import numpy as np

from keras_cornernet.data.color import apply_color
from keras_cornernet.data.draws import HIDDEN_GREY, Draw
from keras_cornernet.preprocessing import warp_into


def render(
    draw: Draw, images: Sequence[np.ndarray], *, clip: bool, out: np.ndarray | None = None
) -> np.ndarray:
    """Makes the image of a training example.

    Args:
        draw: what is shown.
        images: those of `draw.indices`, `(height, width, 3)` uint8 RGB.
        clip: keep colours within 0..255.
        out: `(*draw.input_size, 3)` float32 for the result, contiguous, or None for a new array.

    Returns:
        `(*draw.input_size, 3)` float32.
    """
    canvas = np.empty((*draw.input_size, 3), np.uint8)
    if draw.fill[0] == draw.fill[1] == draw.fill[2]:
        canvas.fill(draw.fill[0])  # many times faster than colours
    else:
        canvas[:] = draw.fill
    for view, image in zip(draw.views, images, strict=True):
        warp_into(canvas, image, view)
    shown = apply_color(canvas, draw.color, out)
    if clip:
        np.minimum(np.maximum(shown, 0, out=shown), 255, out=shown)
    if draw.hidden is not None:
        x1, y1, x2, y2 = draw.hidden
        shown[y1:y2, x1:x2] = HIDDEN_GREY
    return shown
