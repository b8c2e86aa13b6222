"""Training with a dataset on the device: blocks of steps, and learning rates that are set between them."""

import keras
import numpy as np
import pytest
from PIL import Image
from tiny import SIZE, plain_trainer

from keras_cornernet.data.augmentation import SmallDataAugmentation
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

ON_JAX = keras.backend.backend() == "jax"


@pytest.fixture
def squares(tmp_path):
    rng = np.random.default_rng(0)
    samples = []
    for i in range(10):
        image = np.full((*SIZE, 3), 40, np.uint8)
        x, y = rng.integers(2, 30, 2)
        image[y : y + 24, x : x + 24] = 220
        Image.fromarray(image).save(tmp_path / f"{i}.png")
        boxes = Boxes(np.array([[x, y, x + 24, y + 24]], np.float32), np.array([i % 2]), np.zeros(1, bool))
        samples.append(Sample(str(tmp_path / f"{i}.png"), i, SIZE, boxes))
    return DetectionDataset(tuple(samples), Categories(("one", "two"), (1, 2)))


def fitted(squares, pipeline, steps=None, epochs=3, callbacks=(), **options):
    keras.utils.set_random_seed(0)
    trainer = plain_trainer()
    trainer.compile(keras.optimizers.SGD(1e-3, use_ema=True, ema_momentum=0.5))
    dataset = make_dataset(
        squares,
        SIZE,
        batch_size=2,
        augmentation=SmallDataAugmentation(),
        shuffle=True,
        seed=3,
        pipeline=pipeline,
        steps_per_launch=steps,
    )
    history = trainer.fit(dataset, epochs=epochs, verbose=0, callbacks=list(callbacks), **options)
    return trainer, history.history


@pytest.mark.slow
def test_the_device_trains_as_the_host_does(squares):
    (host, expected), (device, found) = fitted(squares, "host"), fitted(squares, "device")
    assert found.keys() == expected.keys()
    for name in expected:
        # Pixels differ by the rounding of OpenCV's weights.
        np.testing.assert_allclose(found[name], expected[name], rtol=0.02, atol=1e-3, err_msg=name)
    for one, other in zip(device.network.weights, host.network.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02, err_msg=one.path)


@pytest.mark.skipif(not ON_JAX, reason="TensorFlow takes one step a launch")
@pytest.mark.parametrize("steps", [2, 5])
def test_several_steps_a_launch_change_nothing(squares, steps):
    (single, expected), (several, found) = fitted(squares, "device", 1), fitted(squares, "device", steps)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, err_msg=name)
    for one, other in zip(several.network.weights, single.network.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, err_msg=one.path)
    assert int(several.optimizer.iterations) == int(single.optimizer.iterations) == 15


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_was(squares, tmp_path):
    _, expected = fitted(squares, "device", epochs=4)

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def backup():
        return keras.callbacks.BackupAndRestore(str(tmp_path / "backup"), delete_checkpoint=False)

    with pytest.raises(KeyboardInterrupt):
        fitted(squares, "device", epochs=4, callbacks=[backup(), Interrupt()])
    _, rest = fitted(squares, "device", epochs=4, callbacks=[backup()])
    assert len(rest["loss"]) == 2
    np.testing.assert_allclose(rest["loss"], expected["loss"][2:], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["host", "device"])
def test_the_learning_rate_is_set_between_batches(squares, pipeline):
    class Stop(keras.callbacks.Callback):
        """From the third batch on nothing changes any more."""

        def on_train_batch_begin(self, batch, logs=None):
            self.model.set_learning_rate(0.0 if batch >= 2 else 0.01)

    trainer, _ = fitted(squares, pipeline, 1, epochs=1, callbacks=[Stop()])
    shorter, _ = fitted(squares, pipeline, 1, epochs=1, callbacks=[Stop()], steps_per_epoch=2)
    own = {weight.path: np.asarray(weight) for weight in shorter.network.trainable_variables}
    average = [np.asarray(v) for v in trainer.network.trainable_variables]
    for weight, value in zip(trainer.network.trainable_variables, average, strict=True):
        # Averages approach the weights of the second step.
        np.testing.assert_allclose(value, own[weight.path], atol=0.02)
    assert float(keras.ops.convert_to_numpy(trainer.optimizer.learning_rate)) == 0.0


def test_a_schedule_cannot_be_overruled(squares):
    trainer = plain_trainer()
    trainer.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)))
    dataset = make_dataset(squares, SIZE, batch_size=2, pipeline="device")

    class Set(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.set_learning_rate(0.1)

    with pytest.raises(ValueError, match="schedule"):
        trainer.fit(dataset, verbose=0, callbacks=[Set()])
