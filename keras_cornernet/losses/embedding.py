"""Losses of the embeddings that tell which corners belong together."""

from keras import ops


def pull_push_loss(first, second, mask, *, margin: float = 1.0):
    """Pulls the two embeddings of an object together and pushes the means of objects apart.

    For an image with `n` objects, embeddings `a_k`, `b_k` and means `m_k`:
    `pull = sum_k [(a_k - m_k)^2 + (b_k - m_k)^2] / (n + 1e-4)`,
    `push = sum over k, j of [max(0, margin - |m_k - m_j|) - margin / (n + 1e-4)] / (n (n - 1) + 1e-4)`.
    The subtraction stands for leaving out `k = j`. One object alone has a constant push of about `margin`
    and no gradient; none has 0.

    Args:
        first, second: `(batch, n)` embeddings of the two corners, or `(batch, n, c)`; with several channels
            squares and distances are summed over them (the papers have one).
        mask: `(batch, n)`, 1 where there is an object.

    Returns:
        pull, push: scalars, summed (not averaged) over the images.

    Source: Law & Deng 2018, eqs. 4 and 5; `_ae_loss` of princeton-vl/CornerNet,
    `models/py_utils/kp_utils.py` (which fails on a batch of one). The paper excludes `k = j`; the code's form
    differs by the small constants.
    """
    if len(first.shape) == 2:
        first, second = first[..., None], second[..., None]
    mask = ops.cast(mask, "float32")
    count = ops.sum(mask, axis=1, keepdims=True)
    mean = (first + second) / 2
    spread = ops.sum(ops.square(first - mean) + ops.square(second - mean), axis=-1)
    pull = ops.sum(mask * spread / (count + 1e-4))
    both = mask[:, :, None] * mask[:, None, :]
    distance = ops.sum(ops.abs(mean[:, :, None] - mean[:, None, :]), axis=-1)
    count = count[..., None]
    push = ops.relu(margin - distance) - margin / (count + 1e-4)
    return pull, ops.sum(both * push / (count * (count - 1) + 1e-4))
