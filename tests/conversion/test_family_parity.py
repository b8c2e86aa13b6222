"""Squeeze, Saccade and CenterNet in evaluation mode against the authors' numbers, maps of every stack."""

import json

import keras
import numpy as np
import pytest
from agreement import (
    HEADS,
    LITE_HEADS,
    assert_same_boxes,
    convert_parity,
    images_of,
    largest_difference,
    named_heads,
)

from keras_cornernet.codecs import CornerCodec, SaccadeCodec, TripletCodec
from keras_cornernet.models import CenterNet, CornerNetSaccade, CornerNetSqueeze

# The folder, its network, and the authors' names of the heads. Seen: 5e-5, 2e-4 and 3e-5.
FAMILIES = {
    "cornernet_squeeze": (CornerNetSqueeze, LITE_HEADS),
    "cornernet_saccade": (CornerNetSaccade, LITE_HEADS),
    "centernet": (CenterNet, HEADS),
}

CODECS = {CornerNetSqueeze: CornerCodec, CornerNetSaccade: SaccadeCodec, CenterNet: TripletCodec}


@pytest.fixture(scope="module", params=FAMILIES)
def converted(request, parity):
    """The folder, the network that its file became, and what that makes of the folder's input."""
    folder = parity(request.param)
    network = convert_parity(folder)
    images = images_of(np.load(folder / "heads.npz")["x"], network)
    return folder, network, images, network(images, training=False)


def test_arguments_are_read_off_the_file(converted):
    folder, network, _, _ = converted
    config = json.loads((folder / "config.json").read_text())["config"]
    family, _ = FAMILIES[folder.name]
    assert type(network) is family
    arguments = network.arguments
    stacks = {CornerNetSqueeze: 2, CornerNetSaccade: 3, CenterNet: config.get("nstack")}[family]
    assert (arguments["num_classes"], arguments["stacks"]) == (config["num_classes"], stacks)
    assert arguments["channels"] == tuple(config["dims"])
    assert arguments["num_blocks"] == tuple(config["modules"])
    assert arguments["pool_channels"] == config["pool_dim"]
    assert arguments["stem"] == (config["pre_dim"], *(config["dims"][0],) * (len(arguments["stem"]) - 1))


def test_maps_of_every_stack(converted):
    folder, _, _, outputs = converted
    found = named_heads(outputs, FAMILIES[folder.name][1])
    expected = np.load(folder / "heads.npz")
    assert set(found) == set(expected.files) - {"x"}
    assert largest_difference(found, expected) < 5e-4


@pytest.mark.parametrize("case", ["a", "b"])
def test_decoded_boxes(case, converted):
    folder, network, images, outputs = converted
    settings = json.loads((folder / "config.json").read_text())["decode_settings"][case]
    codec = CODECS[type(network)](
        network.arguments["num_classes"],
        top_k=settings["K"],
        num_detections=settings["num_dets"],
        embedding_threshold=settings["ae_threshold"],
        peak_kernel=settings["kernel"],
        reject_border=settings.get("no_border", False),
    )
    decoded = codec.decode(outputs, images.shape[1:3])
    grid = outputs[-1]["top_left"]["heatmap"].shape[1]
    expected = np.load(folder / "decode.npz")[f"detections_{case}"]
    assert_same_boxes(decoded, expected, grid / images.shape[1])


def test_maps_on_the_way(parity):
    folder = parity("centernet")
    network = convert_parity(folder)
    layers = {
        "cnv_0": "features_0",
        "tl_cnv_0": "top_left_0",
        "br_cnv_0": "bottom_right_0",
        "ct_cnv_0": "center_0",
    }
    maps = {name: network.get_layer(layer).output for name, layer in layers.items()}
    images = images_of(np.load(folder / "heads.npz")["x"], network)
    found = keras.Model(network.input, maps)(images[:1], training=False)
    found = {name: np.asarray(value) for name, value in found.items()}
    assert largest_difference(found, np.load(folder / "intermediate.npz")) < 3e-4  # seen: 2e-5
