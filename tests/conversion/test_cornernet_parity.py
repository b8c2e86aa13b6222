"""CornerNet in evaluation mode against the authors' numbers, `parity/cornernet`."""

import json

import keras
import numpy as np
import pytest
from agreement import (
    CORNERS,
    HEADS,
    assert_same_boxes,
    convert_parity,
    images_of,
    largest_difference,
    named_heads,
)

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.ops.gather import gather_cells


@pytest.fixture(scope="module")
def folder(parity):
    return parity("cornernet")


@pytest.fixture(scope="module")
def network(folder):
    return convert_parity(folder)


@pytest.fixture(scope="module")
def images(folder, network):
    return images_of(np.load(folder / "heads.npz")["x"], network)


@pytest.fixture(scope="module")
def outputs(network, images):
    return network(images, training=False)


def test_arguments_are_read_off_the_file(folder, network):
    config = json.loads((folder / "config.json").read_text())["config"]
    arguments = network.arguments
    assert arguments["num_classes"] == config["num_classes"]
    assert arguments["stacks"] == config["nstack"]
    assert arguments["channels"] == tuple(config["dims"])
    assert arguments["num_blocks"] == tuple(config["modules"])
    assert arguments["stem"] == (config["pre_dim"], config["dims"][0])
    assert arguments["pool_channels"] == config["pool_dim"]


def test_heads(folder, outputs):
    heads = named_heads(outputs)
    assert len(heads) == 12
    assert largest_difference(heads, np.load(folder / "heads.npz")) < 3e-4  # seen: 5e-5


def test_maps_on_the_way(folder, network, images):
    layers = {
        "pre": "stem_residual_0",
        "hourglass_0": "hourglass_0",
        "cnv_0": "features_0",
        "tl_cnv_0": "top_left_0",
        "br_cnv_0": "bottom_right_0",
    }
    maps = {name: network.get_layer(layer).output for name, layer in layers.items()}
    maps["hourglass_0"] = maps["hourglass_0"][-1]
    found = keras.Model(network.input, maps)(images[:1], training=False)
    found = {name: np.asarray(value) for name, value in found.items()}
    assert largest_difference(found, np.load(folder / "intermediate.npz")) < 3e-4  # seen: 2e-5


def test_values_gathered_in_training(folder, outputs):
    expected = np.load(folder / "train_signature.npz")
    for stack, heads in enumerate(outputs):
        for corner, ours in CORNERS.items():
            for head in ("tag", "regr"):
                found = gather_cells(heads[ours][HEADS[head]], expected[f"{corner}_inds"].astype(np.int32))
                theirs = expected[f"{corner}_{head}_{stack}_gathered"]
                np.testing.assert_allclose(np.asarray(found), theirs, atol=3e-4)


@pytest.mark.parametrize("case", ["a", "b"])
def test_decoded_boxes(case, folder, outputs, images):
    settings = json.loads((folder / "config.json").read_text())["decode_settings"][case]
    codec = CornerCodec(
        num_classes=5,
        top_k=settings["K"],
        num_detections=settings["num_dets"],
        embedding_threshold=settings["ae_threshold"],
        peak_kernel=settings["kernel"],
    )
    decoded = codec.decode(outputs, images.shape[1:3])
    expected = np.load(folder / "decode.npz")[f"detections_{case}"]
    assert_same_boxes(decoded, expected, 32 / 127)
