"""Operations with a gradient of their own, with and without it."""

import keras
import numpy as np
import pytest
from gradients import value_and_gradients

from keras_cornernet.ops.gradients import custom_gradient, without_gradients


def tripled(x):
    """`3 x`, whose gradient is said to be 7."""
    return 3 * x, lambda upstream: 7 * upstream


def gradient_of(function):
    value, (gradient,) = value_and_gradients(lambda x: keras.ops.sum(function(x)), np.ones((2,), np.float32))
    assert value == 6
    return gradient.tolist()


def test_the_gradient_is_left_out_inside_and_nowhere_else():
    with without_gradients():
        inside = custom_gradient(tripled)
    assert gradient_of(inside) == [3, 3]
    assert gradient_of(custom_gradient(tripled)) == [7, 7]


def test_an_error_inside_ends_it_too():
    with pytest.raises(RuntimeError), without_gradients():
        raise RuntimeError
    assert gradient_of(custom_gradient(tripled)) == [7, 7]
