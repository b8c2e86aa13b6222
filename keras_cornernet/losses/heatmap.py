"""Losses of heatmaps."""

from keras import ops

from keras_cornernet.backend import sum_over_replicas
from keras_cornernet.tensors import Tensor

TINY = 1.19e-7  # float32's epsilon, which the reference adds to what it divides by


def penalty_reduced_focal_loss(
    logits: Tensor, targets: Tensor, mask: Tensor | None = None, *, alpha: float = 2.0, beta: float = 4.0
) -> Tensor:
    """Focal loss that penalises negative cells less the nearer they are to a point.

    With `p` the sigmoid, clipped to `[1e-4, 1 - 1e-4]`, and `y` the target:
    `-(1 / N) [ sum over y = 1 of (1 - p)^alpha ln p + sum over y < 1 of (1 - y)^beta p^alpha ln(1 - p) ]`.
    `N` is the number of cells with `y = 1` in the whole batch, over all replicas; without any, the sum
    is not divided.

    Args:
        logits, targets: `(batch, height, width, classes)`; targets in 0..1.
        mask: same shape, 0 leaves a cell out of the sums (it still counts in `N`).
        alpha, beta: see above.

    Returns:
        A scalar, this replica's part of the loss.

    Source: Law & Deng 2018, eq. 1; `_neg_loss` of princeton-vl/CornerNet, `models/py_utils/kp_utils.py`. The
    paper's N counts the objects of an image; the code, which is followed, counts positive cells of the batch.
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


def gaussian_focal_loss(
    logits: Tensor, targets: Tensor, mask: Tensor | None = None, *, alpha: float = 2.0, gamma: float = 4.0
) -> Tensor:
    """`penalty_reduced_focal_loss` as CentripetalNet has it, without the clipping of probabilities.

    Its gradient does not vanish where the network is certain and wrong. The sum is divided by `N`, and by 1
    where there is no positive cell.

    Args:
        logits, targets, mask: see `penalty_reduced_focal_loss`.
        alpha, gamma: the exponents of the probability and of the targets.

    Returns:
        A scalar, this replica's part of the loss.

    Source: `GaussianFocalLoss` of open-mmlab/mmdetection, `mmdet/models/losses/gaussian_focal_loss.py`. It
    adds 1e-12 to the probabilities before their logarithm; here the logarithm is that of the logistic
    function itself, which is finite for any logit.
    """
    logits = ops.cast(logits, "float32")
    yes, no = -ops.softplus(-logits), -ops.softplus(logits)  # ln p and ln (1 - p)
    p = ops.sigmoid(logits)
    positive = ops.cast(targets == 1.0, "float32")
    gain = positive * ops.power(1 - p, alpha) * yes
    gain = gain + ops.power(1 - targets, gamma) * ops.power(p, alpha) * no  # 0 at positive cells
    if mask is not None:
        gain = gain * mask
    count = sum_over_replicas(ops.sum(positive))
    return -ops.sum(gain) / (ops.maximum(count, 1.0) + TINY)
