"""Objects as Points against the authors' numbers: maps of every stack, and boxes of whole images."""

import json

import numpy as np
import pytest
from agreement import NEEDS_TORCH, convert_parity, images_of, largest_difference

from keras_cornernet.codecs import CenterCodec
from keras_cornernet.conversion import convert_state, read_checkpoint, to_torch_state_dict
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.models import ObjectsAsPoints
from keras_cornernet.ops import affine
from keras_cornernet.ops.suppression import soft_nms
from keras_cornernet.preprocessing import fit_view, padded_view, warp
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
    parameters = json.loads((folder / "config.json").read_text())["parameters"]
    assert sum(int(np.prod(w.shape)) for w in network.trainable_weights) == parameters
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
    pytest.importorskip("torch", reason=NEEDS_TORCH)
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


def distances(ours, theirs):
    """From each of their rows to the nearest of ours, in units of the tolerances."""
    assert len(ours) == len(theirs)
    apart = (np.abs(ours[:, None] - theirs[None]) / [*[0.05] * 4, 1e-3, 0.5]).max(axis=-1)
    assert sorted(apart.argmin(axis=0)) == list(range(len(theirs)))
    return apart.min(axis=0)


def assert_same_rows(ours, theirs):
    assert distances(ours, theirs).max() < 1


@pytest.mark.parametrize(
    ("case", "settings"), [("keep_wide", {"flip": False}), ("keep_odd_flip", {"flip": True})]
)
def test_boxes_on_whole_images(case, settings, network, stored):
    image = rgb(stored, case.split("_")[1])
    settings = InferenceConfig(**{**network.metadata["settings"], "scales": (1.0,), **settings})
    (found,) = Detector(network, CenterCodec(3), CATEGORIES, settings).predict(image, min_score=0, flip=None)
    expected = stored[f"{case}__detections"].copy()
    height, width = image.shape[:2]
    expected[:, :4] = np.clip(expected[:, :4], 0, [width, height, width, height])  # as ours are
    assert_same_rows(as_rows(found.boxes, found.scores, found.labels), expected)


def authors_warp(image, view):
    """The fitted image as OpenCV warps it: pixel indices in place of positions, and black beyond its edge."""
    scale = view.input_from_image[0, 0]
    half_pixel = affine.translation((1 - scale) / 2, (1 - scale) / 2)
    framed = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    moved = affine.compose(half_pixel, view.input_from_image, affine.translation(-1, -1))
    return warp(framed, moved, view.input_size)[None].astype(np.float32)


def fitted_boxes(network, image):
    """Boxes, scores and labels of an image that is fitted into the input."""
    view = fit_view(image.shape[:2], (128, 128))
    found = CenterCodec(3).decode(network(authors_warp(image, view), training=False), (128, 128))
    boxes, scores, labels = (np.asarray(part)[0] for part in found[:3])
    return view.boxes_to_image(boxes).astype(np.float32), scores, labels


def as_rows(boxes, scores, labels):
    return np.concatenate([boxes, scores[:, None], labels[:, None] + 1], axis=1)


def test_boxes_of_a_fitted_image(network, stored):
    image = rgb(stored, "wide")
    shown = authors_warp(image, fit_view(image.shape[:2], (128, 128)))
    expected = images_of(stored["fix_wide__network_input"], network)
    np.testing.assert_allclose(shown, expected, atol=1.01)
    assert_same_rows(as_rows(*fitted_boxes(network, image)), stored["fix_wide__detections"])


def test_soft_nms_without_the_discarded_rows(network, stored):
    boxes, scores, labels = fitted_boxes(network, rgb(stored, "odd"))
    kept = soft_nms(boxes[None], scores[None], labels[None])
    boxes, scores, index = (np.asarray(part)[0][np.asarray(kept.scores)[0] >= 0] for part in kept)
    rows = as_rows(boxes, scores, labels[index])
    assert_same_rows(rows, stored["fix_odd_nms__detections_discards_removed"])


def authors_resize(image, height, width):
    """Bilinear resize of uint8 in OpenCV's fixed-point arithmetic, whose rounding these networks notice."""

    def lines(source, target):
        position = np.clip((np.arange(target) + 0.5) * (source / target) - 0.5, 0, source - 1)
        first = np.minimum(position.astype(int), source - 2)
        second = np.rint((position - first) * 2048).astype(np.int64)
        return first, 2048 - second, second

    x, left, right = lines(image.shape[1], width)
    y, upper, lower = lines(image.shape[0], height)
    rows = image[:, x] * left[:, None] + image[:, x + 1] * right[:, None]
    upper, lower = (
        ((rows[line] >> 4) * weight[:, None, None]) >> 16 for line, weight in ((y, upper), (y + 1, lower))
    )
    return ((upper + lower + 2) >> 2).astype(np.uint8)


@pytest.mark.slow
def test_several_scales_are_pooled(network, stored):
    """The authors go back by the scale asked for, not by that of the image as cut to whole pixels."""
    image, codec, pooled = rgb(stored, "wide"), CenterCodec(3), []
    for scale in (0.5, 0.75, 1.0, 1.25, 1.5):
        view = padded_view(image.shape[:2], scale, 128, whole_multiples=True)
        shown = np.zeros((1, *view.input_size, 3), np.float32)
        left, top, right, bottom = view.visible
        shown[0, top:bottom, left:right] = authors_resize(image, bottom - top, right - left)
        np.testing.assert_allclose(shown[0], view.apply(image), atol=1.01)
        outputs = [network(images, training=False) for images in (shown, shown[:, :, ::-1])]
        found = codec.decode(codec.average_mirrored(*outputs), view.input_size)
        boxes, scores, labels = (np.asarray(part)[0] for part in found[:3])
        pooled.append(((boxes - np.tile(view.input_from_image[:, 2], 2)) / scale, scores, labels))
    boxes, scores, labels = (np.concatenate(parts).astype(np.float32) for parts in zip(*pooled, strict=True))
    boxes, scores, index = (np.asarray(part)[0] for part in soft_nms(boxes[None], scores[None], labels[None]))
    expected = stored["keep_wide_scales__detections_discards_removed"]
    # One grey level in two thousand still differs, so the tolerance is twice that of the other cases.
    assert (distances(as_rows(boxes, scores, labels[index]), expected) < 2).mean() > 0.95
