"""Heatmap targets: the radius of Gaussians, and how they are drawn."""

from functools import cache
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_cornernet.backend import scatter_max, window_cells
from keras_cornernet.tensors import Tensor


def gaussian_radius(
    height: ArrayLike, width: ArrayLike, min_overlap: float = 0.3, *, corrected: bool = True
) -> np.ndarray:
    """How far both corners may move before the box overlaps the true one by less than `min_overlap`.

    Args:
        height, width: box sides in grid cells, arrays or numbers.
        min_overlap: intersection over union to keep, in 0..1.
        corrected: False gives the formula of CornerNet's first release, which does not keep the overlap: it
            takes the larger roots and halves them whatever the leading coefficient. The published weights
            of CenterNet were trained with it, at an overlap of 0.7.

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
    radius: np.ndarray = np.minimum(one_in_one_out, np.minimum(both_in, both_out))
    return radius


@cache
def radius_table(height: int, width: int, min_overlap: float, corrected: bool = True) -> np.ndarray:
    """`(height + 1, width + 1)` int32: the truncated radius of every box size on a grid.

    A table, since float32 on the device would truncate some of them to the neighbouring integer.
    """
    rows, columns = np.mgrid[: height + 1, : width + 1]
    radius = gaussian_radius(rows, columns, min_overlap, corrected=corrected)
    table: np.ndarray = np.maximum(radius, 0).astype(np.int32)
    return table


def draw_gaussians(
    row: Tensor,
    column: Tensor,
    radius: Tensor,
    label: Tensor,
    drawn: Tensor,
    *,
    grid: tuple[Any, int, int, int],
    max_radius: int,
    sigma_divisor: float = 6.0,
) -> Tensor:
    """Draws one Gaussian for each object and keeps the larger value where they overlap.

    Only the cells inside the windows are computed. The standard deviation is
    `(2 radius + 1) / sigma_divisor`.

    Args:
        row, column, radius, label: `(batch, n)` int32, in grid cells; label is the channel,
            below `channels` where drawn.
        drawn: `(batch, n)` bool; False skips the object.
        grid: `(batch, height, width, channels)` of the result; plain integers except for the batch.
        max_radius: no radius is larger (JAX and XLA need the bound).
        sigma_divisor: see above.

    Returns:
        `(batch, height, width, channels)` float32, exactly 1 at the centres.

    Source: `draw_gaussian` of princeton-vl/CornerNet, `sample/utils.py`. The papers state a third of
    the radius for the standard deviation; the code, which is followed, takes a sixth of the window.
    """
    batch, rows, columns, channels = grid
    count, bound = label.shape[1], 2 * max_radius + 1
    side = ops.where(drawn, 2 * radius + 1, 0)

    def flat(x: Tensor) -> Tensor:
        return ops.reshape(x, (-1,))

    def inside(start: Tensor, end: int) -> tuple[Tensor, Tensor]:
        """The part of a window's side that lies on the grid."""
        first = ops.clip(start, 0, end)
        return first, flat(ops.clip(start + side, 0, end) - first)

    (top, heights), (left, widths) = inside(row - radius, rows), inside(column - radius, columns)
    owner, down, across, live = window_cells(heights, widths, (bound, bound))

    def own(x: Tensor) -> Tensor:
        """The value of the object that each cell belongs to."""
        return ops.take(flat(x), owner)

    y, x = own(top) + down, own(left) + across
    sigma = (2 * ops.cast(own(radius), "float32") + 1) / sigma_divisor
    distance = (ops.cast(y - own(row), "float32"), ops.cast(x - own(column), "float32"))
    value = ops.exp(-(distance[0] * distance[0] + distance[1] * distance[1]) / (2 * sigma * sigma))
    index = ((owner // count * rows + y) * columns + x) * channels + own(label)
    return ops.reshape(scatter_max(batch * rows * columns * channels, index, value, live), grid)


def draw_rectangles(
    top: Tensor,
    left: Tensor,
    height: Tensor,
    width: Tensor,
    label: Tensor,
    *,
    grid: tuple[Any, int, int, int],
) -> Tensor:
    """Ones in rectangles of cells; a rectangle of height 0 is not drawn.

    The rectangles over each cell are counted by one matrix product of their rows with their columns. Listing
    the cells of each rectangle, as `draw_gaussians` does, would need as many as the grid has cells where
    shapes must be static.

    Args:
        top, left, height, width, label: `(batch, n)` int32, in grid cells; cells outside the grid are cut
            off. label is the channel.
        grid: see `draw_gaussians`.

    Returns:
        `(batch, height, width, channels)` float32.
    """

    def inside(start: Tensor, length: Tensor, end: int) -> Tensor:
        """`(batch, n, end)`, 1 where a side of the grid lies in the rectangle."""
        position = np.arange(end, dtype=np.int32) - start[..., None]
        return ops.cast((position >= 0) & (position < length[..., None]), "float32")

    _, rows, columns, channels = grid
    down, across = inside(top, height, rows), inside(left, width, columns)
    across = across[..., None] * ops.one_hot(label, channels, dtype="float32")[:, :, None]
    return ops.cast(ops.einsum("bnh,bnwc->bhwc", down, across) > 0.5, "float32")
