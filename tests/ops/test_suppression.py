"""Soft-NMS against a plain loop and against the authors' compiled code."""

import json
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from naive_soft_nms import authors_merge, naive, overlap_of

from keras_cornernet.backend import jit
from keras_cornernet.ops.suppression import soft_nms

# Inputs and outputs of princeton-vl/CornerNet `external/nms.pyx`, compiled. Rows are x1, y1, x2, y2, score,
# and the scores of the two corners.
FIXTURE = Path(__file__).parents[1] / "fixtures" / "soft_nms.npz"
METHODS = {0: "hard", 1: "linear", 2: "gaussian"}
SETTINGS = [
    {"method": 2, "sigma": 0.5, "Nt": 0.5},
    {"method": 1, "Nt": 0.5},
    {"method": 0, "Nt": 0.5},
    {"method": 2, "sigma": 0.7, "Nt": 0.5},
    {"method": 1, "Nt": 0.3, "threshold": 0.05},
]


def ours(images, setting, exponent=None, labels=None, most=None):
    """Images through `soft_nms` as one batch; of each the kept rows x1, y1, x2, y2, score; their places."""
    longest = max(1, *map(len, images))
    rows = np.full((len(images), longest, 7), -1, np.float32)
    for padded, given in zip(rows, images, strict=True):
        padded[: len(given)] = given
    labels = np.zeros(rows.shape[:2], np.int32) if labels is None else labels

    @jit
    def run(rows, labels):
        return soft_nms(
            rows[..., :4],
            rows[..., 4],
            labels,
            method=METHODS[setting["method"]],
            sigma=setting.get("sigma", 0.5),
            iou_threshold=setting["Nt"],
            score_threshold=setting.get("threshold", 0.001),
            max_detections=most or longest,
            corner_scores=rows[..., 5:] if exponent else None,
            merge_exponent=exponent,
        )

    kept = run(rows, labels)
    found = []
    for boxes, scores, index in zip(*map(ops.convert_to_numpy, kept), strict=True):
        live = scores >= 0
        assert not live[live.sum() :].any()  # the kept ones come first
        found.append((np.concatenate([boxes[live], scores[live, None]], axis=1), index[live].tolist()))
    return found


def random_rows(rng, count):
    low = rng.uniform(0, 60, (count, 2))
    corners = rng.uniform(0.1, 1, (count, 2))
    return np.concatenate([low, low + rng.uniform(5, 40, (count, 2)), corners.mean(1)[:, None], corners], 1)


def inputs_of(cases):
    return {key.removesuffix("__in"): cases[key] for key in cases.files if key.endswith("__in")}


def test_literal_scores():
    rows = [[0, 0, 10, 10, 0.9, 0.9, 0.9], [1, 1, 11, 11, 0.8, 0.8, 0.8]]
    ((got, places),) = ours([rows], {"method": 2, "sigma": 0.5, "Nt": 0.5})
    np.testing.assert_allclose(got[:, 4], [0.9, 0.296707], atol=1e-6)
    assert places == [0, 1]
    ((got, _),) = ours([rows], {"method": 2, "sigma": 0.7, "Nt": 0.5})
    np.testing.assert_allclose(got[1, 4], 0.8 * 0.492394, atol=1e-6)


@pytest.mark.parametrize("exponent", [None, 6.0])
@pytest.mark.parametrize("setting", SETTINGS)
def test_equals_a_plain_loop(setting, exponent):
    rows = random_rows(np.random.default_rng(0), 35)
    expected, places = naive(rows, setting, exponent)
    ((got, index),) = ours([rows], setting, exponent)
    assert index == places
    np.testing.assert_allclose(got[:, :4], expected[:, :4], atol=1e-3)
    np.testing.assert_allclose(got[:, 4], expected[:, 4], atol=1e-5)


def test_classes_do_not_touch_each_other_and_the_best_of_all_are_kept():
    rng = np.random.default_rng(2)
    rows, labels = random_rows(rng, 40), rng.integers(0, 3, 40).astype(np.int32)
    setting = SETTINGS[0]
    expected = []
    for label in range(3):
        mine = np.flatnonzero(labels == label)
        out, places = naive(rows[mine], setting)
        expected += [(score, int(mine[p])) for score, p in zip(out[:, 4], places, strict=True)]
    expected.sort(reverse=True)
    ((got, index),) = ours([rows], setting, labels=labels[None], most=15)
    assert index == [place for _, place in expected[:15]]
    np.testing.assert_allclose(got[:, 4], [score for score, _ in expected[:15]], atol=1e-5)


def test_images_of_a_batch_do_not_touch_each_other_and_padding_is_passed_over():
    rng = np.random.default_rng(3)
    first, second = random_rows(rng, 12).astype(np.float32), random_rows(rng, 12).astype(np.float32)
    second[[1, 5, 6], 4] = -1
    both = np.stack([first, second])
    kept = soft_nms(both[..., :4], both[..., 4], np.zeros((2, 12), np.int32), max_detections=20)
    scores = ops.convert_to_numpy(kept.scores)
    ((alone, _),) = ours([first], SETTINGS[0])
    np.testing.assert_allclose(scores[0, :12], alone[:, 4], atol=1e-6)
    live, _ = naive(second[second[:, 4] >= 0], SETTINGS[0])
    np.testing.assert_allclose(scores[1, :9], live[:, 4], atol=1e-6)
    assert (scores[1, 9:] == -1).all() and (scores[0, 12:] == -1).all()


def test_a_score_of_zero_is_a_box_and_minus_one_is_none():
    rows = np.array([[0, 0, 5, 5, 0.0, 0, 0], [9, 9, 12, 12, -1, 0, 0]], np.float32)
    ((got, index),) = ours([rows], SETTINGS[0], most=3)
    assert index == [0] and got[0, 4] == 0


@pytest.mark.parametrize("exponent", [None, 6.0])
def test_no_boxes(exponent):
    none = np.zeros((2, 0), np.float32)
    kept = soft_nms(
        np.zeros((2, 0, 4), np.float32),
        none,
        none.astype(np.int32),
        max_detections=7,
        corner_scores=np.zeros((2, 0, 2), np.float32),
        merge_exponent=exponent,
    )
    assert kept.boxes.shape == (2, 7, 4)
    assert (ops.convert_to_numpy(kept.scores) == -1).all()
    assert np.isfinite(ops.convert_to_numpy(kept.boxes)).all()


def test_merging_moves_only_corners_of_boxes_that_overlap():
    rows = [[0, 0, 10, 10, 0.9, 0.9, 0.9], [2, 2, 12, 12, 0.8, 0.3, 0.9], [50, 50, 60, 60, 0.7, 0.7, 0.7]]
    ((got, _),) = ours([rows], SETTINGS[0], 1.0)
    weight = 1 - np.exp(-2 * overlap_of(*rows[:2]) ** 2)
    first = weight * 0.3 * 2 / (0.9 + weight * 0.3)
    second = (10 * 0.9 + 12 * weight * 0.9) / (0.9 + weight * 0.9)
    np.testing.assert_allclose(got[0, :4], [first, first, second, second], rtol=1e-5)
    np.testing.assert_allclose(got[1], [50, 50, 60, 60, 0.7], rtol=1e-5)


def test_corners_without_a_score_are_merged_to_a_finite_box():
    rows = [[0, 0, 10, 10, 0.5, 0.0, 1.0], [2, 2, 12, 12, 0.4, 0.0, 0.8]]
    ((got, _),) = ours([rows], SETTINGS[0], 1.0)
    assert np.isfinite(got).all()
    assert 0 <= got[0, 0] <= 2


def test_wrong_use_is_refused():
    rows = random_rows(np.random.default_rng(0), 3).astype(np.float32)[None]
    labels = np.zeros((1, 3), np.int32)
    with pytest.raises(ValueError, match="method must be one of"):
        soft_nms(rows[..., :4], rows[..., 4], labels, method="exp")
    with pytest.raises(ValueError, match="corner_scores are needed"):
        soft_nms(rows[..., :4], rows[..., 4], labels, merge_exponent=8)


def test_equals_the_authors():
    cases = np.load(FIXTURE)
    inputs = inputs_of(cases)
    for i, setting in enumerate(SETTINGS):
        for name, (got, _) in zip(inputs, ours(list(inputs.values()), setting), strict=True):
            expected = cases[f"{name}__soft_nms_{i}"]
            assert len(got) == len(expected), (name, i)
            np.testing.assert_allclose(got[:, :4], expected[:, :4], rtol=0, atol=1e-4, err_msg=f"{name} {i}")
            np.testing.assert_allclose(got[:, 4], expected[:, 4], rtol=0, atol=1e-6, err_msg=f"{name} {i}")


def test_the_fixture_is_the_parity_folder(parity):
    assert json.loads((parity("soft_nms") / "params.json").read_text())["settings"] == SETTINGS
    cases, fixture = np.load(parity("soft_nms") / "cases.npz"), np.load(FIXTURE)
    assert inputs_of(cases).keys() == inputs_of(fixture).keys()
    for key in fixture.files:
        kept = slice(None) if key.endswith("__in") else slice(int(cases[f"{key}_keep"]))
        columns = 7 if key.endswith("__in") else 5
        np.testing.assert_array_equal(fixture[key], cases[key][kept, :columns], err_msg=key)


def test_merging_parity(parity):
    """The released merging is the loop above with its slip; its scores are right, and ours."""
    cases = np.load(parity("soft_nms") / "cases.npz")
    inputs = inputs_of(cases)
    for i, setting in enumerate(SETTINGS):
        for name, (got, _) in zip(inputs, ours(list(inputs.values()), setting, 6), strict=True):
            for exponent in (6, 8):
                key = f"{name}__soft_nms_merge_{i}_exp{exponent}"
                stored = cases[key][: int(cases[f"{key}_keep"]), :5]
                slipped = authors_merge(inputs[name], setting, exponent)
                np.testing.assert_allclose(slipped, stored, rtol=0, atol=1e-4, err_msg=key)
            np.testing.assert_allclose(got[:, 4], stored[:, 4], rtol=0, atol=1e-6, err_msg=key)
            if name in ("single", "disjoint", "identical"):  # nothing to merge, or with itself
                np.testing.assert_allclose(got, stored, rtol=0, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("setting", SETTINGS[:3])
def test_merging_equals_the_authors_where_corner_scores_cannot_be_mixed_up(setting):
    rows = random_rows(np.random.default_rng(5), 35)
    rows[:, 5:] = 0.4, 0.7
    expected = authors_merge(rows, setting, 8)
    ((got, _),) = ours([rows], setting, 8)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3)


def test_without_suppression_the_best_boxes_stay():
    boxes = np.array([[[0, 0, 9, 9], [0, 0, 9, 8], [5, 5, 9, 9], [1, 1, 2, 2]]], np.float32)
    scores, labels = np.array([[0.2, 0.9, 0.5, -1.0]], np.float32), np.zeros((1, 4), np.int32)
    for most, expected in ((2, [1, 2]), (6, [1, 2, 0])):
        kept = soft_nms(boxes, scores, labels, method="none", max_detections=most)
        found, best, index = (ops.convert_to_numpy(part)[0] for part in kept)
        assert len(found) == len(best) == len(index) == most
        count = len(expected)
        np.testing.assert_array_equal(index[:count], expected)
        np.testing.assert_array_equal(found[:count], boxes[0][expected])
        np.testing.assert_array_equal(best, [*scores[0][expected], *[-1] * (most - count)])
        assert (found[count:] == 0).all() and (index < 4).all()
