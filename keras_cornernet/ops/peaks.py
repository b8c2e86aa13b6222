"""Peaks of heatmaps."""

from typing import NamedTuple

from keras import ops

from keras_cornernet.ops.gather import flatten_cells, gather_rows

# Below any logit, yet finite, so that sums and products of it stay numbers.
NOTHING = -1e9


class Peaks(NamedTuple):
    """The best `k` peaks of each image, best first.

    Attributes:
        logits: `(batch, k)`; `NOTHING` where an image has fewer peaks.
        index: `(batch, k)` int32, the flat cell `y * width + x`.
        row, column: `(batch, k)` int32.
        label: `(batch, k)` int32, the heatmap channel.
    """

    logits: object
    index: object
    row: object
    column: object
    label: object


def find_peaks(logits, k: int, kernel: int = 3) -> Peaks:
    """Local maxima over `kernel` x `kernel` cells, the best `k` over all cells and classes.

    The comparison is made on logits: a sigmoid keeps the order, but in float32 rounds large logits to the
    same 1. Cells are first ranked by their best class, which loses nothing, since an entry among the best
    `k` lies in one of the best `k` cells.

    Args:
        logits: `(batch, height, width, classes)`.

    Source: `_nms` and `_topk` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`. The released code
    fills up with cells that are no peaks when there are fewer than `k`; here they are `NOTHING`.
    """
    width, classes = logits.shape[2], logits.shape[3]
    if kernel > 1:
        around = ops.max_pool(logits, kernel, strides=1, padding="same")
        logits = ops.where(logits == around, logits, NOTHING)
    cells = flatten_cells(logits)
    k_cells = min(k, cells.shape[1])
    _, index = ops.top_k(ops.max(cells, axis=-1), k_cells)
    entries = ops.reshape(gather_rows(cells, index), (-1, k_cells * classes))
    values, place = ops.top_k(entries, min(k, k_cells * classes))
    place = ops.cast(place, "int32")
    index = gather_rows(ops.cast(index, "int32")[..., None], place // classes)[..., 0]
    return Peaks(values, index, index // width, index % width, place % classes)
