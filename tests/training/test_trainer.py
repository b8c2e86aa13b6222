"""The trainer under Keras' own `fit`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from tiny import SIZE, drawn_squares, plain_trainer, tiny_trainer

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.body import normalize
from keras_cornernet.models.network import Network
from keras_cornernet.presets import from_preset, make_trainer, save_model
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample
from keras_cornernet.training import Trainer


def weights_of(trainer):
    return [np.array(w) for w in trainer.network.weights]


def fit(trainer, epochs=1, batch_size=2, data=None, **kwargs):
    images, annotations = data or drawn_squares()
    return trainer.fit(
        images, annotations, batch_size=batch_size, epochs=epochs, verbose=0, shuffle=False, **kwargs
    ).history


@pytest.mark.slow
def test_terms_are_reported_and_add_up_to_the_loss():
    trainer = tiny_trainer(stacks=2)
    trainer.compile(optimizer=keras.optimizers.SGD(1e-3), run_eagerly=True)
    history = fit(trainer, validation_data=drawn_squares(2, seed=1), validation_batch_size=2)
    terms = ("focal", "pull", "push", "offset")
    assert set(history) == {*terms, "loss", *(f"val_{t}" for t in terms), "val_loss"}
    assert np.isclose(sum(history[t][0] for t in terms), history["loss"][0], rtol=1e-5)
    assert np.isclose(sum(history[f"val_{t}"][0] for t in terms), history["val_loss"][0], rtol=1e-5)


@pytest.mark.slow
def test_overfits_four_drawn_squares():
    keras.utils.set_random_seed(0)
    trainer = tiny_trainer()
    trainer.compile(optimizer=keras.optimizers.Adam(3e-3))
    images, annotations = drawn_squares(4)
    history = fit(trainer, epochs=150, batch_size=4, data=(images, annotations))
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    decoded = trainer.codec.decode(trainer.network(images, training=True), SIZE)
    boxes, scores, labels = (keras.ops.convert_to_numpy(part) for part in decoded[:3])
    for i in range(4):
        best = scores[i] > 0.5
        assert best.sum() == 2
        truth = annotations["boxes"][i, :2]
        for box, label in zip(boxes[i][best], labels[i][best], strict=True):
            nearest = np.abs(truth - box).max(1).argmin()
            assert np.abs(truth[nearest] - box).max() < 2.0
            assert annotations["labels"][i, nearest] == label


@pytest.mark.parametrize("objects", [0, 1])
def test_batch_of_one_and_few_objects_are_sound(objects):
    trainer = plain_trainer()
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3), run_eagerly=True)
    images, annotations = drawn_squares(1, objects=max(objects, 1))
    if objects == 0:
        annotations["labels"][:] = -1
    history = fit(trainer, batch_size=1, data=(images, annotations))
    assert all(np.isfinite(v[0]) for v in history.values())
    assert all(np.isfinite(w).all() for w in weights_of(trainer))
    # One object alone has a constant push of 0.9999, none has 0; the weight is 0.1.
    assert np.isclose(history["push"][0], 0.09999 * objects, atol=1e-4)


def test_ignored_objects_teach_nothing():
    trainer = tiny_trainer()
    images, annotations = drawn_squares(2)
    outputs = trainer.network(images)
    ignore = np.zeros(annotations["labels"].shape, bool)
    ignore[:, 0] = True
    with_ignored = trainer.codec.encode({**annotations, "ignore": ignore}, SIZE, (16, 16))
    terms = trainer.loss_terms(with_ignored, outputs)
    hidden = keras.ops.convert_to_numpy(with_ignored["heatmap_mask"]) == 0
    assert hidden.any() and not hidden.all()
    changed = [
        {
            branch: {
                **{k: keras.ops.convert_to_numpy(v) for k, v in heads.items()},
                "heatmap": np.where(hidden, 9.0, keras.ops.convert_to_numpy(heads["heatmap"])),
            }
            for branch, heads in stack.items()
        }
        for stack in outputs
    ]
    for name, value in trainer.loss_terms(with_ignored, changed).items():
        assert np.isclose(float(value), float(terms[name]), rtol=1e-5), name


def test_bad_loss_stops_the_run_and_names_the_term():
    trainer = plain_trainer()
    trainer.compile(optimizer=keras.optimizers.SGD(1e-3), run_eagerly=True)
    offset = next(w for w in trainer.network.weights if w.path.endswith("top_left_offset_0/last/bias"))
    offset.assign([np.nan, 0.0])
    with pytest.raises(FloatingPointError, match=r"step 1 .*in the term\(s\) offset\."):
        fit(trainer)


@pytest.mark.slow
def test_clipping_averages_and_accumulation_work_together():
    trainer = plain_trainer()
    trainer.compile(
        optimizer=keras.optimizers.Adam(
            1e-3, global_clipnorm=1.0, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2
        )
    )
    before = weights_of(trainer)
    history = fit(trainer, epochs=2)
    assert int(trainer.optimizer.iterations) == 2  # four batches, two updates
    assert np.isfinite(history["loss"]).all()
    assert any(np.abs(a - b).max() > 1e-5 for a, b in zip(before, weights_of(trainer), strict=True))


@pytest.mark.parametrize("argument", ["x", "validation_data"])
def test_data_with_other_classes_than_the_network_are_refused(argument, tmp_path):
    pytest.importorskip("tensorflow")
    from keras_cornernet.data.pipeline import make_dataset

    path = tmp_path / "0.png"
    Image.new("RGB", SIZE[::-1]).save(path)
    boxes = Boxes(np.float32([[4, 4, 30, 30]]), np.int32([0]), np.zeros(1, bool))

    def dataset(*names):
        categories = Categories(names, tuple(range(len(names))))
        # Two, since oneDNN corrupts memory in the gradient of some convolutions of one image with AVX-512.
        samples = (Sample(str(path), 0, SIZE, boxes),) * 2
        return make_dataset(DetectionDataset(samples, categories), SIZE, batch_size=2)

    trainer = tiny_trainer()
    trainer.compile(optimizer=keras.optimizers.SGD(1e-3), run_eagerly=True)
    fine = {"x": dataset("cat", "dog"), "validation_data": dataset("cat", "dog")}
    trainer.fit(**fine, verbose=0)
    with pytest.raises(
        ValueError,
        match=f"{argument} must have the 2 classes or joints of the network, but has 3: cat, dog, horse",
    ):
        trainer.fit(**{**fine, argument: dataset("cat", "dog", "horse")}, verbose=0)


@pytest.fixture
def under():
    """Sets the global policy of precision, and afterwards what it was before."""
    previous = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(previous)


@pytest.mark.parametrize("policy", [pytest.param("mixed_float16", marks=pytest.mark.slow), "mixed_bfloat16"])
def test_mixed_precision(policy, under):
    under(policy)
    trainer = plain_trainer()
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3))
    history = fit(trainer)
    outputs = trainer.network(drawn_squares(1)[0])
    assert np.isfinite(history["loss"]).all()
    for heads in outputs[-1].values():
        for value in heads.values():
            assert keras.backend.standardize_dtype(value.dtype) == "float32"


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_in_mixed_precision_images_are_normalized_as_they_are(policy, under):
    under(policy)
    images = keras.Input((*SIZE, 3))
    shown = normalize(images, mean=(0, 0, 0), std=(1 / 255,) * 3)  # which leaves them as they are
    maps = keras.layers.Conv2D(2, 1)(shown)
    network = Network(images, [{"top_left": {"heatmap": shown, "offset": maps}}], name="plain")
    trainer = Trainer(network, CornerCodec(2), DetectionLoss())
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3))
    batch = np.full((1, *SIZE, 3), (200.3, 201.7, 0.3), np.float32)
    outputs = trainer(keras.ops.convert_to_tensor(batch))[-1]["top_left"]
    np.testing.assert_allclose(outputs["heatmap"], batch, rtol=1e-6)
    assert keras.backend.standardize_dtype(outputs["offset"].dtype) == policy.removeprefix("mixed_")
    scaled = isinstance(trainer.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")


@pytest.mark.slow
def test_a_checkpoint_is_a_model_as_save_model_writes_it(tmp_path):
    codec, settings = CornerCodec(2, top_k=7, num_detections=9), InferenceConfig(size_divisor=16, flip=False)
    network = tiny_trainer().network
    network.metadata = {"preset": "cornernet_small"}
    detector = Detector(network, codec, Categories(("full", "hollow"), (3, 8)), settings)
    trainer = make_trainer(detector)
    # Step by step on TensorFlow, whose graph takes longer than this step; JAX would compile each operation.
    trainer.compile(
        optimizer=keras.optimizers.Adam(1e-2), run_eagerly=keras.backend.backend() == "tensorflow"
    )
    checkpoint = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.keras", monitor="loss", save_best_only=True
    )
    fit(trainer, data=drawn_squares(2), callbacks=[checkpoint])
    save_model(detector, tmp_path / "last.keras")
    written = [from_preset(tmp_path / name) for name in ("1.keras", "last.keras")]
    for model in written:
        assert (model.codec, model.settings, model.categories) == (codec, settings, detector.categories)
    one, other = (model.network for model in written)
    assert one.get_config() == other.get_config() and one.metadata["preset"] == "cornernet_small"
    for weight, same, trained in zip(one.weights, other.weights, network.weights, strict=True):
        np.testing.assert_array_equal(weight, same)
        np.testing.assert_array_equal(weight, trained)


@pytest.mark.slow
def test_backup_and_restore_continues_to_the_bit(tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def run(*callbacks):
        keras.utils.set_random_seed(3)
        trainer = plain_trainer()
        trainer.compile(optimizer=keras.optimizers.Adam(1e-3, use_ema=True))
        try:
            fit(trainer, epochs=4, callbacks=list(callbacks))
        except KeyboardInterrupt:
            return None
        return weights_of(trainer)

    whole = run()
    assert run(keras.callbacks.BackupAndRestore(tmp_path / "backup"), Interrupt()) is None
    resumed = run(keras.callbacks.BackupAndRestore(tmp_path / "backup"))
    assert all(np.array_equal(a, b) for a, b in zip(whole, resumed, strict=True))


REPLICAS = """
import json, os, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import keras, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tiny import drawn_squares, plain_trainer

images, annotations = drawn_squares(8, objects=3)
annotations["labels"][::3, 1:] = -1  # replicas with different numbers of objects
dataset = tf.data.Dataset.from_tensor_slices((images, annotations)).batch(4)

def run(strategy, starts=None):
    # Four steps; with `starts`, each from the given weights. Returns the weights before and after each step.
    # One device runs step by step, which spares the minute that its graph takes.
    keras.utils.set_random_seed(0)
    with strategy.scope():
        trainer = plain_trainer()
        trainer.compile(optimizer=keras.optimizers.SGD(0.01), run_eagerly=starts is None)
    before, after = [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if starts:
                for variable, value in zip(trainer.network.weights, starts[len(before)]):
                    variable.assign(value)
            before.append([w.numpy() for w in trainer.network.weights])

        def on_train_batch_end(self, batch, logs=None):
            after.append([w.numpy() for w in trainer.network.weights])

    history = trainer.fit(dataset, epochs=2, verbose=0, callbacks=[Watch()]).history
    return before, after, history

starts, one, history_one = run(tf.distribute.get_strategy())
_, two, history_two = run(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), starts)
print(json.dumps({
    "steps": len(two),
    "weights": max(float(np.abs(a - b).max()) for x, y in zip(one, two) for a, b in zip(x, y)),
    "moved": max(float(np.abs(a - b).max()) for x, y in zip(one, starts) for a, b in zip(x, y)),
    "reported": max(abs(x - y) / abs(x) for k in history_one for x, y in zip(history_one[k], history_two[k])),
}))
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute belongs to TensorFlow")
def test_two_replicas_train_as_one_device():
    # Each step starts from the same weights: at this learning rate rounding grows tenfold and more with every
    # step, and one device whose weights are changed by 1e-7 of themselves ends 0.02 away from itself.
    run = subprocess.run(
        [sys.executable, "-c", REPLICAS, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    difference = json.loads(run.stdout.strip().splitlines()[-1])
    assert difference["steps"] == 4 and difference["moved"] > 0.01, difference
    assert difference["weights"] < 1e-4 * difference["moved"], difference
    assert difference["reported"] < 1e-5, difference
