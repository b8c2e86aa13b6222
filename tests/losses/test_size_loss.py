"""The loss of Objects as Points against the authors' numbers and a loop."""

import json

import numpy as np
import pytest
from gradients import value_and_gradients

from keras_cornernet.losses import DetectionLoss, offset_loss
from keras_cornernet.losses.offset import dense_size_loss

POINTS = {"pull_weight": 0.0, "push_weight": 0.0, "size_weight": 0.1, "offset_beta": 0.0}
HEADS = {"heatmap": "hm", "size": "wh", "offset": "reg"}
STACKS = {"normal": 2}
CASES = (
    *("normal", "one_empty", "no_object", "extreme_logits", "crowded"),
    *("cat_spec", "dense", "smooth_l1"),
)


@pytest.fixture(scope="module")
def folder(parity):
    return parity("objects_as_points")


def case_of(folder, name):
    """Targets, heads in the order of `HEADS` by stack, and the authors' gradients in the same order."""
    z = np.load(folder / "losses.npz")
    center = {
        "heatmap": z[f"{name}__gt_hm"],
        "offset": z[f"{name}__gt_reg"],
        "index": z[f"{name}__gt_ind"].astype(np.int32),
    }
    targets = {"center": center, "mask": z[f"{name}__gt_reg_mask"].astype(np.float32)}
    if name == "cat_spec":
        chosen, sizes = (z[f"{name}__gt_cat_spec_{x}"].reshape(1, 128, -1, 2) for x in ("mask", "wh"))
        center["size_label"] = chosen[..., 0].argmax(axis=-1).astype(np.int32)
        center["size"] = sizes.sum(axis=2)  # all but one are 0
    elif name == "dense":
        center["size_map"], center["size_map_weight"] = (z[f"{name}__gt_dense_wh{x}"] for x in ("", "_mask"))
    else:
        center["size"] = z[f"{name}__gt_wh"]
    stacks = range(STACKS.get(name, 1))
    heads = [z[f"{name}__{'hm_logits' if h == 'hm' else h}_{i}"] for i in stacks for h in HEADS.values()]
    gradients = [z[f"{name}__grad_{h}_{i}"] for i in stacks for h in HEADS.values()]
    return targets, heads, gradients


def outputs_of(heads):
    groups = [heads[i : i + len(HEADS)] for i in range(0, len(heads), len(HEADS))]
    return [{"center": dict(zip(HEADS, group, strict=True))} for group in groups]


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_are_the_authors(name, folder):
    targets, heads, gradients = case_of(folder, name)
    expected = json.loads((folder / "loss_values.json").read_text())[name]["float64"]
    smooth = {"offset_beta": 1.0, "size_beta": 1.0} if name == "smooth_l1" else {}
    loss = DetectionLoss(**{**POINTS, **smooth})
    tolerance = 1e-4 if name == "extreme_logits" else 1e-5
    terms = {key: float(value) for key, value in loss(targets, outputs_of(heads)).items()}
    assert tuple(terms) == loss.names == ("focal", "offset", "size")
    assert terms == {
        "focal": pytest.approx(expected["hm_loss"], rel=tolerance),
        "offset": pytest.approx(expected["off_loss"], rel=tolerance),
        "size": pytest.approx(0.1 * expected["wh_loss"], rel=tolerance),
    }
    value, found = value_and_gradients(lambda *maps: sum(loss(targets, outputs_of(maps)).values()), *heads)
    assert float(value) == pytest.approx(expected["loss"], rel=tolerance)
    for ours, theirs in zip(found, gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=1e-6)


def test_l1_is_a_mean_over_coordinates():
    rng = np.random.default_rng(0)
    predicted, targets = rng.normal(size=(2, 3, 5, 2)).astype(np.float32)
    mask = rng.integers(0, 2, (3, 5)).astype(np.float32)
    total = 0.0
    for b, k in np.argwhere(mask == 1):
        total += abs(predicted[b, k, 0] - targets[b, k, 0]) + abs(predicted[b, k, 1] - targets[b, k, 1])
    expected = total / (2 * mask.sum() + 1e-4)
    assert float(offset_loss(predicted, targets, mask, beta=0.0)) == pytest.approx(expected, rel=1e-5)
    assert float(offset_loss(predicted, targets, np.zeros_like(mask), beta=0.0)) == 0


def test_dense_sizes_are_weighted():
    rng = np.random.default_rng(1)
    predicted, targets = rng.normal(size=(2, 1, 3, 4, 2)).astype(np.float32)
    weight = rng.uniform(0, 1, (1, 3, 4, 2)).astype(np.float32)
    total = sum(
        weight[0, i, j, c] * abs(predicted[0, i, j, c] - targets[0, i, j, c])
        for i in range(3)
        for j in range(4)
        for c in range(2)
    )
    expected = total / (weight.sum() + 1e-4)
    assert float(dense_size_loss(predicted, targets, weight)) == pytest.approx(expected, rel=1e-5)


def test_names_are_those_of_the_terms_that_count():
    assert DetectionLoss().names == ("focal", "pull", "push", "offset")
    assert DetectionLoss(**POINTS).names == ("focal", "offset", "size")


def test_another_heatmap_loss_can_be_given(folder):
    targets, heads, _ = case_of(folder, "normal")

    def half(logits, targets, mask=None):
        return 0.5

    terms = DetectionLoss(**POINTS, heatmap_loss=half)(targets, outputs_of(heads))
    assert float(terms["focal"]) == 0.5


def test_sample_weights_multiply_what_each_image_adds():
    rng = np.random.default_rng(3)
    predicted, targets = rng.normal(size=(2, 2, 4, 5, 2)).astype(np.float32)
    weight = rng.random((2, 4, 5, 2)).astype(np.float32)
    first, second = (
        float(dense_size_loss(predicted, targets, weight, sample_weight=np.array(w, np.float32)))
        for w in ([1, 0], [0, 3])
    )
    assert first + second / 3 == pytest.approx(float(dense_size_loss(predicted, targets, weight)), rel=1e-5)
