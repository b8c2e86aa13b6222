"""Corners that point to centres: targets and pairing of CentripetalNet."""

import json

import numpy as np
import pytest
from codec_cases import encode, random_boxes
from keras import ops

from keras_cornernet.codecs import CentripetalCodec

CASES = ("random", "tiny", "large", "crowded", "border", "aligned")
CORNERS = {"top_left": "tl", "bottom_right": "br"}
GRID = (32, 48)
HEADS = {"offset": "off", "guiding": "guiding", "centripetal": "centripetal"}


@pytest.fixture(scope="module")
def folder(parity):
    return parity("centripetal")


def dense(target, head):
    """The map `(h, w, 2)` that the rows of one image describe."""
    maps = np.zeros((GRID[0] * GRID[1], 2), np.float32)
    for k in np.flatnonzero(target["offset_mask"][0]):
        assert not maps[target["offset_index"][0, k]].any()  # one row a cell
        maps[target["offset_index"][0, k]] = target[head][0, k]
    return maps.reshape(*GRID, 2)


@pytest.mark.parametrize("name", CASES)
def test_targets_are_the_authors(name, folder):
    z = np.load(folder / "targets.npz")
    case = json.loads((folder / "cases.json").read_text())["targets"][name]
    annotations = {
        "boxes": z[f"{name}__boxes"][None],
        "labels": z[f"{name}__labels"][None].astype(np.int32),
    }
    targets = encode(CentripetalCodec(3), annotations, tuple(case["input_size"]), GRID)
    for branch, short in CORNERS.items():
        target = targets[branch]
        np.testing.assert_allclose(target["heatmap"][0], z[f"{name}__{short}_heat"], rtol=0, atol=1e-5)
        assert (target["heatmap"][0] == 1).sum() == case[f"{short}_positives"]
        assert target["offset_mask"].sum() == case[f"{short}_cells"]
        for head, stored in HEADS.items():
            theirs = z[f"{name}__{short}_{stored}"]
            tolerance = 5e-5 if head == "centripetal" else 1e-5
            np.testing.assert_allclose(dense(target, head), theirs, rtol=0, atol=tolerance)


def naive_maps(boxes, corner, inwards):
    """Offset, guiding and centripetal maps of one image, box by box; boxes in cells."""
    maps = {head: np.zeros((*GRID, 2)) for head in HEADS}
    for box in boxes:
        x, y = box[2 * corner], box[2 * corner + 1]
        column, row = int(min(x, GRID[1] - 1)), int(min(y, GRID[0] - 1))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        maps["offset"][row, column] = x - column, y - row
        maps["guiding"][row, column] = inwards * (middle[0] - column), inwards * (middle[1] - row)
        maps["centripetal"][row, column] = np.log((box[2] - box[0]) / 2), np.log((box[3] - box[1]) / 2)
    return maps


def test_targets_are_those_of_a_loop():
    rng = np.random.default_rng(7)
    # In a corner of the image, so that many corners share a cell.
    boxes = np.concatenate([random_boxes(rng, 30, 40, 40), random_boxes(rng, 10, 256, 384)])
    labels = rng.integers(0, 3, (1, 40)).astype(np.int32)
    targets = encode(CentripetalCodec(3), {"boxes": boxes[None], "labels": labels}, (256, 384), GRID)
    for corner, (branch, inwards) in enumerate((("top_left", 1), ("bottom_right", -1))):
        expected = naive_maps(boxes.astype(np.float64) / 8, corner, inwards)
        cells = np.abs(expected["centripetal"]).sum(-1) > 0
        assert targets[branch]["offset_mask"].sum() == cells.sum() < 40
        for head in HEADS:
            np.testing.assert_allclose(dense(targets[branch], head), expected[head], rtol=0, atol=2e-4)


def naive_pairs(first, second, codec):
    """Score of each pair, or -1, pair by pair; corners are rows x, y, centre x, centre y, score, class."""
    scores = np.full((len(first), len(second)), -1.0)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            width, height = b[0] - a[0], b[1] - a[1]
            if a[5] != b[5] or width <= 0 or height <= 0:
                continue
            share = 1 / 2.1 if width * height > 3500 else 1 / 2.4
            region = [(a[k] + b[k]) / 2 + s * share * (b[k] - a[k]) / 2 for s in (-1, 1) for k in (0, 1)]
            inside = all(region[k] < c[2 + k] < region[2 + k] for c in (a, b) for k in (0, 1))
            between = abs((a[2] - b[2]) * (a[3] - b[3])) / (share**2 * width * height)
            if inside and between <= codec.center_distance:
                mean = np.sqrt(a[4] * b[4]) if codec.geometric_score else (a[4] + b[4]) / 2
                scores[i, j] = mean * np.exp(-codec.distance_scale * between)
    return scores


def maps_of(z, case):
    """The outputs of a network, one image."""
    return [
        {
            branch: {
                "heatmap": z[f"{case}__{short}_heat"][None],
                "offset": z[f"{case}__{short}_off"][None],
                "centripetal": z[f"{case}__{short}_centripetal"][None],
            }
            for branch, short in CORNERS.items()
        }
    ]


def decoded_of(codec, outputs, *arguments):
    return {
        name: ops.convert_to_numpy(value)[0]
        for name, value in codec.decode(outputs, *arguments)._asdict().items()
    }


@pytest.mark.parametrize("name", ["plain", "bordered"])
def test_pairs_are_the_authors(name, folder):
    z = np.load(folder / "decoding.npz")
    case = json.loads((folder / "cases.json").read_text())["decoding"][name]
    codec = CentripetalCodec(
        3, top_k=case["k"], num_detections=case["num_dets"], center_distance=case["distance_threshold"]
    )
    top, _, left, _ = case["border"] or (0, 0, 0, 0)
    found = decoded_of(codec, maps_of(z, name), tuple(case["input_size"]), (left, top))
    kept = case["kept"]
    assert (found["scores"] >= 0).sum() == kept
    theirs = z[f"{name}__decoded"][:kept]
    boxes = found["boxes"][:kept] - np.tile([left, top], 2)
    np.testing.assert_allclose(boxes, theirs[:, :4], rtol=0, atol=0.01)
    np.testing.assert_allclose(found["scores"][:kept], theirs[:, 4], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found["labels"][:kept], theirs[:, 5])
    pair = z[f"{name}__decoded_pair"][:kept]
    both = np.stack([z[f"{name}__tl_score"][pair[:, 0]], z[f"{name}__br_score"][pair[:, 1]]], axis=-1)
    np.testing.assert_allclose(found["corner_scores"][:kept], both, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "scoring", [{}, {"geometric_score": True, "distance_scale": 1.0}, {"center_distance": 0.05}]
)
def test_pairs_are_those_of_a_loop(scoring):
    rng = np.random.default_rng(5)
    codec = CentripetalCodec(2, top_k=192, num_detections=1000, peak_kernel=1, **scoring)
    size = (8, 12)
    outputs = [
        {
            branch: {
                "heatmap": rng.normal(-2, 2, (1, *size, 2)).astype(np.float32),
                "offset": rng.uniform(0, 1, (1, *size, 2)).astype(np.float32),
                "centripetal": rng.normal(0.8, 0.5, (1, *size, 2)).astype(np.float32),
            }
            for branch in CORNERS
        }
    ]
    found = decoded_of(codec, outputs, (64, 96))
    corners = []
    for branch, sign in (("top_left", 1), ("bottom_right", -1)):
        maps = outputs[0][branch]
        best = np.argsort(-maps["heatmap"][0].reshape(-1))[:192]
        rows = []
        for cell, label in zip(best // 2, best % 2, strict=True):
            y, x = divmod(cell, size[1])
            corner = np.array([x, y]) + maps["offset"][0, y, x]
            center = corner + sign * np.exp(maps["centripetal"][0, y, x])
            score = 1 / (1 + np.exp(-maps["heatmap"][0, y, x, label]))
            rows.append([*np.maximum(corner * 8, 0), *np.maximum(center * 8, 0), score, label])
        corners.append(rows)
    expected = naive_pairs(*corners, codec)
    count = (expected >= 0).sum()
    assert count > 5
    np.testing.assert_allclose(
        found["scores"][:count], np.sort(expected.reshape(-1))[::-1][:count], rtol=1e-5
    )
    assert (found["scores"][count:] == -1).all()


@pytest.mark.parametrize("reach", [0, 1])
def test_targets_that_a_network_meets_give_the_boxes_back(reach):
    rng = np.random.default_rng(2)
    codec = CentripetalCodec(3, offset_reach=reach)
    boxes = random_boxes(rng, 12, 256, 384)
    annotations = {"boxes": boxes[None], "labels": rng.integers(0, 3, (1, 12)).astype(np.int32)}
    targets = encode(codec, annotations, (256, 384), GRID)
    outputs = {}
    for branch in CORNERS:
        target = targets[branch]
        heatmap = np.where(target["heatmap"] == 1, 8.0, -8.0).astype(np.float32)
        heads = {head: dense(target, head)[None] for head in ("offset", "centripetal")}
        outputs[branch] = {"heatmap": heatmap, **heads}
    found = decoded_of(CentripetalCodec(3, peak_kernel=1), [outputs], (256, 384))
    # A corner cell that two boxes share teaches the later one alone.
    alone = [
        k
        for k in range(12)
        if all((np.delete(targets[b]["index"][0], k) != targets[b]["index"][0, k]).all() for b in CORNERS)
    ]
    assert len(alone) > 8
    for k in alone:
        error = np.abs(found["boxes"][found["scores"] > 0.9] - boxes[k]).max(axis=1).min()
        assert error < 0.01


def test_a_cell_in_reach_of_two_corners_teaches_its_own():
    boxes = np.array([[[0, 0, 40, 40], [8, 0, 56, 40]]], np.float32)
    annotations = {"boxes": boxes, "labels": np.array([[0, 0]], np.int32)}
    target = encode(CentripetalCodec(1, offset_reach=1), annotations, (64, 64), (8, 8))["top_left"]
    own = target["offset_mask"][0] == 1
    shifts = target["centripetal"][0, :, 0]
    taught = dict(zip(target["offset_index"][0][own], shifts[own], strict=True))
    assert taught[0] == pytest.approx(np.log(2.5))  # the cell of the first box, though the second reaches it
    assert taught[1] == pytest.approx(np.log(3.0))
    assert taught[2] == pytest.approx(np.log(3.0))
    assert target["offset_mask"].sum() == 6  # two rows of three columns


def test_a_box_without_width_teaches_no_shift():
    annotations = {
        "boxes": np.array([[[8, 8, 8, 32], [16, 16, 48, 48]]], np.float32),
        "labels": np.zeros((1, 2), np.int32),
    }
    target = encode(CentripetalCodec(1), annotations, (64, 64), (8, 8))["top_left"]
    np.testing.assert_array_equal(target["offset_mask"], [[0, 1]])
    assert np.isfinite(target["centripetal"]).all()


def test_a_shift_out_of_all_bounds_pairs_nothing():
    maps = {
        "heatmap": np.zeros((1, 4, 4, 1), np.float32),
        "offset": np.zeros((1, 4, 4, 2), np.float32),
        "centripetal": np.full((1, 4, 4, 2), 1e4, np.float32),
    }
    outputs = [{branch: maps for branch in CORNERS}]
    found = decoded_of(CentripetalCodec(1, peak_kernel=1, distance_scale=1.0), outputs, (32, 32))
    assert (found["scores"] == -1).all() and np.isfinite(found["boxes"]).all()
