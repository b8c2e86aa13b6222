"""Loss of the offsets inside a grid cell."""

from keras import ops

from keras_cornernet.backend import sum_over_replicas


def offset_loss(predicted, targets, mask, beta: float = 1.0):
    """Smooth L1 (quadratic below `beta`), summed over x and y, divided by the objects of the batch.

    Args:
        predicted, targets: `(batch, n, 2)` x, y in cells.
        mask: `(batch, n)`, 1 where there is an object.
        beta: below it the loss is quadratic, above it linear with slope 1; 1 in the papers.

    Returns:
        A scalar, this replica's share of the loss.

    Source: Law & Deng 2018, eq. 3; `_regr_loss` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`.
    """
    mask = ops.cast(mask, "float32")
    error = ops.abs(predicted - targets)
    loss = ops.where(error < beta, 0.5 / beta * error * error, error - 0.5 * beta)
    count = sum_over_replicas(ops.sum(mask))
    return ops.sum(loss * mask[..., None]) / (count + 1e-4)
