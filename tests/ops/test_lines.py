"""The maximum of whole lines, and where its gradient goes."""

import keras
import numpy as np
import pytest
from gradients import numeric_gradients, value_and_gradients

from keras_cornernet.ops.lines import line_maximum


@pytest.mark.parametrize("axis", [1, 2])
def test_values_and_gradient(axis):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 4, 5, 3)), rng.normal(size=(2, 4, 5, 3))

    def weighted(x):
        return keras.ops.sum(line_maximum(x, axis) * weight.astype(np.float32))

    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(line_maximum(x.astype(np.float32), axis)),
        x.astype(np.float32).max(axis, keepdims=True),
    )
    _, (found,) = value_and_gradients(weighted, x)
    (expected,) = numeric_gradients(lambda x: (x.max(axis, keepdims=True) * weight).sum(), x)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_among_equal_values_the_last_takes_the_gradient():
    x = np.array([[0, 7, 2], [3, 7, 1], [3, 0, 2]], np.float32)[None, :, :, None]
    for axis, expected in ((1, [[0, 0, 0], [0, 1, 0], [1, 0, 1]]), (2, [[0, 1, 0], [0, 1, 0], [1, 0, 0]])):
        _, (found,) = value_and_gradients(lambda x, axis=axis: keras.ops.sum(line_maximum(x, axis)), x)
        assert found[0, :, :, 0].tolist() == expected


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX always compiles")
def test_xla_knows_the_gradient():
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)

    @tf.function(jit_compile=True)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = line_maximum(x, 1) + line_maximum(x, 2)
        return tape.gradient(y, x)

    # Each of 4 x 5 sums has two maxima, each of which takes one whole unit from every cell of its line.
    np.testing.assert_allclose(gradient(tf.constant(x)).numpy().sum((1, 2)), 2 * 4 * 5)


def test_another_axis_is_named():
    with pytest.raises(ValueError, match="axis 1 .columns. or 2 .rows., got axis=3"):
        line_maximum(np.zeros((1, 2, 2, 1), np.float32), 3)
