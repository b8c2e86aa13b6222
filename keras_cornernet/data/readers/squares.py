"""The square crop of a person: around joints or a box, or from MPII's centre and scale."""

import numpy as np

from keras_cornernet.structures.datasets import PADDING

UNIT = 200  # pixels; the unit in which MPII and FLIC state a person's height


def square_around(low: np.ndarray, high: np.ndarray, padding: float = PADDING) -> tuple[np.ndarray, float]:
    """The square around a box, with the same centre.

    Args:
        low: `(2,)` smallest x, y of the box, image pixels.
        high: `(2,)` largest x, y of the box, image pixels.
        padding: the square's side as a multiple of the box's longer side.

    Returns:
        The centre, `(2,)` float32, and the side, both in image pixels.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    return ((low + high) / 2).astype(np.float32), float(padding * (high - low).max())


def mpii_square(center: np.ndarray, scale: float, *, adjusted: bool) -> tuple[np.ndarray, float]:
    """The square that the authors of the Stacked Hourglass crop.

    MPII's centre is on the torso and its scale is the height of the body, so a square of 200 pixels times the
    scale would not contain the feet. The authors therefore move the centre down by 15 pixels times the scale
    and then multiply the scale by 1.25 (Newell et al. 2016, released code).

    Args:
        center: `(2,)` x, y in pixels that count from 1, as in MATLAB.
        scale: in units of 200 pixels.
        adjusted: whether this has already been done to centre and scale.

    Returns:
        The centre, `(2,)` float32, in pixels that count from 0, and the side in pixels.

    Example:
        >>> center, side = mpii_square((966, 340), 4.718488, adjusted=False)
        >>> center.round(3).tolist(), round(side, 3)
        ([965.0, 409.7770080566406], 1179.622)
    """
    x, y = center
    if not adjusted:
        y, scale = y + 15 * scale, PADDING * scale
    return np.array([x - 1, y - 1], np.float32), float(UNIT * scale)
