"""Boxes that are in another unit or form than their file should have; seen only over all boxes together."""

from typing import NamedTuple

import numpy as np

FIRST_PIXEL = 1.5  # a box of which nothing lies beyond is a box of nothing
MOST = 0.5  # a share of boxes beyond it is no accident
# As corners nearly all boxes fit into their images, and read as stated many leave theirs.
FIT_AS_CORNERS, LEAVE = 0.95, 0.25
TOLERANCE = 0.02  # of the side of an image, by which sloppy boxes leave it


class Misread(NamedTuple):
    """Boxes that cannot be meant as they are read.

    Attributes:
        rows: `(n,)` bool.
        reason: why.
    """

    rows: np.ndarray
    reason: str


def fractions_for_pixels(xyxy: np.ndarray) -> Misread | None:
    """Finds boxes that are fractions of the image size, `(n, 4)` that should be in pixels."""
    rows = np.asarray((xyxy <= FIRST_PIXEL).all(axis=1))
    if not len(rows) or rows.mean() <= MOST:
        return None
    return Misread(
        rows,
        f"{_of(rows)} boxes lie within the first pixel: they seem to be in fractions of the image size and "
        "not in pixels",
    )


def corners_for_sizes(xyxy: np.ndarray, sizes: np.ndarray) -> Misread | None:
    """Finds boxes whose width and height seem to be a second corner.

    Args:
        xyxy: `(n, 4)` float64, made of `x, y, width, height`.
        sizes: `(n, 2)` height and width of each box's image, NaN where not known.
    """
    known = np.isfinite(sizes).all(axis=1)
    if not known.any():
        return None
    first, last, limits = xyxy[known, :2], xyxy[known, 2:], sizes[known, ::-1]
    as_corner = last - first
    fit = ((as_corner > first) & (as_corner <= limits + 1)).all(axis=1)
    leaving = np.asarray((last > limits * (1 + TOLERANCE) + 1).any(axis=1))
    if fit.mean() < FIT_AS_CORNERS or leaving.mean() <= LEAVE:
        return None
    return Misread(
        np.ones(len(xyxy), bool),
        f"{_of(leaving)} boxes leave their image, and none would if its last two numbers were a corner: they "
        "seem to be x1, y1, x2, y2 and not x, y, width, height",
    )


def _of(rows: np.ndarray) -> str:
    return f"all {len(rows)}" if rows.all() else f"{rows.sum()} of {len(rows)}"
