"""A backbone of one's own under the heads of the detectors."""

import keras
import numpy as np
import pytest

from keras_cornernet.codecs import CenterCodec, CornerCodec
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.models import CenterNet, CentripetalNet, CornerNet, CornerNetSaccade, ObjectsAsPoints
from keras_cornernet.structures import Categories

HEADS = {"head_channels": 6, "head_kernel_size": 1}
POOLED = {"pool_channels": 4}
FAMILIES = {CornerNet: POOLED, CenterNet: POOLED, CentripetalNet: POOLED, ObjectsAsPoints: {}}


def backbone(input_size=(None, None), channels=8):
    """Four convolutions, with BatchNorm and a scaling of their own; a grid of an eighth."""
    images = keras.Input((*input_size, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    for _ in range(3):
        x = keras.layers.Conv2D(channels, 3, 2, padding="same", activation="relu")(x)
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(channels, 1)(x))
    return keras.Model(images, x, name="four_convolutions")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0, 255, (1, 48, 64, 3)).astype(np.float32)


@pytest.mark.parametrize("family", FAMILIES)
def test_heads_sit_on_its_feature_map(family, images):
    network = family(3, backbone=backbone(), **HEADS, **FAMILIES[family])
    assert (network.stride, network.size_divisor) == (8, 8)
    network.check_input_size((40, 72))
    (outputs,) = network(images)
    assert all(tuple(branch["heatmap"].shape) == (1, 6, 8, 3) for branch in outputs.values())
    assert not any(layer.name.startswith(("hourglass", "stem")) for layer in network.layers)


def test_it_is_saved_and_loaded_with_the_network(images, tmp_path):
    network = ObjectsAsPoints(2, backbone=backbone(), **HEADS)
    for weight in network.weights:
        weight.assign(np.random.default_rng(1).uniform(0.1, 1, weight.shape))
    network.save(tmp_path / "own.keras")
    loaded = keras.saving.load_model(tmp_path / "own.keras", safe_mode=True)
    assert [w.path for w in loaded.weights] == [w.path for w in network.weights]
    assert len(loaded.weights) == 8 + 4 + 3 * 4  # convolutions, BatchNorm, three heads
    pairs = zip(keras.tree.flatten(network(images)), keras.tree.flatten(loaded(images)), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_another_number_of_classes_keeps_it():
    own = backbone()
    network = CornerNet(2, backbone=own, pool_channels=4, **HEADS)
    other, fresh = network.with_num_classes(5)
    assert all("_heatmap_" in path for path in fresh)
    assert other.config.backbone is not own
    for ours, theirs in zip(own.weights, other.config.backbone.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_a_detector_predicts_with_it():
    network = ObjectsAsPoints(2, backbone=backbone(), **HEADS)
    detector = Detector(
        network,
        CenterCodec(2),
        Categories(("a", "b"), (1, 2)),
        InferenceConfig(input_size=(48, 64), method="none"),
    )
    (found,) = detector.predict(np.zeros((30, 40, 3), np.uint8), min_score=0)
    assert len(found.boxes) > 0


def test_it_learns(images):
    from keras_cornernet.losses import DetectionLoss
    from keras_cornernet.training import Trainer

    network = CornerNet(2, backbone=backbone((48, 64)), pool_channels=4, **HEADS)
    before = np.array(network.config.backbone.trainable_weights[0])
    trainer = Trainer(network, CornerCodec(2), DetectionLoss())
    trainer.compile(
        optimizer=keras.optimizers.Adam(1e-2), run_eagerly=keras.backend.backend() == "tensorflow"
    )
    annotations = {"boxes": np.array([[[8, 8, 40, 40]]], np.float32), "labels": np.zeros((1, 1), np.int32)}
    trainer.fit(images, annotations, batch_size=1, verbose=0)
    assert not np.array_equal(before, np.array(network.config.backbone.trainable_weights[0]))


@pytest.mark.parametrize(
    ("family", "given", "message"),
    [
        (CornerNet, "resnet", "backbone must be a functional keras.Model .*, not 'resnet'"),
        (CornerNet, keras.Sequential([keras.layers.Flatten()]), "backbone must be a functional keras.Model"),
        (CornerNetSaccade, backbone(), "backbone must be None: attention maps"),
    ],
)
def test_what_is_no_backbone_is_named(family, given, message):
    with pytest.raises(ValueError, match=message):
        family(2, backbone=given, **HEADS)
