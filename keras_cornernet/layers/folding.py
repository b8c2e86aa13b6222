"""BatchNorm folded into the convolution before it, for networks that only predict.

At inference BatchNorm is one factor and one summand a channel, and a convolution can carry both. What
follows an addition or a stem has no convolution of its own to carry it and stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_WITHOUT = ContextVar("without_norms", default=False)


@contextmanager
def without_norms() -> Iterator[None]:
    """Layers made in this context leave out each BatchNorm that follows a convolution, which gets a bias.

    Their weights come from those of the same layers with BatchNorm, by `fold_into`.
    """
    token = _WITHOUT.set(True)
    try:
        yield
    finally:
        _WITHOUT.reset(token)


def norms_are_left_out() -> bool:
    """Whether layers are being made `without_norms`."""
    return _WITHOUT.get()


def factor_and_summand(norm) -> tuple[np.ndarray, np.ndarray]:
    """What a built BatchNorm multiplies each channel by at inference, and then adds; float64."""
    gamma, beta, mean, variance = (
        np.asarray(weight, np.float64)
        for weight in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor


def set_convolution(copy, kernels: list[np.ndarray], bias: np.ndarray | None, norm=None) -> None:
    """Gives a convolution the weights of another one and of the BatchNorm that follows it.

    Args:
        copy: the convolution that receives them.
        kernels: of the other one; the last of them has its output channels last.
        bias: of the other one, or None.
        norm: the BatchNorm behind the other one; None copies the weights as they are.
    """
    kernels = [np.asarray(kernel, np.float64) for kernel in kernels]
    bias = None if bias is None else np.asarray(bias, np.float64)
    if norm is not None:
        factor, summand = factor_and_summand(norm)
        kernels[-1] = kernels[-1] * factor
        bias = summand if bias is None else bias * factor + summand
    copy.set_weights([*kernels, *([] if bias is None else [bias])])
