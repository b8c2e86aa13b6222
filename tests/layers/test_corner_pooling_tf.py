"""Corner pooling where only TensorFlow goes: `tf.scan`, sizes unknown when traced, and TFLite."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("tests the TensorFlow graph", allow_module_level=True)

import tensorflow as tf

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    Interpreter = tf.lite.Interpreter

from keras_cornernet.layers.corner_pooling import (
    BottomPool,
    BottomRightPool,
    LeftPool,
    RightPool,
    TopLeftPool,
    TopPool,
)

# Axis and direction that the user's card gives each pool in terms of `tf.scan`.
POOLS = {TopPool: (1, True), LeftPool: (2, True), BottomPool: (1, False), RightPool: (2, False)}


def scan_reference(x, axis, reverse):
    """The form on the card: `tf.scan(tf.maximum, ...)` over the rows or columns."""
    rows = tf.scan(tf.maximum, tf.experimental.numpy.moveaxis(x, axis, 0), reverse=reverse)
    return tf.experimental.numpy.moveaxis(rows, 0, axis)


def value_and_gradient(function, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x, upstream)


def loops(function, *specs):
    """How many loops the traced graph holds."""
    operations = function.get_concrete_function(*specs).graph.get_operations()
    return sum(operation.type in ("While", "StatelessWhile") for operation in operations)


@pytest.fixture(scope="module")
def maps():
    """Maps with ties, and gradients to send into them."""
    generator = np.random.default_rng(0)
    return [tf.constant(generator.integers(0, 5, (2, 7, 9, 3)).astype("float32")) for _ in range(2)]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("how", ["eager", "function", "unknown size", "xla"])
def test_values_and_gradients_equal_tf_scan(pool, how, maps):
    layer = pool()

    def run(x, upstream):
        return value_and_gradient(layer, x, upstream)

    if how == "unknown size":
        run = tf.function(run, input_signature=[tf.TensorSpec((None, None, None, 3))] * 2)
        assert loops(run) == 2
    elif how != "eager":
        run = tf.function(run, jit_compile=how == "xla")
        assert loops(run, *maps) == 0
    expected = value_and_gradient(lambda x: scan_reference(x, *POOLS[pool]), *maps)
    for result, reference in zip(run(*maps), expected, strict=True):
        np.testing.assert_array_equal(result, reference)


def test_xla_takes_a_size_unknown_when_traced(maps):
    layer = TopPool()
    unknown = [tf.TensorSpec((None, None, None, 3))] * 2
    run = tf.function(lambda x, upstream: value_and_gradient(layer, x, upstream), unknown, jit_compile=True)
    for result, reference in zip(run(*maps), value_and_gradient(layer, *maps), strict=True):
        np.testing.assert_array_equal(result, reference)


def any_size_model():
    inputs = keras.Input((None, None, 3))
    corners = [TopLeftPool()([inputs, -inputs]), BottomRightPool()([-inputs, inputs])]
    return keras.Model(inputs, keras.layers.Add()(corners))


def test_a_model_for_any_size_takes_the_fast_form_once_the_size_is_known(maps):
    model, (x, _) = any_size_model(), maps
    call = tf.function(lambda x: model(x))
    assert loops(call, tf.TensorSpec((2, 7, 9, 3))) == 0
    assert loops(call, tf.TensorSpec((None, 7, 9, 3))) == 0
    assert loops(call, tf.TensorSpec((2, None, 9, 3))) == 2
    assert loops(call, tf.TensorSpec((None, None, None, 3))) == 4
    slow = call.get_concrete_function(tf.TensorSpec((None, None, None, 3)))(x)
    np.testing.assert_array_equal(slow, model(x))
    np.testing.assert_array_equal(call(x), model(x))


def test_tflite_runs_a_dynamic_batch_with_builtin_operators_only(maps):
    model, (x, _) = any_size_model(), maps
    call = tf.function(lambda x: model(x), input_signature=[tf.TensorSpec((None, 7, 9, 3), name="x")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call.get_concrete_function()], model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    run = Interpreter(model_content=converter.convert()).get_signature_runner()
    for batch in (1, 2):
        (result,) = run(x=x[:batch].numpy()).values()
        np.testing.assert_array_equal(result, model(x[:batch]))


def test_the_gradient_of_an_infinite_upstream_stays_in_its_column():
    """Loss scaling in float16 looks for infinite gradients: other columns must not turn NaN."""
    x, upstream = tf.zeros((1, 3, 2, 1)), tf.constant([[1.0, np.inf], [1, 1], [1, 1]])[None, :, :, None]
    gradient = value_and_gradient(TopPool(), x, upstream)[1].numpy()[0, :, :, 0]
    assert gradient[:, 0].tolist() == [0, 0, 3] and not np.isfinite(gradient[:, 1]).all()
