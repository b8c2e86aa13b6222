"""Boxes to triplets and back, and what centres confirm: against plain loops and the authors' arrays."""

import json

import numpy as np
import pytest
from codec_cases import CASES, check_targets, encode, perfect_maps, random_boxes
from keras import ops

from keras_cornernet.backend import jit
from keras_cornernet.codecs import CornerCodec, TripletCodec, confirm_by_centers
from keras_cornernet.ops.gaussian import gaussian_radius


def test_centers_equal_a_plain_loop():
    rng = np.random.default_rng(0)
    codec, (height, width), (rows, columns) = TripletCodec(3), (96, 160), (12, 20)
    boxes = np.stack([random_boxes(rng, 7, height, width) for _ in range(2)])
    labels = rng.integers(-1, 3, (2, 7)).astype(np.int32)
    ignore = rng.random((2, 7)) < 0.2
    annotations = {"boxes": boxes, "labels": labels, "ignore": ignore}
    got = encode(codec, annotations, (height, width), (rows, columns))["center"]
    heat, down, right = np.zeros((2, rows, columns, 3)), *np.mgrid[:rows, :columns]
    for b, k in np.ndindex(labels.shape):
        if labels[b, k] < 0 or ignore[b, k]:
            assert not got["offset"][b, k].any()
            continue
        x1, y1, x2, y2 = boxes[b, k].astype(float) / 8
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        r = int(gaussian_radius(np.ceil(y2 - y1), np.ceil(x2 - x1), 0.7, corrected=False))
        sigma = (2 * r + 1) / 5
        away = (down - int(y), right - int(x))
        bump = np.exp(-(away[0] ** 2 + away[1] ** 2) / (2 * sigma**2)) * (np.abs(away).max(0) <= r)
        heat[b, ..., labels[b, k]] = np.maximum(heat[b, ..., labels[b, k]], bump)
        assert got["index"][b, k] == int(y) * columns + int(x)
        np.testing.assert_allclose(got["offset"][b, k], [x % 1, y % 1], atol=1e-5)
    np.testing.assert_allclose(got["heatmap"], heat, atol=1e-6)


def test_corners_are_those_of_a_corner_codec():
    boxes = random_boxes(np.random.default_rng(1), 5, 64, 64)[None]
    annotations = {"boxes": boxes, "labels": np.array([[0, 1, 0, -1, 1]], np.int32)}
    got = encode(TripletCodec(2, offset_reach=1), annotations, (64, 64), (16, 16))
    plain = CornerCodec(2, min_overlap=0.7, corrected_radius=False, offset_reach=1)
    expected = encode(plain, annotations, (64, 64), (16, 16))
    assert set(got["center"]) == {"heatmap", "offset", "index", "offset_index", "offset_mask"}
    for branch in ("top_left", "bottom_right"):
        for name, array in expected[branch].items():
            np.testing.assert_array_equal(got[branch][name], array)
    assert TripletCodec(2).top_k == 70 and TripletCodec(2).num_detections == 1000


@pytest.mark.parametrize("case", sorted(set(CASES) - {"too_many_a"}))  # which the authors' code fails on
def test_target_parity(parity, case):
    stored = np.load(parity("targets") / f"{case}.npz")
    # Their numbers were made with CornerNet's overlap for all repositories.
    codec = TripletCodec(4, min_overlap=0.3, **CASES[case])
    branches = check_targets(stored, codec, "centernet")
    assert branches == ["top_left", "bottom_right", "center"]


def test_decoded_targets_are_the_boxes():
    grid, size = (32, 32), (127, 127)
    boxes = np.array([[[4, 6, 40, 50], [30, 60, 120, 100], [60, 8, 110, 41], [0, 0, 0, 0]]], np.float32)
    labels = np.array([[0, 2, 1, -1]], np.int32)
    codec = TripletCodec(3, num_detections=30)
    targets = encode(codec, {"boxes": boxes, "labels": labels}, size, grid)
    decode = jit(lambda outputs: tuple(codec.decode(outputs, size)))
    outputs = perfect_maps(targets, grid, np.arange(4.0)[None], 3)
    found = [ops.convert_to_numpy(part) for part in decode(outputs)]
    got, scores, labels_found, _, centers, center_scores, center_labels = found
    best = scores[0] > 0.5
    order = np.argsort(labels_found[0][best])
    np.testing.assert_allclose(got[0][best][order], boxes[0, [0, 2, 1]], atol=2e-3)
    high = center_scores[0] > 0.5
    order = np.argsort(center_labels[0][high])
    middles = (boxes[0, :, :2] + boxes[0, :, 2:])[[0, 2, 1]] / 2
    np.testing.assert_allclose(centers[0][high][order], middles, atol=2e-3)
    confirmed = ops.convert_to_numpy(confirm_by_centers(*found[:3], *found[4:]))
    np.testing.assert_allclose(confirmed[0][best], 1 / (1 + np.exp(-8)), atol=1e-5)


def test_fewer_peaks_than_asked_for_are_no_centers():
    flat = {"heatmap": np.full((1, 8, 8, 1), 9, np.float32), "offset": np.zeros((1, 8, 8, 2), np.float32)}
    flat["heatmap"][0, ::2, 1::2] = flat["heatmap"][0, 1::2] = -9
    flat["heatmap"][0, 4, 4] = 10
    corner = {**flat, "embedding": np.zeros((1, 8, 8, 1), np.float32)}
    found = TripletCodec(1).decode([{"top_left": corner, "bottom_right": corner, "center": flat}], (32, 32))
    scores = ops.convert_to_numpy(found.center_scores)[0]
    assert (scores >= 0).sum() < 30 and ((scores == -1) | (scores > 0)).all() and (scores == -1).any()


def naive_confirm(boxes, scores, labels, centers, center_scores, center_labels, best=False):
    """The rule, box by box."""
    out = np.full(len(boxes), -1.0)
    for i, (x1, y1, x2, y2) in enumerate(boxes.astype(np.float64)):
        n = 3 if (x2 - x1) * (y2 - y1) <= 22500 else 5
        trim = (n - 1) / (2 * n)
        left, right = x1 + trim * (x2 - x1), x2 - trim * (x2 - x1)
        top, bottom = y1 + trim * (y2 - y1), y2 - trim * (y2 - y1)
        found = [
            s
            for (x, y), s, c in zip(centers, center_scores, center_labels, strict=True)
            if s >= 0 and c == labels[i] and left < x < right and top < y < bottom
        ]
        if scores[i] >= 0 and found:
            out[i] = (2 * scores[i] + (max(found) if best else found[0])) / 3
    return out


@pytest.mark.parametrize("best", [False, True])
def test_centers_confirm_boxes_as_a_plain_loop_says(best):
    rng = np.random.default_rng(5)
    boxes = np.stack([random_boxes(rng, 200, 400, 500) for _ in range(2)])
    scores = rng.uniform(-0.2, 1, (2, 200)).astype(np.float32)
    labels = rng.integers(0, 3, (2, 200)).astype(np.int32)
    centers = rng.uniform(0, [500, 400], (2, 60, 2)).astype(np.float32)
    center_scores = np.sort(rng.uniform(-0.1, 1, (2, 60)).astype(np.float32))[:, ::-1].copy()
    center_scores = np.roll(center_scores, 30, axis=1)  # two lists, as of an image and its mirror image
    center_labels = rng.integers(0, 3, (2, 60)).astype(np.int32)
    arrays = (boxes, scores, labels, centers, center_scores, center_labels)
    got = ops.convert_to_numpy(jit(lambda *a: confirm_by_centers(*a, best=best))(*arrays))
    expected = np.stack([naive_confirm(*(a[i] for a in arrays), best=best) for i in range(2)])
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert 20 < (expected >= 0).sum() < 380
    large = (boxes[..., 2:] - boxes[..., :2]).prod(-1) > 22500
    assert (expected[large] >= 0).any() and (expected[~large] >= 0).any()


def test_the_middle_of_a_box_at_the_limit():
    """At 150 x 150 the middle is a third, just above a fifth; its border is outside."""

    def confirmed(side, x):
        box = np.array([[[0, 0, side, side]]], np.float32)
        center = np.array([[[x, side / 2]]], np.float32)
        one, label = np.full((1, 1), 0.5, np.float32), np.zeros((1, 1), np.int32)
        return float(confirm_by_centers(box, one, label, center, one, label)[0, 0]) > 0

    assert confirmed(150, 50.1) and not confirmed(150, 50) and not confirmed(150, 49.9)
    assert confirmed(151, 151 * 0.41) and not confirmed(151, 151 * 0.39)


def test_decode_parity(parity):
    folder = parity("centernet")
    settings = json.loads((folder / "config.json").read_text())["decode_settings"]
    heads = np.load(folder / "heads.npz")
    names = {"heatmap": "heat", "embedding": "tag", "offset": "regr"}
    outputs = [
        {
            branch: {h: heads[f"{c}_{n}_0"] for h, n in names.items() if f"{c}_{n}_0" in heads}
            for branch, c in (("top_left", "tl"), ("bottom_right", "br"), ("center", "ct"))
        }
    ]
    for case, config in settings.items():
        codec = TripletCodec(
            4,
            top_k=config["K"],
            num_detections=config["num_dets"],
            embedding_threshold=config["ae_threshold"],
            peak_kernel=config["kernel"],
        )
        found = codec.decode(outputs, (127, 127))
        boxes, scores, labels, sides, centers, center_scores, center_labels = (
            ops.convert_to_numpy(part) for part in found
        )
        stored = np.load(folder / "decode.npz")
        rows = [boxes * (32 / 127), scores[..., None], sides, labels[..., None]]
        hold_to(np.concatenate(rows, axis=-1), stored[f"detections_{case}"], score=4)
        rows = [centers * (32 / 127), center_labels[..., None], center_scores[..., None]]
        hold_to(np.concatenate(rows, axis=-1), stored[f"centers_{case}"], score=3)


def hold_to(found, expected, score):
    """Rows of each image as sets, since the order among equals is free."""
    for ours, theirs in zip(found, expected, strict=True):
        ours, theirs = ours[ours[:, score] > -1], theirs[theirs[:, score] > -1]
        # Where there are fewer peaks the authors fill up with cells of score 0.
        theirs = theirs[theirs[:, score] > 0]
        assert len(ours) == len(theirs) > 0
        apart = np.abs(ours[:, None] - theirs[None]).max(axis=-1)
        assert sorted(apart.argmin(axis=0)) == list(range(len(ours)))
        assert apart.min(axis=0).max() < 1e-4
