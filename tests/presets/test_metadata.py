"""What a model file says of itself: read through one door, every fault named with the file and the part."""

import json
import logging
import zipfile

import pytest

import keras_cornernet
from keras_cornernet import presets
from keras_cornernet.codecs import CornerCodec, KeypointCodec
from keras_cornernet.inference import Detector, InferenceConfig, PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import CornerNet, StackedHourglass
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Categories

TINY = {"stacks": 1, "channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8)}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    network = CornerNet(1, pool_channels=4, head_channels=8, **TINY)
    settings = InferenceConfig(input_size=(64, 64), scales=(1.0,), flip=False)
    detector = Detector(network, CornerCodec(1, top_k=7), Categories.of(["cell"]), settings)
    return detector.save(tmp_path_factory.mktemp("saved") / "cells.keras")


def edited(path, target, **changes):
    """A copy of a file with other parts of its metadata; None as a part is written as null."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["metadata"] |= changes
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target


def metadata_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))["config"]["metadata"]


def test_a_file_says_which_version_wrote_it(saved):
    assert metadata_of(saved)["version"] == keras_cornernet.__version__
    assert set(metadata_of(saved)) == {"preset", "version", "settings", "codec", "categories", "provenance"}


def test_settings_that_do_not_fit_the_network_are_named_with_the_file(saved, tmp_path):
    settings = {**metadata_of(saved)["settings"], "input_size": [65, 32]}
    path = edited(saved, tmp_path / "odd.keras", settings=settings)
    with pytest.raises(ValueError, match=r"odd\.keras: input_size must have sides that are multiples of 8"):
        presets.from_preset(path)


def test_poses_have_a_skeleton(tmp_path):
    network = StackedHourglass(14, **{**TINY, "stem": (4, 4)}, stem_kernel_size=3)
    settings = PoseInferenceConfig(input_size=(32, 32), min_score=0.5)
    path = PoseEstimator(network, KeypointCodec(), LSP, settings).save(tmp_path / "pose.keras")
    opened = presets.from_preset(path)
    assert (opened.skeleton, opened.settings) == (LSP, settings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": None}, "settings must be an object, not None"),
        ({"settings": [1]}, "settings must be an object, not [1]"),
        ({"settings": {"sigma": 0}}, "settings: sigma must be"),
        ({"settings": {"input_size": "64x64"}}, "settings: "),
        ({"settings": {"max_detections": "many"}}, "settings: "),
        ({"settings": {"foo": 1}}, "settings.foo: unknown to version"),
        ({"codec": {"top_k": 0}}, "codec: top_k must be"),
        ({"codec": 3}, "codec must be an object, not 3"),
        ({"categories": {"names": ["a"]}}, "categories lacks ids"),
        ({"categories": {"names": ["a", "b"], "ids": [1, 2]}}, "categories has 2 names for 1 outputs"),
        ({"categories": {"names": ["a", "b"], "ids": [1]}}, "categories: "),
        ({"categories": {"names": "a", "ids": [1]}}, "categories: "),
        ({"categories": {"names": [3], "ids": [1]}}, "categories: "),
        ({"preset": ["cornernet_small"]}, "preset must be a text"),
        ({"shape": 1}, "shape: unknown to version"),
    ],
)
def test_a_fault_is_named_with_file_and_part(saved, tmp_path, changes, words):
    path = edited(saved, tmp_path / "edited.keras", **changes)
    with pytest.raises(
        ValueError, match=r"edited\.keras: not a \.keras file of this package \(metadata: "
    ) as caught:
        presets.from_preset(path)
    assert words in str(caught.value)


def test_an_unknown_key_of_a_later_version_is_passed_over_and_named(saved, tmp_path, caplog):
    settings = {**metadata_of(saved)["settings"], "tiles": 4}
    path = edited(saved, tmp_path / "later.keras", settings=settings, version="999.1", shape=1)
    with caplog.at_level(logging.WARNING):
        assert presets.from_preset(path).settings == presets.from_preset(saved).settings
    told = " ".join(record.getMessage() for record in caplog.records)
    assert "later.keras" in told and "settings.tiles" in told and "shape" in told and "version 999.1" in told


def test_an_unknown_key_of_no_version_is_a_fault_that_says_so(saved, tmp_path):
    path = edited(saved, tmp_path / "edited.keras", version=None, shape=1)
    with pytest.raises(ValueError, match="the file was written by version unknown"):
        presets.from_preset(path)
