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


def draw_gaussians(row, column, radius, label, drawn, *, grid, max_radius: int, sigma_divisor: float = 6.0):
    """Draws one Gaussian per object and keeps the larger value where they meet.

    Only the cells under a bump are touched. The standard deviation is `(2 radius + 1) / sigma_divisor`.

    Args:
        row, column, radius, label: `(batch, n)` int32, in grid cells; label is the channel,
            below `channels` where drawn.
        drawn: `(batch, n)` bool; False skips the object.
        grid: `(batch, height, width, channels)` to draw; plain integers but the batch.
        max_radius: no radius is larger (JAX and XLA need the bound).

    Returns:
        `(batch, height, width, channels)` float32, exactly 1 at the centres.

    Source: `draw_gaussian` of princeton-vl/CornerNet, `sample/utils.py`. The papers say a third of the
    radius for the deviation; this is the code's.
    """
    batch, rows, columns, channels = grid
    count, bound = label.shape[1], 2 * max_radius + 1
    side = ops.where(drawn, 2 * radius + 1, 0)

    def flat(x):
        return ops.reshape(x, (-1,))

    def inside(start, end):
        """The part of a window's side that lies on the grid."""
        first = ops.clip(start, 0, end)
        return first, flat(ops.clip(start + side, 0, end) - first)

    (top, tall), (left, wide) = inside(row - radius, rows), inside(column - radius, columns)
    owner, down, across, live = window_cells(tall, wide, (bound, bound))

    def own(x):
        """The number of each cell's object."""
        return ops.take(flat(x), owner)

    y, x = own(top) + down, own(left) + across
    sigma = (2 * ops.cast(own(radius), "float32") + 1) / sigma_divisor
    away = (ops.cast(y - own(row), "float32"), ops.cast(x - own(column), "float32"))
    value = ops.exp(-(away[0] * away[0] + away[1] * away[1]) / (2 * sigma * sigma))
    index = ((owner // count * rows + y) * columns + x) * channels + own(label)
    return ops.reshape(scatter_max(batch * rows * columns * channels, index, value, live), grid)


def draw_rectangles(top, left, height, width, label, *, grid):
    """Ones in rectangles of cells; a rectangle of height 0 is not drawn.

    Rectangles are counted over each cell by one matrix product of their rows with their columns. Listing the
    cells of each one, as `draw_gaussians` does, would take as many as the grid has where shapes must be
    static.

    Args:
        top, left, height, width, label: `(batch, n)` int32, in grid cells; what lies beside the grid is cut
            off. label is the channel.
        grid: as in `draw_gaussians`.

    Returns:
        `(batch, height, width, channels)` float32.
    """

    def inside(start, length, end):
        """`(batch, n, end)`, 1 where a side of the grid lies in the rectangle."""
        place = np.arange(end, dtype=np.int32) - start[..., None]
        return ops.cast((place >= 0) & (place < length[..., None]), "float32")

    _, rows, columns, channels = grid
    down, across = inside(top, height, rows), inside(left, width, columns)
    across = across[..., None] * ops.one_hot(label, channels, dtype="float32")[:, :, None]
    return ops.cast(ops.einsum("bnh,bnwc->bhwc", down, across) > 0.5, "float32")
