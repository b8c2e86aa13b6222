"""Training with less memory gives the same weights."""

import json

import keras
import numpy as np
import pytest
from command_line import data, run
from keras import ops

from keras_cornernet import backend
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.layers import Hourglass, Residual
from keras_cornernet.training import rematerialize

RNG = np.random.default_rng(0)
IMAGES, TARGETS = RNG.normal(size=(8, 32, 32, 8)), RNG.normal(size=(8, 16, 16, 1))


def small(block="basic"):
    """A stride, a shortcut and an hourglass."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 8))
    x = Residual(16, 2, block=block)(inputs)
    x = Hourglass((16, 16, 24), (1, 1, 1), block=block)(x)[-1]
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1)(x))
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    return model


def trained(model):
    history = model.fit(IMAGES, TARGETS, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return history["loss"], [ops.convert_to_numpy(variable.value) for variable in model.variables]


SLOW = [pytest.param(block, marks=pytest.mark.slow) for block in ("separable", "fire")]


@pytest.mark.parametrize("block", ["basic", "bottleneck", *SLOW])
def test_weights_and_statistics_are_the_same(block):
    losses, weights = trained(small(block))
    again = small(block)
    assert rematerialize(again) == 8
    losses_again, weights_again = trained(again)
    np.testing.assert_allclose(losses_again, losses, rtol=1e-4)
    for a, b in zip(weights, weights_again, strict=True):
        np.testing.assert_allclose(b, a, atol=2e-5)


def test_it_can_be_switched_off_and_changes_no_prediction():
    model = small()
    before = model.predict(IMAGES, verbose=0)
    rematerialize(model)
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), before)
    assert rematerialize(model, False) == 8
    assert not any(layer.recomputes for layer in model._flatten_layers() if isinstance(layer, Residual))


@pytest.mark.skipif(not backend.runs_on_jax(), reason="JAX tells what is kept for the gradients")
def test_less_is_kept_for_the_gradients():
    import jax

    def kept(on):
        model = small()
        rematerialize(model, on)
        others = [variable.value for variable in model.non_trainable_variables]

        def outputs(trainable):
            return model.stateless_call(trainable, others, IMAGES.astype("float32"), training=True)[0]

        trainable = [variable.value for variable in model.trainable_variables]
        leaves = jax.eval_shape(lambda values: jax.tree.leaves(jax.vjp(outputs, values)[1]), trainable)
        return sum(leaf.size for leaf in leaves) - sum(value.size for value in trainable)

    assert kept(True) < 0.6 * kept(False)


@pytest.mark.slow
def test_the_command_takes_it(tmp_path):
    make_scenes(tmp_path, 8, seed=1)
    done = run(
        *("train", "hourglass_phone", *data(tmp_path), "--epochs", 1, "--batch-size", 4, "--rematerialize"),
        *("--output", tmp_path / "run"),
    )
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "run/plan.json").read_text())["rematerialize"] is True
