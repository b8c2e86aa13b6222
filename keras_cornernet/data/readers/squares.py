"""The square that a person is cut out with: around joints or a box, or from MPII's centre and scale."""

import numpy as np

UNIT = 200  # pixels; MPII and FLIC state a person's height in it
PADDING = 1.25


def square_around(low: np.ndarray, high: np.ndarray, padding: float = PADDING) -> tuple[np.ndarray, float]:
    """The square with the middle of a box.

    Args:
        low: `(2,)` least x, y, image pixels.
        high: `(2,)` greatest x, y, image pixels.
        padding: the square's side as a multiple of the box's longer side.

    Returns:
        The centre, `(2,)` float32, and the side, both in image pixels.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    return ((low + high) / 2).astype(np.float32), float(padding * (high - low).max())


def mpii_square(center: np.ndarray, scale: float, *, adjusted: bool) -> tuple[np.ndarray, float]:
    """The square that the authors of the Stacked Hourglass cut out.

    MPII's centre lies on the torso and its scale spans the body, so that a square of 200 pixels times the
    scale would cut off feet. They move the centre down by 15 times the scale and enlarge the scale by
    1.25 (Newell et al. 2016, released code), once.

    Args:
        center: `(2,)` x, y in pixels that count from 1, as MATLAB does.
        scale: in units of 200 pixels.
        adjusted: centre and scale were moved and enlarged before.

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
