"""Presets: what `from_preset` builds and loads, and what a saved detector brings back."""

import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_cornernet import presets
from keras_cornernet.codecs import (
    CenterCodec,
    CentripetalCodec,
    CornerCodec,
    KeypointCodec,
    SaccadeCodec,
    TripletCodec,
)
from keras_cornernet.conversion.name_maps import LAYOUTS
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.pose_augmentation import PHOTO_POSES
from keras_cornernet.inference import Detector, InferenceConfig, PoseEstimator, SaccadeConfig, SaccadeDetector
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import (
    CenterNet,
    CentripetalNet,
    CornerNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    LegacyStackedHourglass,
    ObjectsAsPoints,
    StackedHourglass,
)
from keras_cornernet.models.network import Network
from keras_cornernet.presets.families import family_of
from keras_cornernet.presets.papers import PAPERS
from keras_cornernet.skeletons import FLIC, LSP, MPII
from keras_cornernet.structures import Categories
from keras_cornernet.tasks import task_of

LAYOUT_OF = {layout.network: layout for layout in reversed(LAYOUTS)}
SHIPPED = [name for name, preset in presets.PRESETS.items() if preset.weights is not None]


def tiny(num_classes=2) -> CornerNet:
    sizes = {
        "channels": (8, 12),
        "num_blocks": (1, 1),
        "stem": (4, 8),
        "pool_channels": 4,
        "head_channels": 8,
    }
    return CornerNet(num_classes, stacks=1, head_kernel_size=1, embedding_cells=2.0, **sizes)


@pytest.fixture
def saved(tmp_path):
    network = tiny()
    network.metadata = {"preset": "cornernet_small"}
    codec = CornerCodec(2, top_k=7, num_detections=9, embedding_threshold=1.5, offset_reach=1)
    settings = InferenceConfig(size_divisor=16, scales=(1.0, 0.5), flip=False, merge_exponent=None)
    detector = Detector(network, codec, Categories(("cat", "dog"), (3, 8)), settings)
    return detector, presets.save_model(detector, tmp_path / "model.keras")


@pytest.mark.slow
def test_a_saved_detector_comes_back_whole(saved):
    detector, path = saved
    loaded = presets.from_preset(path)
    assert loaded.codec == detector.codec
    assert loaded.settings == detector.settings
    assert loaded.categories == detector.categories
    assert loaded.network.metadata["preset"] == "cornernet_small"
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    (before,), (after,) = (model.predict(image, min_score=0) for model in (detector, loaded))
    np.testing.assert_allclose(after.boxes, before.boxes, atol=1e-4)
    np.testing.assert_allclose(after.scores, before.scores, atol=1e-6)


def test_training_goes_on_with_the_loss_of_the_preset(saved):
    detector, path = saved
    small = presets.PRESETS["cornernet_small"]
    assert presets.preset_of(presets.from_preset(path)) is small
    assert presets.make_trainer(presets.from_preset(path)).loss_terms == small.loss != DetectionLoss()
    assert presets.make_trainer(detector, DetectionLoss()).loss_terms == DetectionLoss()
    detector.network.metadata = {"preset": "of another version"}
    assert presets.preset_of(detector) is None
    assert presets.make_trainer(detector).loss_terms == family_of(CornerNet).loss
    assert presets.preset_of(presets.from_preset("cornernet_small", num_classes=3)) is small


def test_other_classes_keep_the_body_and_get_fresh_class_heads(saved):
    detector, path = saved
    loaded = presets.from_preset(path, categories=["a", "b", "c"])
    assert loaded.categories == Categories(("a", "b", "c"), (1, 2, 3))
    assert loaded.codec.num_classes == 3
    assert loaded.codec.embedding_threshold == 1.5
    assert loaded.network.metadata["preset"] == "cornernet_small"
    old = {w.path: keras.ops.convert_to_numpy(w) for w in detector.network.weights}
    fresh = [w.path for w in loaded.network.weights if tuple(w.shape) != old[w.path].shape]
    assert fresh
    assert all("heatmap" in path for path in fresh)
    for weight in loaded.network.weights:
        if weight.path not in fresh:
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), old[weight.path])
    assert presets.from_preset(path, num_classes=2).categories == detector.categories
    assert presets.from_preset(path, num_classes=1).categories.names == ("class_0",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "preset"),
    [(StackedHourglass, "hourglass_phone"), (LegacyStackedHourglass, "hourglass_legacy2")],
)
def test_a_saved_pose_estimator_comes_back_whole(network, preset, tmp_path):
    num_blocks = {"num_blocks": (1, 1), "channels": (4, 4), "stem": (4, 4)}
    sizes = {"merge_channels": 4} if network is LegacyStackedHourglass else {"stacks": 1}
    settings = PoseInferenceConfig((32, 48), padding=1.5, flip=False, shift_mirrored=True)
    codec = KeypointCodec(sigma=1.5, radius=4, refinement="dark")
    saved = PoseEstimator(
        network(11, metadata={"preset": preset}, **num_blocks, **sizes), codec, FLIC, settings
    )
    path = presets.save_model(saved, tmp_path / "model.keras")
    assert presets.network_type(path) is network
    loaded = presets.from_preset(path)
    assert (loaded.codec, loaded.skeleton, loaded.settings) == (codec, FLIC, settings)
    assert type(loaded.network) is network is presets.preset_of(loaded).network
    images = np.random.default_rng(0).uniform(0, 255, (1, 32, 48, 3)).astype(np.float32)
    before, after = (keras.ops.convert_to_numpy(model.heatmaps(images)) for model in (saved, loaded))
    np.testing.assert_allclose(after, before, atol=1e-6)
    other = presets.from_preset(path, skeleton=MPII)
    assert (other.skeleton, other.network.arguments["num_joints"]) == (MPII, 16)
    with pytest.raises(ValueError, match="takes skeleton, not classes"):
        presets.from_preset(path, num_classes=3)


FAMILIES = {
    CornerNetSqueeze: (CornerCodec, Detector, InferenceConfig(size_divisor=32, flip=False)),
    CornerNetSaccade: (SaccadeCodec, SaccadeDetector, SaccadeConfig(input_size=(63, 63), max_crops=3)),
    CenterNet: (TripletCodec, Detector, InferenceConfig(size_divisor=32, border=5.0)),
    CentripetalNet: (CentripetalCodec, Detector, InferenceConfig(size_divisor=32, border=5.0)),
    ObjectsAsPoints: (CenterCodec, Detector, InferenceConfig(size_divisor=32, method="none")),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_detector_of_each_family_comes_back_whole(family, tmp_path):
    codec, detector, settings = FAMILIES[family]
    sizes = {"channels": (8, 8, 8, 12), "num_blocks": (1,) * 4, "head_channels": 8}
    if family is not ObjectsAsPoints:
        sizes["pool_channels"] = 4
    network = family(2, stacks=1, stem=(4, 8), **sizes)
    saved = detector(network, codec(2, top_k=7), Categories(("cat", "dog"), (3, 8)), settings)
    path = presets.save_model(saved, tmp_path / "model.keras")
    assert presets.network_type(path) is family
    loaded = presets.from_preset(path)
    assert (type(loaded), type(loaded.network)) == (detector, family)
    assert (loaded.codec, loaded.settings) == (saved.codec, saved.settings)
    assert loaded.categories == saved.categories
    # Without a preset that it grew from, it trains with the paper's loss and augmentation.
    assert presets.default_augmentation(loaded) == family_of(family).augmentation
    trainer = presets.make_trainer(loaded)
    assert (trainer.codec, trainer.loss_terms) == (loaded.codec, family_of(family).loss)
    assert ("attention" in trainer.loss_terms.names) == (family is CornerNetSaccade)


@pytest.mark.parametrize("name", list(PAPERS))
def test_a_preset_of_a_paper_tests_as_a_converted_file_does(name):
    """Two places say how the papers test: the presets, and the conversion of their files."""
    preset = PAPERS[name]
    family, layout = family_of(preset.network), LAYOUT_OF[preset.network]
    assert layout.network is preset.network
    shape = SimpleNamespace(arguments={"num_classes": 80, "size_per_class": False}, size_divisor=128)
    metadata = layout.metadata(shape)
    assert preset.codec_for(80) == family.codec(80, **metadata["codec"])
    settings = family.model.settings_type(**metadata["settings"])
    if preset.network is CornerNetSaccade:  # only the authors' weights are shown the authors' slips
        assert settings.released_geometry
        settings = replace(settings, released_geometry=False)
    assert preset.settings == settings
    assert preset.loss == family.loss
    assert preset.augmentation == family.augmentation


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("cornernet_hourglass104", 5),
        ("cornernet_hourglass52", 5),
        ("cornernet_saccade", 12),
        ("cornernet_squeeze", 14),
        ("centernet_hourglass52", 6),
        ("centernet_hourglass104", 6),
    ],
)
def test_papers_weigh_embeddings_as_a_gpu_of_the_authors_did(name, images):
    """Whatever the batch, pull and push are those of the images that the authors had on one GPU."""
    loss = PAPERS[name].loss
    assert loss.embedding_batch == images
    for batch in (1, 3, 48):
        terms = loss(*one_object_each(batch))  # the embeddings of its corners are 1 apart
        assert float(terms["pull"]) == pytest.approx(0.1 * images * 0.5, rel=1e-3)
        assert float(terms["push"]) == pytest.approx(0.1 * images, rel=1e-3)


def one_object_each(batch) -> tuple[dict, list]:
    """Targets and outputs of images with one object, all maps of four cells."""

    def full(value, *shape):
        return np.full((batch, *shape), value, np.float32)

    empty = full(0, 2, 2, 1)
    target = {"heatmap": empty, "offset": full(0, 1, 2), "index": np.zeros((batch, 1), np.int32)}
    heads = {"heatmap": empty, "offset": full(0, 2, 2, 2)}
    attention = {"attention": {"small": empty}}
    targets = {"top_left": target, "bottom_right": target, "mask": full(1, 1), **attention}
    top_left, bottom_right = ({**heads, "embedding": full(value, 2, 2, 1)} for value in (0, 1))
    return targets, [{"top_left": top_left, "bottom_right": bottom_right, **attention}]


def test_detectors_and_pose_networks_are_told_apart(saved):
    _, path = saved
    assert presets.network_type(path) is CornerNet
    assert presets.network_type("hourglass_legacy2") is LegacyStackedHourglass
    with pytest.raises(ValueError, match="takes categories, not a skeleton"):
        presets.from_preset(path, skeleton=LSP)


def test_wrong_use_is_told():
    with pytest.raises(ValueError, match="no preset 'cornernet_tiny'.*cornernet_small"):
        presets.from_preset("cornernet_tiny")
    with pytest.raises(ValueError, match="num_classes=3 and the 2 names"):
        presets.from_preset("cornernet_small", num_classes=3, categories=["a", "b"])
    with pytest.raises(ValueError, match=r"gone\.keras: no such file"):
        presets.from_preset("gone.keras")


def test_a_file_with_code_in_it_is_refused(saved, tmp_path):
    """A `.keras` file whose config asks for a Python lambda must not run it."""
    _, path = saved
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    evil = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
    }
    parts["config.json"] = json.dumps(evil).encode()
    target = tmp_path / "evil.keras"
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=r"evil\.keras: not a \.keras file of this package"):
        presets.from_preset(target)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_those_of_their_preset(name):
    """The file agrees with the preset that lists it, so that training goes on from it as the preset says."""
    preset, model = presets.PRESETS[name], presets.from_preset(name)
    arguments = model.network.arguments
    assert {key: _plain(arguments[key]) for key in preset.arguments} == {
        key: _plain(value) for key, value in preset.arguments.items()
    }
    settings = model.settings
    if hasattr(settings, "min_scores"):  # fitted to the weights
        settings = replace(settings, min_scores=None)
    assert settings == preset.settings
    if preset.skeleton:
        assert model.codec == preset.codec_for(len(model.skeleton.joints))
        assert model.skeleton == preset.skeleton
    else:
        assert model.codec == preset.codec_for(arguments["num_classes"])
    assert model.network.metadata["preset"] == name
    assert presets.weights_path(preset.weights).with_suffix(".md").is_file()


def test_missing_weights_say_what_to_type(monkeypatch):
    def missing(package):
        raise ModuleNotFoundError(package)

    monkeypatch.setattr("keras_cornernet.presets.weights.resources.files", missing)
    with pytest.raises(ModuleNotFoundError, match=r"^cornernet_people\.keras .* \./saved_models/weights`$"):
        presets.from_preset("cornernet_people")
    assert presets.find_weights("cornernet_people.keras") is None


def test_weights_that_an_older_distribution_lacks_are_missing():
    with pytest.raises(ModuleNotFoundError, match=r"new\.keras is not installed"):
        presets.weights_path("new.keras")


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def test_a_detector_is_a_network_and_its_codec(tmp_path):
    """A class that no table of the package names is saved, opened and trained like the others."""

    @keras.saving.register_keras_serializable(package="tests")
    class Spots(ObjectsAsPoints):
        default_loss = DetectionLoss(pull_weight=0.0, push_weight=0.0, size_weight=1.0)

    network = Spots(2, stacks=1, channels=(8, 8), num_blocks=(1, 1), stem=(4, 8), head_channels=8)
    path = presets.save_model(presets.build_model(network), tmp_path / "spots.keras")
    loaded = presets.from_preset(path)
    assert presets.network_type(path) is Spots
    assert (type(loaded), type(loaded.codec)) == (Detector, CenterCodec)
    assert presets.make_trainer(loaded).loss_terms == Spots.default_loss
    assert task_of(path).name == "detection"


def test_a_network_of_no_family_is_named():
    class Stranger(Network):
        pass

    with pytest.raises(ValueError, match="Stranger is of no known family"):
        family_of(Stranger)


def test_augmentations_by_name():
    detector = presets.from_preset("cornernet_small", categories=["a"])
    estimator = presets.from_preset("hourglass_phone", skeleton=LSP)
    assert presets.augmentation_named(detector, "default") is presets.PRESETS["cornernet_small"].augmentation
    assert presets.augmentation_named(detector, "photos") == PhotoAugmentation()
    assert presets.augmentation_named(estimator, "photos") is PHOTO_POSES
    with pytest.raises(
        ValueError, match="augmentation must be one of 'default', 'photos', or .* not 'phots'"
    ):
        presets.augmentation_named(detector, "phots")
