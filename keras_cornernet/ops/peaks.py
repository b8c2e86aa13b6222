"""Peaks of heatmaps."""

from typing import NamedTuple

from keras import ops

from keras_cornernet.ops.gather import flatten_cells, gather_rows
from keras_cornernet.tensors import Tensor

# Below any logit, but finite, so that sums and products of it stay finite.
NOTHING = -1e9


class Peaks(NamedTuple):
    """The best `k` peaks of each image, best first.

    Attributes:
        logits: `(batch, k)`; `NOTHING` where an image has fewer peaks.
        index: `(batch, k)` int32, the flat cell `y * width + x`.
        row, column: `(batch, k)` int32.
        label: `(batch, k)` int32, the heatmap channel.
    """

    logits: Tensor
    index: Tensor
    row: Tensor
    column: Tensor
    label: Tensor


def find_peaks(logits: Tensor, k: int, kernel: int = 3) -> Peaks:
    """Local maxima over `kernel` x `kernel` cells, the best `k` over all cells and classes.

    Logits are compared, not probabilities: a sigmoid keeps the order, but in float32 it rounds large logits
    to the same 1. Cells are first ranked by their best class. Nothing is lost by that, since an entry among
    the best `k` lies in one of the best `k` cells.

    Args:
        logits: `(batch, height, width, classes)`.
        k: number of peaks; fewer where the maps have fewer entries.
        kernel: side of the window in cells, an odd number.

    Source: `_nms` and `_topk` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`. Where there
    are fewer than `k` peaks, the released code fills up with other cells; here those are `NOTHING`.
    """
    width, classes = logits.shape[2], logits.shape[3]
    if kernel > 1:
        maximum = ops.max_pool(logits, kernel, strides=1, padding="same")
        logits = ops.where(logits == maximum, logits, NOTHING)
    cells = flatten_cells(logits)
    k_cells = min(k, cells.shape[1])
    _, index = ops.top_k(ops.max(cells, axis=-1), k_cells)
    entries = ops.reshape(gather_rows(cells, index), (-1, k_cells * classes))
    values, position = ops.top_k(entries, min(k, k_cells * classes))
    position = ops.cast(position, "int32")
    index = gather_rows(ops.cast(index, "int32")[..., None], position // classes)[..., 0]
    return Peaks(values, index, index // width, index % width, position % classes)
