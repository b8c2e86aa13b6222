"""BatchNorm folded into the convolution before it, for networks that only predict.

At inference BatchNorm is one factor and one summand for each channel, which a convolution can contain. A
BatchNorm that follows an addition or a stem has no convolution before it, and stays.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import keras
import numpy as np

from keras_cornernet.tensors import Tensor

_WITHOUT = ContextVar("without_norms", default=False)


@contextmanager
def without_norms() -> Iterator[None]:
    """Layers built in this context have no BatchNorm after a convolution; the convolution has a bias.

    `fold_into` gives them weights computed from those of the same layers with BatchNorm.
    """
    token = _WITHOUT.set(True)
    try:
        yield
    finally:
        _WITHOUT.reset(token)


def norms_are_left_out() -> bool:
    """Whether layers are being built `without_norms`."""
    return _WITHOUT.get()


def factor_and_summand(norm: keras.layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the summand of each channel of a BatchNorm at inference, float64."""
    gamma, beta, mean, variance = (
        np.asarray(weight, np.float64)
        for weight in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return factor, beta - mean * factor


def set_convolution(
    copy: keras.layers.Layer,
    kernels: Sequence[Tensor],
    bias: Tensor | None,
    norm: keras.layers.BatchNormalization | None = None,
) -> None:
    """Gives a convolution the weights of another one, with the BatchNorm after it folded in.

    Args:
        copy: the convolution that receives them.
        kernels: of the other convolution; the last one has its output channels last.
        bias: of the other convolution, or None.
        norm: the BatchNorm after the other convolution; None copies the weights as they are.
    """
    kernels = [np.asarray(kernel, np.float64) for kernel in kernels]
    bias = None if bias is None else np.asarray(bias, np.float64)
    if norm is not None:
        factor, summand = factor_and_summand(norm)
        kernels[-1] = kernels[-1] * factor
        bias = summand if bias is None else bias * factor + summand
    copy.set_weights([*kernels, *([] if bias is None else [bias])])
