"""From the cell of a heatmap's maximum to a position between cells.

- `"none"`: the cell as it is.
- `"quarter"`: a quarter of a cell towards the higher neighbour on each axis, if the cell has all four
  neighbours (pose-hg-train, pytorch-pose).
- `"quarter_any"`: the same at the border too; between equal neighbours up and left, as
  pytorch_stacked_hourglass does.
- `"quarter_axis"`: the same on each axis by itself, not next to the border (mmpose).
- `"dark"`: the top of the parabola through the logarithm of the blurred map.

Source of DARK: Zhang et al. 2020, sec. 3.1, and `refine_keypoints_dark` of open-mmlab/mmpose.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from keras import ops

from keras_cornernet.ops.gather import flatten_cells
from keras_cornernet.tensors import Tensor

REFINEMENTS = ("none", "quarter", "quarter_any", "quarter_axis", "dark")


def refined(maps: Tensor, x: Tensor, y: Tensor, refinement: str, *, blur: int) -> tuple[Tensor, Tensor]:
    """How far each peak lies from the centre of its cell.

    Args:
        maps: `(batch, rows, columns, k)`.
        x, y: `(batch, k)` int32, the cell of each map's maximum.
        refinement: one of `REFINEMENTS`.
        blur: side of DARK's blur in cells, an odd number.

    Returns:
        dx, dy: `(batch, k)` float32, cells.
    """
    if refinement == "none":
        zero = ops.zeros_like(x, dtype="float32")
        return zero, zero
    return _dark(maps, x, y, blur) if refinement == "dark" else _quarter(maps, x, y, refinement)


def _quarter(maps: Tensor, x: Tensor, y: Tensor, refinement: str) -> tuple[Tensor, Tensor]:
    rows, columns = maps.shape[1:3]
    at = _reader(flatten_cells(maps), rows, columns)
    dx, dy = at(y, x + 1) - at(y, x - 1), at(y + 1, x) - at(y - 1, x)
    if refinement == "quarter_any":
        return ops.where(dx > 0, 0.25, -0.25), ops.where(dy > 0, 0.25, -0.25)
    dx, dy = 0.25 * ops.sign(dx), 0.25 * ops.sign(dy)
    if refinement == "quarter":
        inside = (x > 0) & (x < columns - 1) & (y > 0) & (y < rows - 1)
        return ops.where(inside, dx, 0.0), ops.where(inside, dy, 0.0)
    return (
        ops.where((x > 1) & (x < columns - 1) & (y > 0), dx, 0.0),
        ops.where((y > 1) & (y < rows - 1) & (x > 0), dy, 0.0),
    )


def _dark(maps: Tensor, x: Tensor, y: Tensor, blur: int) -> tuple[Tensor, Tensor]:
    rows, columns = maps.shape[1:3]
    smooth = ops.einsum("yi,bijk,xj->byxk", _blur(rows, blur), maps, _blur(columns, blur))
    highest, before = (ops.max(m, axis=(1, 2), keepdims=True) for m in (smooth, maps))
    smooth = smooth * before / ops.maximum(highest, 1e-12)
    at = _reader(flatten_cells(ops.log(ops.maximum(smooth, 1e-10))), rows, columns)
    here = at(y, x)
    gx, gy = (at(y, x + 1) - at(y, x - 1)) / 2, (at(y + 1, x) - at(y - 1, x)) / 2
    xx = (at(y, x + 2) - 2 * here + at(y, x - 2)) / 4
    yy = (at(y + 2, x) - 2 * here + at(y - 2, x)) / 4
    xy = (at(y + 1, x + 1) - at(y - 1, x + 1) - at(y + 1, x - 1) + at(y - 1, x - 1)) / 4
    determinant = xx * yy - xy * xy
    good = (x > 1) & (x < columns - 2) & (y > 1) & (y < rows - 2) & (determinant != 0)
    determinant = ops.where(good, determinant, 1.0)
    dx, dy = (xy * gy - yy * gx) / determinant, (xy * gx - xx * gy) / determinant
    return ops.where(good, dx, 0.0), ops.where(good, dy, 0.0)


def _reader(cells: Tensor, rows: int, columns: int) -> Callable[[Tensor, Tensor], Tensor]:
    """A function that gives the values of `cells` `(batch, rows * columns, k)` at `(batch, k)` y and x.

    Outside the map it gives the value of the nearest cell.
    """
    batch, count, joints = ops.shape(cells)[0], rows * columns, cells.shape[2]
    flat = ops.reshape(cells, (-1,))
    first = count * ops.arange(batch, dtype="int32")[:, None]

    def at(y: Tensor, x: Tensor) -> Tensor:
        index = ops.clip(y, 0, rows - 1) * columns + ops.clip(x, 0, columns - 1)
        return ops.take(flat, (first + index) * joints + np.arange(joints, dtype=np.int32))

    return at


@cache
def _blur(count: int, side: int) -> np.ndarray:
    """`(count, count)`: the matrix that blurs a line of cells, with zeros beyond its ends.

    The width of the Gaussian follows from `side` as in OpenCV's `GaussianBlur`.
    """
    sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
    weight = np.exp(-np.square(np.arange(side) - side // 2) / (2 * sigma**2))
    weight /= weight.sum()
    band = np.zeros((count, count + 2 * (side // 2)))
    for i in range(count):
        band[i, i : i + side] = weight
    return band[:, side // 2 : side // 2 + count].astype(np.float32)
