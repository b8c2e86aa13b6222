"""Heatmap targets: how large a bump is, and the drawing of bumps."""

from functools import cache

import numpy as np
from keras import ops

from keras_cornernet.backend import scatter_max, window_cells


def gaussian_radius(height, width, min_overlap: float = 0.3, *, corrected: bool = True) -> np.ndarray:
    """How far both corners may move before the box overlaps the true one by less than `min_overlap`.

    Args:
        height, width: box sides in grid cells, arrays or numbers.
        min_overlap: intersection over union to keep, in 0..1.
        corrected: False gives the formula of CornerNet's first release, which does not keep the overlap: it
            takes the larger roots and halves them whatever the leading coefficient. The published weights
            of CenterNet were taught with it, at an overlap of 0.7.

    Returns:
        float64, real-valued; truncate it to draw.

    Source: Law & Deng 2018, sec. 3.2; `gaussian_radius` of princeton-vl/CornerNet, `sample/utils.py`, in its
    corrected form (the smaller roots of the three cases), and of Duankaiwen/CenterNet, which still has the
    other.
    """
    height, width = np.asarray(height, np.float64), np.asarray(width, np.float64)
    total, keep = height + width, min_overlap
    # Rounded in the authors' order: for 15 x 12 cells another one gives 2.999..., which truncates to 2.
    slid_root = np.sqrt(total**2 - 4 * (width * height * (1 - keep) / (1 + keep)))
    inside_root = np.sqrt((2 * total) ** 2 - 16 * ((1 - keep) * width * height))
    slope = -2 * keep * total
    outside_root = np.sqrt(slope**2 - 16 * keep * ((keep - 1) * width * height))
    if corrected:
        one_in_one_out = (total - slid_root) / 2
        both_in = (2 * total - inside_root) / 8
        both_out = (slope + outside_root) / (8 * keep)
    else:
        one_in_one_out = (total + slid_root) / 2
        both_in = (2 * total + inside_root) / 2
        both_out = (slope + outside_root) / 2
    return np.minimum(one_in_one_out, np.minimum(both_in, both_out))


@cache
def radius_table(height: int, width: int, min_overlap: float, corrected: bool = True) -> np.ndarray:
    """`(height + 1, width + 1)` int32: the truncated radius of every box size on a grid.

    A table, since float32 on the device would truncate some of them to the neighbouring integer.
    """
    rows, columns = np.mgrid[: height + 1, : width + 1]
    return np.maximum(gaussian_radius(rows, columns, min_overlap, corrected=corrected), 0).astype(np.int32)


def draw_bumps(row, column, radius, label, drawn, *, grid, max_radius: int, sigma_divisor: float = 6.0):
    """Draws one Gaussian per object and keeps the larger value where they meet.

    Only the cells under a bump are touched. The standard deviation is `(2 radius + 1) / sigma_divisor`.

    Args:
        row, column, radius, label: `(batch, n)` int32, in grid cells; label is the channel.
        drawn: `(batch, n)` bool; False skips the object.
        grid: `(batch, height, width, channels)` to draw; plain integers but the batch.
        max_radius: no radius is larger (JAX and XLA need the bound).

    Returns:
        `(batch, height, width, channels)` float32, exactly 1 at the centres.

    Source: `draw_gaussian` of princeton-vl/CornerNet, `sample/utils.py`. The papers say a third of the
    radius for the deviation; this is the code's.
    """
    side = ops.where(drawn, 2 * radius + 1, 0)
    bound = 2 * max_radius + 1

    def value(owner, y, x, flat):
        def square(place, center):
            distance = ops.cast(place - ops.take(flat(center), owner), "float32")
            return distance * distance

        sigma = ops.take((2 * ops.cast(flat(radius), "float32") + 1) / sigma_divisor, owner)
        return ops.exp(-(square(y, row) + square(x, column)) / (2 * sigma * sigma))

    return _paint(row - radius, column - radius, side, side, label, value, grid, (bound, bound))


def draw_rectangles(top, left, height, width, label, *, grid):
    """Ones in rectangles of cells; a rectangle of height 0 is not drawn. Arguments as in `draw_bumps`."""

    def value(owner, y, x, flat):
        return ops.ones_like(owner, dtype="float32")

    return _paint(top, left, height, width, label, value, grid, grid[1:3])


def _paint(top, left, height, width, label, value, grid, bound):
    """Evaluates `value` on all cells of the objects' windows and scatters the maximum."""
    batch, rows, columns, channels = grid
    count = label.shape[1]

    def flat(x):
        return ops.reshape(x, (-1,))

    def inside(start, length, end):
        """The part of a window's side that lies on the grid."""
        first = ops.clip(start, 0, end)
        return flat(first), flat(ops.clip(start + length, 0, end) - first)

    (top, height), (left, width) = inside(top, height, rows), inside(left, width, columns)
    owner, down, right, live = window_cells(height, width, bound)
    y, x = ops.take(top, owner) + down, ops.take(left, owner) + right
    image = owner // count
    index = ((image * rows + y) * columns + x) * channels + ops.take(flat(label), owner)
    painted = scatter_max(batch * rows * columns * channels, index, value(owner, y, x, flat), live)
    return ops.reshape(painted, grid)
