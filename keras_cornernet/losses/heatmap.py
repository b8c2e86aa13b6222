"""Losses of heatmaps."""

from keras import ops

from keras_cornernet.backend import sum_over_replicas


def penalty_reduced_focal_loss(logits, targets, mask=None, *, alpha: float = 2.0, beta: float = 4.0):
    """Focal loss whose negatives count less near a corner.

    With `p` the sigmoid, clipped to `[1e-4, 1 - 1e-4]`, and `y` the target:
    `-(1 / N) [ sum over y = 1 of (1 - p)^alpha ln p + sum over y < 1 of (1 - y)^beta p^alpha ln(1 - p) ]`.
    `N` is the number of cells with `y = 1` in the whole batch, over all replicas; without any, the sum
    stays undivided.

    Args:
        logits, targets: `(batch, height, width, classes)`; targets in 0..1.
        mask: same shape, 0 leaves a cell out (it still counts in `N`).

    Returns:
        A scalar, this replica's share of the loss.

    Source: Law & Deng 2018, eq. 1; `_neg_loss` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`. The
    paper's N counts objects in an image; the code's, which is followed, positive cells in the batch.
    """
    logits = ops.cast(logits, "float32")
    p = ops.clip(ops.sigmoid(logits), 1e-4, 1 - 1e-4)
    positive = ops.cast(targets == 1.0, "float32")
    gain = positive * ops.power(1 - p, alpha) * ops.log(p)
    gain = gain + (1 - positive) * ops.power(1 - targets, beta) * ops.power(p, alpha) * ops.log(1 - p)
    if mask is not None:
        gain = gain * mask
    count = sum_over_replicas(ops.sum(positive))
    return -ops.sum(gain) / ops.maximum(count, 1.0)
