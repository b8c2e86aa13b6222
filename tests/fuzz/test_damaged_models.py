"""Models that are damaged at random: opened, or refused by an `OSError` or `ValueError` that names the file.

Each test can fail: an unchecked setting, or a library's own error that is passed on, ends it.
"""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged_bytes, damaged_json, examples, only_clear_errors

from keras_cornernet import codecs, presets
from keras_cornernet.codecs import CornerCodec, KeypointCodec
from keras_cornernet.conversion import read_checkpoint
from keras_cornernet.export import exported
from keras_cornernet.export.decoding.decoded_maps import DecodedMaps
from keras_cornernet.export.decoding.settings import REFINEMENTS, check_raw
from keras_cornernet.export.description import Description
from keras_cornernet.export.raw import raw_settings
from keras_cornernet.export.runtimes import Opened
from keras_cornernet.inference import Detector, InferenceConfig, PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import CornerNet, StackedHourglass
from keras_cornernet.presets.weights_file import CONFIG, WEIGHTS
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Categories

TINY = {"stacks": 1, "channels": (8, 8), "num_blocks": (1, 1)}


@pytest.fixture(scope="module")
def detector():
    network = CornerNet(2, pool_channels=4, head_channels=8, stem=(4, 8), **TINY)
    settings = InferenceConfig(input_size=(64, 64))
    return Detector(network, CornerCodec(2, top_k=7), Categories.of(["cat", "dog"]), settings)


@pytest.fixture(scope="module")
def estimator():
    network = StackedHourglass(14, stem=(4, 4), stem_kernel_size=3, **TINY)
    return PoseEstimator(network, KeypointCodec(), LSP, PoseInferenceConfig(input_size=(32, 32)))


@pytest.fixture(scope="module")
def saved(detector, tmp_path_factory):
    return detector.save(tmp_path_factory.mktemp("models") / "saved.keras")


@pytest.fixture(scope="module", params=["detector", "estimator"])
def described(request):
    """A network, and what its file says of it."""
    model = request.getfixturevalue(request.param)
    metadata = json.loads(json.dumps(presets.metadata.write_metadata(model)))
    yield model.network, metadata
    model.network.metadata = metadata


@examples(120)
@given(data=st.data())
def test_metadata(described, data):
    network, metadata = described
    network.metadata = data.draw(damaged_json(metadata))
    with only_clear_errors("pets.keras"):
        opened = presets.build_model(network, source="pets.keras")
        assert len(opened.labels.names) == network.num_outputs
        repr(opened)


def written(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@examples(25)
@given(data=st.data())
def test_config_of_a_keras_file(saved, tmp_path, data):
    parts = members(saved)
    config = json.loads(parts[CONFIG])
    config["config"] = (
        data.draw(damaged_json(config["config"])) if data.draw(st.booleans()) else config["config"]
    )
    config = data.draw(damaged_json(config)) if data.draw(st.booleans()) else config
    written(tmp_path / "pets.keras", {**parts, CONFIG: json.dumps(config)})
    with only_clear_errors("pets.keras"):
        presets.from_preset(tmp_path / "pets.keras")


@examples(40)
@given(data=st.data())
def test_bytes_of_a_keras_file(saved, tmp_path, data):
    path = tmp_path / "pets.keras"
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(damaged_bytes(saved.read_bytes())))
    else:
        parts = members(saved)
        written(path, {**parts, WEIGHTS: data.draw(damaged_bytes(parts[WEIGHTS]))})
    with only_clear_errors(path):
        presets.from_preset(path)


@examples(15)
@given(data=st.data())
def test_weights_of_a_keras_file(saved, tmp_path, data):
    parts = members(saved)
    stream = io.BytesIO(parts[WEIGHTS])
    with h5py.File(stream, "r+") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = data.draw(st.sampled_from(names))
        array = file[name][()]
        del file[name]
        others = (
            array[..., None],
            array.astype("S4"),
            np.full_like(array, data.draw(st.sampled_from([np.nan, np.inf, -np.inf, 1.0]))),
            None,
        )
        other = data.draw(st.sampled_from(others))
        if other is not None:
            file[name] = other
    written(tmp_path / "pets.keras", {**parts, WEIGHTS: stream.getvalue()})
    with only_clear_errors("pets.keras"):
        opened = presets.from_preset(tmp_path / "pets.keras")
        assert all(np.isfinite(weight.numpy()).all() for weight in opened.network.weights)


@examples(60)
@given(data=st.data())
def test_arrays_to_start_from(detector, tmp_path, data):
    path = tmp_path / "start.npz"
    weights = {weight.path: weight.numpy() for weight in detector.network.weights}
    name = data.draw(st.sampled_from(list(weights)))
    others = (
        np.array(["x"]),
        weights[name][..., None],
        np.full_like(weights[name], data.draw(st.floats(width=32))),
    )
    np.savez(path, **{**weights, name: data.draw(st.sampled_from(others))})
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(damaged_bytes(path.read_bytes())))
    with only_clear_errors(path):
        presets.start_from(detector.network, path)


DESCRIPTIONS = (
    Description("detection", ("cat", "dog"), (1, 2), image_size=(64, 64), input_size=(64, 64)),
    Description("pose", LSP.names, skeleton="lsp", limbs=LSP.limbs, flip_pairs=LSP.flip_pairs, padding=1.25),
)
MAPS = {
    "corners": {"top_left_heatmap": 2, "top_left_offset": 2, "top_left_embedding": 1}
    | {"bottom_right_heatmap": 2, "bottom_right_offset": 2, "bottom_right_embedding": 1},
    "keypoints": {"keypoints_heatmap": 14},
}


@pytest.mark.parametrize("description", DESCRIPTIONS, ids=["detection", "pose"])
@examples(120)
@given(data=st.data())
def test_descriptions_of_exports(description, data):
    text = json.dumps(data.draw(damaged_json(json.loads(description.to_json()))))
    try:
        found = Description.from_json(text)
    except ValueError as error:  # `runtimes` puts the file before it
        assert "description" in str(error) and "\n" not in str(error)
    else:
        labels = {"detection": "categories", "pose": "joints"}.get(found.task)
        assert labels is None or getattr(found, labels).names == found.names


class Maps:
    """A runtime that gives maps of noise."""

    def __init__(self, path, description):
        self.description = description

    def run(self, images):
        draw = np.random.default_rng(0).normal
        kind = "corners" if self.description.task == "detection" else "keypoints"
        return {name: draw(size=(1, 8, 8, n)).astype(np.float32) for name, n in MAPS[kind].items()}


@pytest.mark.parametrize("name", ["detector", "estimator"])
@examples(120)
@given(data=st.data())
def test_settings_of_raw_maps(name, request, data):
    model = request.getfixturevalue(name)
    content = json.loads(exported.describe(model, raw=raw_settings(model)).to_json())
    content["raw"] = data.draw(damaged_json(content["raw"]))
    try:
        description = Description.from_json(json.dumps(content))
    except ValueError as error:
        assert "description" in str(error) and "\n" not in str(error)
        return
    if not description.raw:
        return
    opened = Opened(Path("m.tflite"), lambda *_: Maps(None, description), None).read_by(DecodedMaps)
    with only_clear_errors("m.tflite"):
        opened.run(np.zeros((1, 64, 64, 3), np.uint8))


def test_settings_of_raw_maps_have_bounds(detector):
    raw = {**raw_settings(detector), "peak_kernel": 10**9 + 1}
    with pytest.raises(ValueError, match="raw: peak_kernel must be at least 1 and at most 255"):
        check_raw(raw)
    assert REFINEMENTS == codecs.refinement.REFINEMENTS


@pytest.mark.parametrize("new_format", [True, False])
@examples(60)
@given(data=st.data())
def test_checkpoints(tmp_path, new_format, data):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")
    path = tmp_path / "weights.pth"
    state = {"a.weight": torch.arange(12.0).reshape(3, 4), "a.bias": torch.ones(4), "n": torch.tensor(3)}
    torch.save({"state_dict": state, "epoch": 3}, path, _use_new_zipfile_serialization=new_format)
    content = data.draw(damaged_bytes(path.read_bytes()))
    if new_format and data.draw(st.booleans()):
        parts = members(path)
        name = data.draw(st.sampled_from(list(parts)))
        written(path, {**parts, name: data.draw(damaged_bytes(parts[name]))})
    else:
        path.write_bytes(content)
    with only_clear_errors(path):
        assert all(isinstance(value, np.ndarray) for value in read_checkpoint(path).values())
