"""Pose networks in evaluation mode against the authors' numbers, `parity/hourglass_*`."""

import gzip
import json
from typing import NamedTuple

import keras
import numpy as np
import pytest
from agreement import convert_parity

from keras_cornernet.conversion import convert_state, infer_arguments, read_checkpoint
from keras_cornernet.conversion.converter import match_names
from keras_cornernet.conversion.name_maps import recognize
from keras_cornernet.conversion.parts import COUNTER
from keras_cornernet.models import StackedHourglass


def images_of(x, network):
    """RGB 0..255 images that the network's own constants turn into the fixtures' `x`."""
    mean, std = (np.array(network.arguments[name], np.float64) for name in ("mean", "std"))
    return ((x * std + mean) * 255).astype(np.float32)


def heatmaps(network, x):
    outputs = network(images_of(x, network), training=False)
    return [keras.ops.convert_to_numpy(stack["keypoints"]["heatmap"]) for stack in outputs]


@pytest.mark.parametrize("name", ["umich", "bearpaw"])
def test_heatmaps(name, parity):
    folder = parity(f"hourglass_{name}")
    network = convert_parity(folder)
    stored = np.load(folder / "forward.npz")
    found = heatmaps(network, stored["x"])
    assert len(found) == network.arguments["stacks"] >= 2
    for i, heatmap in enumerate(found):
        expected = stored[f"heatmaps_{i}"]
        if expected.shape != heatmap.shape:
            expected = expected.transpose(0, 2, 3, 1)
        np.testing.assert_allclose(heatmap, expected, rtol=0, atol=1e-4)  # seen: 3e-5


def test_features_of_a_backbone(parity):
    folder = parity("hourglass_mmpose")
    network = convert_parity(folder)
    config = json.loads((folder / "config.json").read_text())
    assert network.arguments["num_blocks"] == tuple(config["config"]["stage_blocks"])
    assert network.arguments["channels"] == tuple(config["config"]["stage_channels"])
    stored = np.load(folder / "forward.npz")
    stacks = range(network.arguments["stacks"])
    features = keras.Model(network.input, [network.get_layer(f"features_{i}").output for i in stacks])
    for i, maps in enumerate(features(images_of(stored["x"], network), training=False)):
        expected = stored[f"features_{i}"]
        maps = keras.ops.convert_to_numpy(maps)
        if expected.shape != maps.shape:
            expected = expected.transpose(0, 2, 3, 1)
        np.testing.assert_allclose(maps, expected, rtol=0, atol=2e-4)  # seen: 3e-5


def test_what_is_left_out_and_what_is_fresh_is_reported(parity):
    pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")
    state = read_checkpoint(parity("hourglass_umich", "checkpoint.pth") / "checkpoint.pth")
    _, report = convert_state(dict(state))
    assert report.layout == "princeton-vl/pytorch_stacked_hourglass"
    assert report.missing == ()
    skips = [name for name in report.unused if "skip_layer" in name]
    # The stem's two residuals that change their width use theirs.
    assert len(skips) == sum("skip_layer" in name for name in state) - 2 * 2
    with pytest.raises(ValueError, match="num_classes and categories are of detectors"):
        convert_state(dict(state), num_classes=3)
    _, report = convert_state(
        read_checkpoint(parity("hourglass_mmpose", "checkpoint.pth") / "checkpoint.pth")
    )
    assert report.missing == tuple(
        f"keypoints_heatmap_{stack}/{weight}" for stack in range(2) for weight in ("kernel", "bias")
    )


class Shaped(NamedTuple):
    path: str
    shape: tuple


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("hourglass_umich_1stack", 3_426_448),
        ("hourglass_umich_8stack", 25_434_112),
        ("hourglass_bearpaw_s2_b1", 6_730_912),
        ("hourglass_bearpaw_s2_b4", None),
        ("hourglass_mmpose_52", None),
    ],
)
def test_every_name_of_full_size_has_its_weight(name, parameters, parity):
    with gzip.open(parity("full_size") / f"{name}.json.gz") as stream:
        outline = json.load(stream)
    state = {key: np.broadcast_to(0.0, shape) for key, shape, _, _ in outline["keys"]}
    for prefix in ("model.", "module."):
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    arguments = infer_arguments(state)
    with keras.StatelessScope(initialize_variables=False):
        network = StackedHourglass(**arguments)
        weights = [Shaped(w.path, tuple(w.shape)) for w in network.weights]
        trainable = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    del network
    keras.utils.clear_session()
    if parameters is not None:
        assert trainable == parameters
    layout = recognize(state)
    names = match_names(weights, state, layout, arguments)
    left_out = [key for key in state if key not in names.values() and not key.endswith(COUNTER)]
    assert all(layout.reason_unused(key) for key in left_out)
