"""What `keras.ops` has no word for."""

from contextlib import nullcontext

import keras
import numpy as np
from gradients import value_and_gradients

from keras_cornernet.backend import first_maximum, fusing, jit, unfused


def test_of_equal_maxima_the_first_counts_whatever_the_sign_of_zero():
    values = np.array([[1, 3, 3, 2], [-0.0, 0.0, -1, 0.0], [-2, -1, -5, -1]], np.float32)
    along_rows, along_columns = (first_maximum(values, axis) for axis in (1, 0))
    assert np.asarray(along_rows).dtype == np.int32
    np.testing.assert_array_equal(along_rows, [1, 0, 1])
    np.testing.assert_array_equal(along_columns, [0, 0, 0, 0])


def test_a_compiled_function_reads_the_weights_that_a_layer_has_by_then():
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    layer.build((None, 2))
    total = jit(lambda x, y: layer(x) + y, layer)
    x = np.array([[1.0, 2.0]], np.float32)
    for weight in (1.0, 4.0):
        layer.kernel.assign(np.full((2, 1), weight))
        np.testing.assert_allclose(total(x, 10 * x), [[10 + 3 * weight, 20 + 3 * weight]])


def test_a_function_without_weights_is_compiled_alike():
    np.testing.assert_array_equal(jit(lambda x: x + 1)(np.zeros(2, np.float32)), [1, 1])


def test_unfused_changes_neither_values_nor_gradients():
    x = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)
    for context in (nullcontext(), fusing()):
        with context:
            value, (gradient,) = value_and_gradients(lambda x: keras.ops.sum(unfused(x) ** 2), x)
        assert value == 55
        np.testing.assert_array_equal(gradient, 2 * x)
