"""Sizes at every cell of an object, the option `dense_wh` of the released code of Objects as Points."""

from functools import cache

import numpy as np
from keras import ops

from keras_cornernet.codecs.heatmaps import GridObjects, cell_of
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.ops.scan import running_maximum
from keras_cornernet.tensors import Tensor


def draw_sizes(objects: GridObjects, centers: Tensor, *, max_radius: int, sigma_divisor: float) -> Tensor:
    """Writes the size of each object into the cells where its Gaussian is the largest.

    Objects are written in order, whatever their class. The released code compares the Gaussian in float64
    with the heatmap in float32, and so skips the cells in which rounding made the heatmap larger; this
    function does the same.

    Args:
        objects: of a batch.
        centers: `(batch, n, 2)` x, y in cells.
        max_radius: no radius is larger.
        sigma_divisor: see `ops.gaussian.draw_gaussians`.

    Returns:
        `(batch, rows, columns, 2)`, width and height in cells; 0 where no object was written.

    Source: `draw_dense_reg` of xingyizhou/CenterNet, `src/lib/utils/image.py`.
    """
    rows, columns = objects.size
    values, written = gaussian_tables(max_radius, sigma_divisor)
    cells = cell_of(centers, objects.size)
    down = np.arange(rows, dtype=np.int32)[:, None] - cells[..., 1, None, None]
    across = np.arange(columns, dtype=np.int32) - cells[..., 0, None, None]
    radius = objects.radius[..., None, None]
    inside = (ops.abs(down) <= radius) & (ops.abs(across) <= radius)
    inside = inside & objects.positive[..., None, None]
    side = 2 * max_radius + 1
    position = (radius * side + ops.clip(down + max_radius, 0, side - 1)) * side
    position = position + ops.clip(across + max_radius, 0, side - 1)
    value = ops.where(inside, ops.take(values.reshape(-1), position), -1.0)
    count, cells_in_all = value.shape[1], rows * columns
    value = ops.reshape(value, (-1, count, cells_in_all, 1))
    largest = inside & ops.reshape(value == running_maximum(value, 1), (-1, count, rows, columns))
    largest = largest & ops.take(written.reshape(-1), position)
    # The object that was written last, counted from 1.
    order = np.arange(1, count + 1, dtype=np.int32)[:, None, None]
    last = ops.reshape(ops.max(ops.where(largest, order, 0), axis=1), (-1, cells_in_all))
    sizes = gather_rows(objects.boxes[..., 2:] - objects.boxes[..., :2], ops.maximum(last - 1, 0))
    sizes = ops.where((last > 0)[..., None], sizes, 0.0)
    return ops.reshape(sizes, (-1, rows, columns, 2))


@cache
def gaussian_tables(max_radius: int, sigma_divisor: float) -> tuple[np.ndarray, np.ndarray]:
    """For each radius the Gaussian in float32, and where it is not larger than in float64.

    Returns:
        values, written: `(max_radius + 1, side, side)` float32 and bool, with `side = 2 * max_radius + 1`.
    """
    steps = np.arange(-max_radius, max_radius + 1)
    square = steps[:, None] ** 2 + steps**2
    sigma = (2 * np.arange(max_radius + 1) + 1) / sigma_divisor
    exact = np.exp(-square / (2 * sigma[:, None, None] ** 2))
    values = exact.astype(np.float32)
    return values, exact >= values
