"""Objects as Points against the authors' numbers: maps of every stack, and boxes of whole images."""

import json

import numpy as np
import pytest
from agreement import convert_parity, images_of, largest_difference

from keras_cornernet.codecs import CenterCodec
from keras_cornernet.conversion import convert_state, read_checkpoint, to_torch_state_dict
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.models import ObjectsAsPoints
from keras_cornernet.ops.suppression import soft_nms
from keras_cornernet.preprocessing import fit_view, padded_view
from keras_cornernet.structures import Categories

HEADS = {"hm": "heatmap", "wh": "size", "reg": "offset"}
CATEGORIES = Categories(("a", "b", "c"), (1, 2, 3))


@pytest.fixture(scope="module")
def folder(parity):
    return parity("objects_as_points")


@pytest.fixture(scope="module")
def network(folder):
    return convert_parity(folder)


@pytest.fixture(scope="module")
def stored(folder):
    return np.load(folder / "inference.npz")


def rgb(stored, name):
    return stored[f"image_bgr_{name}"][..., ::-1]


def test_arguments_are_read_off_the_file(network, folder):
    config = json.loads((folder / "config.json").read_text())["config"]
    assert type(network) is ObjectsAsPoints
    arguments = network.arguments
    assert (arguments["num_classes"], arguments["stacks"]) == (config["num_classes"], config["nstack"])
    assert arguments["channels"] == tuple(config["dims"])
    assert arguments["num_blocks"] == tuple(config["modules"])
    assert arguments["stem"] == (config["pre_dim"], config["dims"][0])
    assert arguments["head_channels"] == config["dims"][0]
    assert arguments["size_per_class"] is False
    settings = network.metadata["settings"]
    assert (settings["size_divisor"], settings["whole_multiples"], settings["method"]) == (128, True, "none")


def test_maps_of_every_stack(network, folder):
    expected = np.load(folder / "heads.npz")
    outputs = network(images_of(expected["x"], network), training=False)
    found = {
        f"{theirs}_{stack}": np.asarray(branches["center"][ours])
        for stack, branches in enumerate(outputs)
        for theirs, ours in HEADS.items()
    }
    assert set(found) == set(expected.files) - {"x", "image_bgr"}
    assert largest_difference(found, expected) < 5e-4


def test_the_way_back_gives_the_same_file(network, folder):
    checkpoint = read_checkpoint(folder / "checkpoint.pth")
    state = to_torch_state_dict(network, "xingyizhou/CenterNet")
    assert set(state) == {name for name in checkpoint if not name.endswith("num_batches_tracked")}
    for name, array in state.items():
        np.testing.assert_array_equal(array, checkpoint[name], err_msg=name)


def test_sizes_for_each_class_and_other_heads_are_recognised(folder):
    state = read_checkpoint(folder / "checkpoint.pth")
    for stack in range(2):
        state[f"wh.{stack}.1.weight"] = np.zeros((6, 8, 1, 1), np.float32)
        state[f"wh.{stack}.1.bias"] = np.zeros(6, np.float32)
        state[f"hps.{stack}.1.bias"] = np.zeros(34, np.float32)
    network, report = convert_state(state)
    assert network.arguments["size_per_class"] is True
    assert network.metadata["codec"]["size_per_class"] is True
    assert "a head for poses" in report.unused["hps.1.1.bias"]
    other, fresh = network.with_num_classes(5)
    assert other.output[0]["center"]["size"].shape[-1] == 10
    assert len(fresh) == 2 * 2 * 2  # kernels and biases of heatmaps and sizes, of two stacks


@pytest.mark.parametrize("name", ["wide", "odd"])
def test_the_input_is_the_authors(name, network, stored):
    """With `keep_res`: the image is copied among zeros."""
    image = rgb(stored, name)
    view = padded_view(image.shape[:2], size_divisor=128, whole_multiples=True)
    shown = view.apply(image)
    assert shown.shape == {"wide": (128, 256, 3), "odd": (128, 128, 3)}[name]
    if name == "wide":
        expected = images_of(stored["keep_wide__network_input"], network)
        np.testing.assert_allclose(shown, expected[0], atol=0.02)


def assert_same_rows(ours, theirs, image_size):
    """Rows `x0, y0, x1, y1, score, class`, as sets; theirs are clipped to the image, as ours are."""
    height, width = image_size
    theirs = theirs.copy()
    theirs[:, :4] = np.clip(theirs[:, :4], 0, [width, height, width, height])
    assert len(ours) == len(theirs)
    apart = np.abs(ours[:, None] - theirs[None]) / [*[0.05] * 4, 1e-3, 0.5]
    assert apart.max(axis=-1).min(axis=0).max() < 1
    assert sorted(apart.max(axis=-1).argmin(axis=0)) == list(range(len(theirs)))


@pytest.mark.parametrize(
    ("case", "settings"), [("keep_wide", {"flip": False}), ("keep_odd_flip", {"flip": True})]
)
def test_boxes_on_whole_images(case, settings, network, stored):
    image = rgb(stored, case.split("_")[1])
    settings = InferenceConfig(**{**network.metadata["settings"], "scales": (1.0,), **settings})
    (found,) = Detector(network, CenterCodec(3), CATEGORIES, settings).predict(image)
    rows = np.concatenate([found.boxes, found.scores[:, None], found.labels[:, None] + 1], axis=1)
    assert_same_rows(rows, stored[f"{case}__detections"], image.shape[:2])


def test_boxes_of_a_fitted_image(network, stored):
    image = rgb(stored, "wide")
    inputs = images_of(stored["fix_wide__network_input"], network)
    found = CenterCodec(3).decode(network(inputs, training=False), (128, 128))
    boxes, scores, labels = (np.asarray(part)[0] for part in found[:3])
    boxes = fit_view(image.shape[:2], (128, 128)).boxes_to_image(boxes)
    rows = np.concatenate([boxes, scores[:, None], labels[:, None] + 1], axis=1)
    height, width = image.shape[:2]
    rows[:, :4] = np.clip(rows[:, :4], 0, [width, height, width, height])
    assert_same_rows(rows, stored["fix_wide__detections"], image.shape[:2])


def test_soft_nms_without_the_discarded_rows(network, stored):
    image = rgb(stored, "odd")
    view = fit_view(image.shape[:2], (128, 128))
    # The authors warp pixel indices where we warp positions: half a pixel less of the image, half of the input.
    scale = 128 / 127
    shift = (1 - scale) / 2
    from keras_cornernet.ops import affine
    from keras_cornernet.preprocessing import warp

    moved = affine.compose(affine.translation(shift, shift), view.input_from_image)
    shown = warp(image, moved, (128, 128))[None].astype(np.float32)
    found = CenterCodec(3).decode(network(shown, training=False), (128, 128))
    boxes, scores, labels = (np.asarray(part) for part in found[:3])
    boxes = view.boxes_to_image(boxes[0])[None].astype(np.float32)
    kept = soft_nms(boxes, scores, labels)
    real = np.asarray(kept.scores)[0] >= 0
    index = np.asarray(kept.index)[0][real]
    parts = (boxes[0][index], np.asarray(kept.scores)[0][real][:, None], labels[0][index][:, None] + 1)
    expected = stored["fix_odd_nms__detections_discards_removed"]
    ours = np.concatenate(parts, axis=1)
    order, theirs = np.argsort(-ours[:, 4]), expected[np.argsort(-expected[:, 4])]
    np.testing.assert_allclose(ours[order][:20, 4], theirs[:20, 4], atol=5e-3)
