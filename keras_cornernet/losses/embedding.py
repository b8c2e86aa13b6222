"""Losses of the embeddings that pair the corners of an object."""

from keras import ops

from keras_cornernet.tensors import Tensor


def pull_push_loss(
    first: Tensor,
    second: Tensor,
    mask: Tensor,
    *,
    margin: float = 1.0,
    sample_weight: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Pulls the two embeddings of an object together and pushes the means of objects apart.

    For an image with `n` objects, embeddings `a_k`, `b_k` and means `m_k`:
    `pull = sum_k [(a_k - m_k)^2 + (b_k - m_k)^2] / (n + 1e-4)`,
    `push = sum over k, j of [max(0, margin - |m_k - m_j|) - margin / (n + 1e-4)] / (n (n - 1) + 1e-4)`.
    The subtraction replaces the exclusion of `k = j`. An image with one object has a constant push of about
    `margin` without a gradient; one without objects has 0.

    Args:
        first, second: `(batch, n)` embeddings of the two corners, or `(batch, n, c)`; over several channels
            squares and distances are summed (the papers have one channel).
        mask: `(batch, n)`, 1 where there is an object.
        margin: means farther apart are not pushed.
        sample_weight: `(batch,)`, by which the terms of each image are multiplied.

    Returns:
        pull, push: scalars, summed (not averaged) over the images.

    Source: Law & Deng 2018, eqs. 4 and 5; `_ae_loss` of princeton-vl/CornerNet,
    `models/py_utils/kp_utils.py` (which fails on a batch of one). The paper excludes `k = j`; the form of the
    code, which is followed, differs by the small constants.
    """
    if len(first.shape) == 2:
        first, second = first[..., None], second[..., None]
    mask = ops.cast(mask, "float32")
    count = ops.sum(mask, axis=1, keepdims=True)
    weight = 1.0 if sample_weight is None else sample_weight[:, None]
    mean = (first + second) / 2
    spread = ops.sum(ops.square(first - mean) + ops.square(second - mean), axis=-1)
    pull = ops.sum(weight * mask * spread / (count + 1e-4))
    both = (weight * mask)[:, :, None] * mask[:, None, :]
    distance = ops.sum(ops.abs(mean[:, :, None] - mean[:, None, :]), axis=-1)
    count = count[..., None]
    push = ops.relu(margin - distance) - margin / (count + 1e-4)
    return pull, ops.sum(both * push / (count * (count - 1) + 1e-4))
