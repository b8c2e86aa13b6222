"""CornerNet in evaluation mode against the authors' numbers, `parity/cornernet`."""

import json

import keras
import numpy as np
import pytest
from agreement import CORNERS, HEADS, convert_parity, images_of, largest_difference, named_heads

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
    assert arguments["counts"] == tuple(config["modules"])
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
    boxes, scores, labels, corner_scores = (np.asarray(part) for part in decoded)
    cells = boxes * (32 / 127)  # the reference's boxes are in heat-map pixels
    found = np.concatenate([cells, scores[..., None], corner_scores, labels[..., None]], axis=-1)
    for ours, theirs in zip(found, np.load(folder / "decode.npz")[f"detections_{case}"], strict=True):
        ours, theirs = ours[ours[:, 4] > -1], theirs[theirs[:, 4] > -1]
        assert len(ours) == len(theirs)
        # As a set: each of theirs has its own nearest of ours.
        apart = np.abs(ours[:, None] - theirs[None]).max(axis=-1)
        assert sorted(apart.argmin(axis=0)) == list(range(len(ours)))
        assert apart.min(axis=0).max() < 3e-4
