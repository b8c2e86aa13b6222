"""The loss of CentripetalNet against the reference's numbers."""

import json

import numpy as np
import pytest
from gradients import value_and_gradients

from keras_cornernet.codecs import CentripetalCodec
from keras_cornernet.losses import gaussian_focal_loss
from keras_cornernet.models import CentripetalNet

CASES = ("two_images", "one_empty", "none", "extreme")
CORNERS = {"top_left": "tl", "bottom_right": "br"}
HEADS = {"heatmap": "heat", "offset": "off", "guiding": "guiding", "centripetal": "centripetal"}
TERMS = {"focal": "det", "offset": "off", "guiding": "guiding", "centripetal": "centripetal"}


@pytest.fixture(scope="module")
def folder(parity):
    return parity("centripetal")


def targets_of(folder, images, input_size):
    """The targets of a batch, from its boxes."""
    z = np.load(folder / "targets.npz")
    boxes = np.zeros((len(images), 40, 4), np.float32)
    labels = np.full((len(images), 40), -1, np.int32)
    for i, name in enumerate(images):
        if name != "none":
            count = len(z[f"{name}__labels"])
            boxes[i, :count], labels[i, :count] = z[f"{name}__boxes"], z[f"{name}__labels"]
    return CentripetalCodec(3).encode({"boxes": boxes, "labels": labels}, input_size, (32, 48))


def outputs_of(maps):
    values = iter(maps)
    return {branch: {head: next(values) for head in HEADS} for branch in CORNERS}


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_are_the_reference_s(name, folder):
    expected = json.loads((folder / "values.json").read_text())[name]
    z = np.load(folder / "losses.npz")
    targets = targets_of(folder, expected["images"], tuple(expected["input_size"]))
    names = [f"{short}_{stored}" for short in CORNERS.values() for stored in HEADS.values()]
    maps = [z[f"{expected['maps']}__{key}"] for key in names]
    loss = CentripetalNet.default_loss
    tolerance = 1e-4 if name == "extreme" else 1e-5
    terms = {key: float(value) for key, value in loss(targets, [outputs_of(maps)]).items()}
    assert set(terms) == set(TERMS) == set(loss.names)
    for ours, theirs in TERMS.items():
        assert terms[ours] == pytest.approx(expected[f"{theirs}_loss64"], rel=tolerance)
    both = loss(targets, [outputs_of(maps), outputs_of([values / 2 for values in maps])])
    assert float(sum(both.values())) == pytest.approx(expected["loss_two_stacks64"], rel=tolerance)
    value, found = value_and_gradients(lambda *maps: sum(loss(targets, [outputs_of(maps)]).values()), *maps)
    assert float(value) == pytest.approx(expected["loss64"], rel=tolerance)
    for key, ours in zip(names, found, strict=True):
        theirs = z[f"{name}__grad_{key}"]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1e-30, np.abs(theirs).max()))


def test_focal_loss_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 5, (2, 3, 4, 2)).astype(np.float32)
    targets = np.where(rng.random(logits.shape) < 0.2, 1.0, rng.random(logits.shape)).astype(np.float32)
    mask = rng.integers(0, 2, logits.shape).astype(np.float32)
    total = 0.0
    for x, y, m in zip(logits.ravel().astype(float), targets.ravel(), mask.ravel(), strict=True):
        p = 1 / (1 + np.exp(-x))
        total -= m * ((1 - p) ** 2 * np.log(p) if y == 1 else (1 - float(y)) ** 4 * p**2 * np.log(1 - p))
    expected = total / (targets == 1).sum()
    assert float(gaussian_focal_loss(logits, targets, mask)) == pytest.approx(expected, rel=1e-5)
    none = np.zeros_like(targets)
    far = np.full_like(logits, 200.0)
    assert float(gaussian_focal_loss(far, none)) == pytest.approx(200.0 * far.size, rel=1e-5)


def smooth(difference):
    return 0.5 * difference**2 if abs(difference) < 1 else abs(difference) - 0.5


def test_shifts_are_compared_as_in_a_loop():
    rng = np.random.default_rng(1)
    loss = CentripetalNet.default_loss
    boxes = np.array([[[3, 5, 40, 60], [30, 8, 90, 50], [31, 9, 70, 60]]], np.float32)
    annotations = {"boxes": boxes, "labels": np.array([[0, 1, 0]], np.int32)}
    targets = CentripetalCodec(2).encode(annotations, (64, 96), (8, 12))
    outputs = {}
    expected = dict.fromkeys(("offset", "guiding", "centripetal"), 0.0)
    for branch in CORNERS:
        target = {key: np.array(value) for key, value in targets[branch].items()}
        heads = {head: rng.normal(0, 2, (1, 8, 12, 2)).astype(np.float32) for head in expected}
        outputs[branch] = {"heatmap": np.zeros((1, 8, 12, 2), np.float32), **heads}
        taught = np.flatnonzero(target["offset_mask"][0])
        assert len(taught) == (2 if branch == "top_left" else 3)  # two boxes begin in one cell
        for head, weight in (("offset", 1.0), ("guiding", 0.05), ("centripetal", 1.0)):
            for k in taught:
                row, column = divmod(int(target["offset_index"][0, k]), 12)
                for axis in (0, 1):
                    apart = float(heads[head][0, row, column, axis] - target[head][0, k, axis])
                    expected[head] += weight * smooth(apart) / len(taught) / 2
    terms = loss(targets, [outputs])
    for head, value in expected.items():
        assert float(terms[head]) == pytest.approx(value, rel=1e-5)
