"""Losses of offsets and sizes, predicted at the cells of objects."""

from keras import ops

from keras_cornernet.backend import sum_over_replicas
from keras_cornernet.tensors import Tensor


def offset_loss(
    predicted: Tensor,
    targets: Tensor,
    mask: Tensor,
    beta: float = 1.0,
    *,
    epsilon: float = 1e-4,
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Smooth L1 (quadratic below `beta`), summed over x and y, divided by the number of objects of the batch.

    With a `beta` of 0 it is L1, averaged over x and y, as the code of Objects as Points has it.

    Args:
        predicted, targets: `(batch, n, 2)` x, y in cells.
        mask: `(batch, n)`, 1 where there is an object.
        beta: the loss is quadratic below it and linear with slope 1 above it; 1 in CornerNet's papers.
        epsilon: added to the number of objects.
        sample_weight: `(batch,)`, by which the sum of each image is multiplied; the number of objects is not.

    Returns:
        A scalar, this replica's part of the loss.

    Source: Law & Deng 2018, eq. 3; `_regr_loss` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`;
    `RegLoss` (smooth L1) and `RegL1Loss` of xingyizhou/CenterNet, `src/lib/models/losses.py`.
    """
    mask = ops.cast(mask, "float32")
    error = _absolute(predicted - targets)
    count = sum_over_replicas(ops.sum(mask))
    if sample_weight is not None:
        mask = mask * sample_weight[:, None]
    if beta == 0:
        return ops.sum(error * mask[..., None]) / (2 * count + epsilon)
    loss = ops.where(error < beta, 0.5 / beta * error * error, error - 0.5 * beta)
    return ops.sum(loss * mask[..., None]) / (count + epsilon)


def dense_size_loss(
    predicted: Tensor, targets: Tensor, weight: Tensor, *, sample_weight: Tensor | None = None
) -> Tensor:
    """L1 of sizes at all cells of objects, divided by the sum of the weights.

    Args:
        predicted, targets: `(batch, h, w, 2)`, width and height in cells.
        weight: same shape.
        sample_weight: see `offset_loss`.

    Returns:
        A scalar, this replica's part of the loss.

    Source: `CtdetLoss` with `dense_wh` of xingyizhou/CenterNet, `src/lib/trains/ctdet.py`.
    """
    total = sum_over_replicas(ops.sum(weight))
    if sample_weight is not None:
        weight = weight * sample_weight[:, None, None, None]
    return ops.sum(_absolute(predicted - targets) * weight) / (total + 1e-4)


def _absolute(x: Tensor) -> Tensor:
    """The absolute value, with a gradient of 0 at 0 on every backend; that of `ops.abs` on JAX is 1."""
    return x * ops.sign(x)
