"""Layers that stay as they are, accumulated gradients, and runs that end early."""

import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny import drawn_squares, tiny_trainer

from keras_cornernet.experiment.callbacks import EvaluateAndSave
from keras_cornernet.models import CornerNet
from keras_cornernet.training import TrainingConfig, make_optimizer
from keras_cornernet.training.freezing import freeze


def values(weights):
    return {weight.path: np.array(keras.ops.convert_to_numpy(weight)) for weight in weights}


def tiny_network(**settings):
    sizes = {"channels": (8, 8, 8), "num_blocks": (1, 1, 1), "stem": (4, 8), "pool_channels": 4}
    return CornerNet(2, **{"stacks": 1, **sizes, "head_channels": 4, **settings})


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("settings", [{}, {"upsampling": "transposed"}, {"stacks": 2}])
def test_the_first_layers_are_frozen(fraction, settings):
    network = tiny_network(**settings)
    total = sum(value.size for value in values(network.trainable_weights).values())
    frozen = freeze(network, fraction)
    left = values(network.trainable_weights)
    assert total - frozen == sum(value.size for value in left.values())
    assert frozen <= fraction * total and (fraction == 0) == (frozen == 0)
    assert frozen > fraction * total - 0.2 * total  # no layer is larger than that
    if fraction >= 0.5:
        assert not any("/down_" in path or "stem" in path for path in left if "hourglass_1" not in path)
    assert any("top_left_heatmap" in path for path in left)


def test_an_hourglass_lists_each_layer_once():
    hourglass = next(
        layer for layer in tiny_network(upsampling="transposed").layers if "hourglass" in layer.name
    )
    listed = [id(weight) for layer in hourglass.in_order for weight in layer.weights]
    assert sorted(listed) == sorted(id(weight) for weight in hourglass.weights)


@pytest.mark.slow
def test_frozen_layers_stay_in_training():
    trainer = tiny_trainer()
    freeze(trainer.network, 0.5)
    trained = {weight.path for weight in trainer.network.trainable_weights}
    before = values(trainer.network.weights)
    trainer.compile(optimizer=keras.optimizers.Adam(1e-2))
    trainer.fit(*drawn_squares(4), batch_size=4, epochs=2, verbose=0)
    for path, value in values(trainer.network.weights).items():
        frozen_norm = "moving_" in path and path.rsplit("/", 1)[0] + "/gamma" not in trained
        stays = frozen_norm if "moving_" in path else path not in trained
        assert np.array_equal(value, before[path]) == stays, path


def test_accumulation_keeps_the_schedule():
    config = TrainingConfig(epochs=10, accumulate=4, learning_rate=0.02, warmup=0.0)
    optimizer = make_optimizer(config, steps_per_epoch=20)
    assert optimizer.gradient_accumulation_steps == 4
    assert float(optimizer._learning_rate(200)) == pytest.approx(0.02 * 0.01)  # Keras counts batches
    assert make_optimizer(TrainingConfig(), 20).gradient_accumulation_steps is None
    assert TrainingConfig(steps=100, accumulate=4).in_epochs(20).epochs == 20


@pytest.mark.slow
def test_accumulated_batches_are_one_larger_batch():
    """With frozen statistics, which are those of a batch; the loss is a mean over images of one kind each."""

    def after(accumulate, batch):
        keras.utils.set_random_seed(0)
        trainer = tiny_trainer()
        for layer in trainer.network._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
        settings = {"ema": 0.0, "clip_norm": None, "lr_decay_at": 0.99}  # one learning rate
        config = TrainingConfig(epochs=1, accumulate=accumulate, **settings)
        trainer.compile(make_optimizer(config, 4 // batch))
        images, annotations = drawn_squares(1)
        images = np.repeat(images, 4, axis=0)
        annotations = {name: np.repeat(value, 4, axis=0) for name, value in annotations.items()}
        trainer.loss_terms = type(trainer.loss_terms)(embedding_batch=1)
        trainer.fit(images, annotations, batch_size=batch, epochs=1, shuffle=False, verbose=0)
        return values(trainer.network.trainable_weights)

    for (path, ours), theirs in zip(after(4, 1).items(), after(1, 4).values(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4, err_msg=path)


@pytest.mark.parametrize(
    ("scores", "ends"),
    [
        ([0.1, 0.2, 0.3], False),
        ([0.3, 0.2], False),
        ([0.3, 0.2, 0.1], True),
        ([0.3, np.nan, 0.2], False),  # an epoch without a measurement
        ([0.3, 0.3, 0.3], True),
        ([0.1, 0.3, 0.2], False),
    ],
)
def test_a_run_ends_after_so_many_measurements_without_a_better_one(scores, ends):
    table = SimpleNamespace(curve=lambda name: scores[:-1])
    config = TrainingConfig(early_stopping=2)
    callback = SimpleNamespace(config=config, names=("AP",), table=table)
    row = {} if np.isnan(scores[-1]) else {"AP": scores[-1]}
    assert EvaluateAndSave._no_better(callback, row) is ends
    callback.config = TrainingConfig()
    assert not EvaluateAndSave._no_better(callback, row)


@pytest.mark.parametrize(
    ("field", "value"), [("accumulate", 0), ("freeze", 1.0), ("freeze", -0.1), ("early_stopping", 0)]
)
def test_settings_are_checked(field, value):
    with pytest.raises(ValueError, match=field):
        TrainingConfig(**{field: value})


@pytest.mark.slow
def test_single_batches_can_be_trained_on():
    trainer = tiny_trainer()
    trainer.compile(optimizer=keras.optimizers.Adam(1e-2))
    losses = [trainer.train_on_batch(*drawn_squares(2), return_dict=True)["loss"] for _ in range(3)]
    assert np.isfinite(losses).all() and losses[2] < losses[0]
