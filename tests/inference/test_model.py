"""What `from_preset` returns: compile, fit, evaluate, predict, export, save, and its one line."""

import keras
import numpy as np
import pytest
from PIL import Image

import keras_cornernet as kc
from keras_cornernet.codecs import CornerCodec
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.models import CornerNet
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

pytest.importorskip("tensorflow")
SIZE = (64, 64)
TINY = {"stacks": 1, "channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8)}
HEADS = {"pool_channels": 4, "head_channels": 8, "head_kernel_size": 1}


@pytest.fixture
def squares(tmp_path):
    """Four images of a bright square each."""
    samples = []
    for i in range(4):
        image = np.full((*SIZE, 3), 30, np.uint8)
        x, y = 5 + 6 * i, 30 - 5 * i
        image[y : y + 20, x : x + 20] = 220
        Image.fromarray(image).save(tmp_path / f"{i}.png")
        boxes = Boxes(np.float32([[x, y, x + 20, y + 20]]), np.zeros(1, np.int32), np.zeros(1, bool))
        samples.append(Sample(str(tmp_path / f"{i}.png"), i, SIZE, boxes))
    return DetectionDataset(tuple(samples), Categories.of(["square"]))


@pytest.fixture
def detector():
    keras.utils.set_random_seed(0)
    settings = InferenceConfig(input_size=SIZE, flip=False)
    codec = CornerCodec(1, top_k=20, num_detections=20)
    return Detector(CornerNet(1, **TINY, **HEADS, name="tiny"), codec, Categories.of(["square"]), settings)


@pytest.mark.slow
def test_its_life(detector, squares, tmp_path):
    """Fitted with a validation set, evaluated, saved and opened again."""
    before = np.array(detector.network.weights[0])
    detector.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    history = detector.fit(
        squares,
        validation_data=squares,
        epochs=2,
        batch_size=4,
        evaluate_every=2,
        augmentation=None,
        verbose=0,
    ).history
    assert {"loss", "focal", "pull", "push", "offset"} <= set(history)
    assert len(history["val_AP"]) == 1 and np.abs(before - detector.network.weights[0]).max() > 0
    result = detector.evaluate(squares)
    assert result.headline["AP"] == pytest.approx(history["val_AP"][0]) and "Average Precision" in str(result)
    opened = kc.from_preset(detector.save(tmp_path / "mine.keras"))
    assert repr(opened) == repr(detector)
    ours, theirs = (model.predict(squares.paths[0], min_score=0)[0] for model in (detector, opened))
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-6)


def test_it_says_in_one_line_what_it_is(detector):
    assert repr(detector) == "Detector(tiny: CornerNet, 0.0 M parameters, input 64x64, 1 classes: square)"


def test_an_augmentation_is_any_object_that_draws(detector, squares):
    from keras_cornernet.preprocessing import fit_view

    class Plain:
        jitter, lighting, min_visible, calls = 0.0, 0.0, 0.0, 0

        def draw(self, image_size, input_size, rng, boxes=None):
            self.calls += 1
            return fit_view(image_size, input_size)

    plain = Plain()
    detector.compile(run_eagerly=True)
    detector.fit(squares, batch_size=4, augmentation=plain, verbose=0)
    assert plain.calls >= 4


def test_data_of_other_classes_is_refused(detector, squares):
    cats = squares.replace(categories=Categories.of(["cat"]))
    for options in ({"dataset": cats}, {"dataset": squares, "validation_data": cats}):
        with pytest.raises(
            ValueError, match=r"the data has cat, and the model square: from_preset\(\.\.\., categor"
        ):
            detector.fit(**options)
    with pytest.raises(ValueError, match="augmentation must be one of 'default', 'photos', or in Python an"):
        detector.fit(squares, augmentation="strong")


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # the loss is of the top-left offsets alone
def test_a_loss_of_ones_own(detector, squares):
    class Loss:
        names = ("offset",)

        def __call__(self, targets, outputs):
            return {"offset": 7.0 + 0.0 * keras.ops.sum(outputs[-1]["top_left"]["offset"])}

    detector.compile(loss=Loss(), run_eagerly=True)
    assert detector.fit(squares, batch_size=4, augmentation=None, verbose=0).history["loss"] == [7.0]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a tf.data pipeline is changed")
def test_sample_weights_weigh_the_loss(detector, squares):
    import tensorflow as tf

    plain = kc.make_dataset(squares, SIZE, batch_size=4)
    detector.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    (loss,) = detector.fit(plain, verbose=0).history["loss"]
    for weight, factor in (([1.0] * 4, 1), ([100.0] * 4, 100), ([[0.0]] * 4, 0)):
        weighted = plain.map(lambda x, y, weight=weight: (x, y, tf.constant(weight)))
        assert detector.fit(weighted, verbose=0).history["loss"] == [pytest.approx(factor * loss, rel=1e-4)]
    wrong = plain.map(lambda x, y: (x, y, tf.ones((4, 3))))
    with pytest.raises(ValueError, match="one number for each image, not of the shape"):
        detector.fit(wrong, verbose=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a tf.data pipeline is changed")
def test_a_loss_that_takes_no_sample_weights_is_refused(detector, squares):
    import tensorflow as tf

    class Loss:
        names = ("offset",)

        def __call__(self, targets, outputs):
            return {"offset": 0.0 * keras.ops.sum(outputs[-1]["top_left"]["offset"])}

    detector.compile(loss=Loss(), run_eagerly=True)
    weighted = kc.make_dataset(squares, SIZE, batch_size=4).map(lambda x, y: (x, y, tf.ones(4)))
    with pytest.raises(ValueError, match="the loss Loss does not take them"):
        detector.fit(weighted, verbose=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a tf.data pipeline is changed")
def test_epochs_and_names_are_found_behind_prefetch(detector, squares):
    dataset = kc.make_dataset(squares, SIZE, batch_size=4)
    detector.compile(run_eagerly=True)
    detector.fit(dataset.map(lambda x, y: (x, y)).prefetch(1), epochs=5, initial_epoch=3, verbose=0)
    assert (dataset.epochs.total, dataset.epochs.current) == (5, 5)
    other = kc.from_preset("cornernet_squeeze_small", categories=["a", "b", "c"])
    with pytest.raises(ValueError, match="x must have the 3 classes or joints of the network"):
        other.fit(dataset.prefetch(1), verbose=0)


@pytest.mark.slow
def test_the_callback_joins_kerass_own(detector, squares, tmp_path):
    detector.compile(keras.optimizers.Adam(1e-3, use_ema=True), run_eagerly=True)
    measure = kc.EvaluationCallback(detector, squares)
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="val_AP", mode="max", save_best_only=True
    )
    dataset = kc.make_dataset(squares, SIZE, batch_size=4)
    history = detector.trainer.fit(dataset, epochs=2, callbacks=[measure, best], verbose=0).history
    assert len(history["val_AP50"]) == 2 and measure.result.headline["AP50"] == history["val_AP50"][-1]
    assert kc.from_preset(tmp_path / "best.keras").categories == detector.categories
    with pytest.raises(ValueError, match="every must be at least 1, not 0"):
        kc.EvaluationCallback(detector, squares, every=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "format"), [("m.tflite", None), ("m", "savedmodel"), ("m.onnx", None), ("m.xml", "openvino")]
)
def test_export_chooses_by_suffix_or_name(detector, tmp_path, path, format):
    written = detector.export(tmp_path / path, format)
    assert written.path.exists()
    assert kc.export.load(written.path).categories == detector.categories


def test_an_unknown_format_is_named(detector, tmp_path):
    with pytest.raises(
        ValueError, match=r"format must be one of savedmodel, tflite, onnx, openvino, not None"
    ):
        detector.export(tmp_path / "m.pt")
