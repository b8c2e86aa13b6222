"""Damaged, foreign and hostile `.keras` files: refused before anything is built, with file and reason."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_cornernet import bounds, presets
from keras_cornernet.codecs import CornerCodec
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.models import CornerNet, ObjectsAsPoints
from keras_cornernet.presets.weights_file import CONFIG, WEIGHTS
from keras_cornernet.structures import Categories

TINY = {"stacks": 1, "channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8), "head_channels": 8}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    network = CornerNet(1, pool_channels=4, **TINY)
    settings = InferenceConfig(input_size=(64, 64))
    detector = Detector(network, CornerCodec(1), Categories.of(["cell"]), settings)
    return detector.save(tmp_path_factory.mktemp("saved") / "cells.keras")


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def configured(saved, path, **changes):
    """A copy of a file with other arguments of the network."""
    parts = members(saved)
    config = json.loads(parts[CONFIG])
    config["config"] |= changes
    return written(path, {**parts, CONFIG: json.dumps(config)})


def weighted(saved, path, change):
    """A copy of a file whose weights `change(file)` changed."""
    parts = members(saved)
    stored = io.BytesIO(parts[WEIGHTS])
    with h5py.File(stored, "r+") as file:
        change(file)
    return written(path, {**parts, WEIGHTS: stored.getvalue()})


def first_array(file, ending=""):
    found = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found[0]


def refused(path, words):
    with pytest.raises(ValueError, match=words) as caught:
        presets.load_network(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.fixture
def nothing_is_built(monkeypatch):
    def never(*_, **__):
        raise AssertionError("the network is built")

    monkeypatch.setattr(keras.saving, "load_model", never)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stacks": 2000}, "stacks must be at most 64"),
        ({"stacks": 60, "num_blocks": [60, 60]}, "at least 43,200 arrays, and it holds"),
        ({"channels": [16_000, 16_000], "stem": [4, 16_000]}, "numbers, and it holds"),
        ({"channels": [8, 16_384]}, "numbers, and it holds"),
        ({"channels": [8] * 1000, "num_blocks": [1] * 1000}, "channels must have at most 16 numbers"),
        ({"stem": [16_000, 16_000, 8]}, "numbers, and it holds"),
        ({"num_classes": 100_000}, "numbers, and it holds"),
        ({"num_classes": 10**9}, "num_classes must be at most 100000"),
        ({"pool_channels": 10**9}, "pool_channels must be at most"),
        ({"head_kernel_size": 10**9}, "head_kernel_size must be at most 63"),
        ({"mean": [float("nan")] * 3}, r"mean\[0\] must be finite"),
        ({"std": [0.0, 1.0, 1.0]}, r"std\[0\] must be above 0"),
        ({"layers": []}, "unexpected keyword argument"),
        ({"backbone": {"config": {"units": 10**6, "layers": [{"units": 10**6}]}}}, "backbone has layers of"),
    ],
)
def test_a_config_that_asks_for_more_than_the_file_holds(saved, tmp_path, nothing_is_built, changes, words):
    refused(configured(saved, tmp_path / "asks.keras", **changes), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[" * 100_000, "recursion"),
        (b"{", r"config\.json: "),
        (b"[]", "no config of a model"),
        (b'{"class_name": "CornerNet"}', "no config of a model"),
        (b'{"class_name": "Sequential", "config": {}}', "it holds a Sequential"),
        (b'{"class_name": ["CornerNet"], "config": {}}', "it holds a "),
        (b"\xff\xff\xff", r"config\.json: "),
        (bytes(2**24 + 1), r"config\.json has 17 MB"),
    ],
)
def test_an_outline_of_something_else(saved, tmp_path, nothing_is_built, content, words):
    path = written(tmp_path / "other.keras", {**members(saved), CONFIG: content})
    refused(path, words)
    with pytest.raises(ValueError, match=words):
        presets.network_type(path)


def swapped(item):
    """A change that puts `item(file)` in the place of the first array."""

    def change(file):
        name = first_array(file)
        del file[name]
        file[name] = item(file)

    return change


def outside(file):
    name = first_array(file)
    del file[name]
    file.create_dataset(name, (5,), "u1", external=[("/etc/hostname", 0, 5)])


def bomb(file):
    name = first_array(file)
    del file[name]
    file.create_dataset(name, (10**10,), "f4", chunks=(10**6,), compression="gzip")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (outside, "lies in another file"),
        (bomb, "its arrays take 40.0 GB"),
        (swapped(lambda _: h5py.SoftLink("/elsewhere")), "is a link"),
        (swapped(lambda _: h5py.ExternalLink("/etc/hostname", "/")), "is a link"),
    ],
)
def test_weights_that_are_elsewhere_or_too_large(saved, tmp_path, nothing_is_built, change, words):
    refused(weighted(saved, tmp_path / "weights.keras", change), words)


def test_weights_that_are_damaged_or_gone(saved, tmp_path):
    parts = members(saved)
    refused(written(tmp_path / "cut.keras", {**parts, WEIGHTS: parts[WEIGHTS][:3000]}), "is damaged")
    gone = {name: content for name, content in parts.items() if name != WEIGHTS}
    refused(written(tmp_path / "gone.keras", gone), r"it holds no model\.weights\.h5")


def test_an_archive_that_unpacks_to_too_much(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "SMALL", 2**20)
    refused(written(tmp_path / "bomb.keras", {**members(saved), "assets/x": bytes(2**23)}), "it unpacks to")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_named(saved, tmp_path, value):
    def change(file):
        file[first_array(file)][...] = value

    refused(
        weighted(saved, tmp_path / "nan.keras", change), "the weight .*/.* holds numbers that are not finite"
    )


def test_a_negative_variance_is_named(tmp_path):
    network = ObjectsAsPoints(1, **TINY)
    next(w for w in network.weights if w.path.endswith("moving_variance")).assign(np.full(4, -1.0))
    network.save(tmp_path / "variance.keras")
    refused(tmp_path / "variance.keras", "moving_variance is a variance and holds numbers below 0")


def test_keras_advice_to_switch_its_safety_off_is_not_passed_on(saved, tmp_path):
    layers = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {
            "function": {
                "class_name": "__lambda__",
                "config": {"code": "abc", "defaults": None, "closure": None},
            }
        },
        "registered_name": None,
    }
    path = configured(saved, tmp_path / "code.keras", backbone=layers)
    refused(path, "not a .keras file of this package")
    with pytest.raises(ValueError) as caught:
        presets.load_network(path)
    assert "safe_mode" not in str(caught.value) and "unsafe" not in str(caught.value)
