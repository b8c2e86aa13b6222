"""Operations with a gradient of their own, which graphs that are only run leave out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from keras import ops

from keras_cornernet.tensors import Tensor

# An operation and the gradient of its result: takes a tensor, returns its value and the way back.
WithGradient = Callable[[Tensor], tuple[Tensor, Callable[[Tensor], Tensor]]]

_left_out = ContextVar("gradients_left_out", default=False)


def custom_gradient(function: WithGradient) -> Callable[[Tensor], Tensor]:
    """`keras.ops.custom_gradient`, or the operation alone inside `without_gradients`."""
    if _left_out.get():
        return lambda x: function(x)[0]
    differentiable: Callable[[Tensor], Tensor] = ops.custom_gradient(function)
    return differentiable


@contextmanager
def without_gradients() -> Iterator[None]:
    """What is traced inside has only the gradients of its parts.

    For exported graphs: TensorFlow does not save gradients in a SavedModel, and warns about each when the
    model is opened.
    """
    token = _left_out.set(True)
    try:
        yield
    finally:
        _left_out.reset(token)
