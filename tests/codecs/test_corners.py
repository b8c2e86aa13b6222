"""Boxes to corners and back: against plain loops, and against the authors' targets."""

import json
from itertools import product

import numpy as np
import pytest
from codec_cases import CASES, FIXTURE, check_targets, encode, perfect_maps, random_boxes, to_numpy
from keras import ops, tree

from keras_cornernet.backend import jit
from keras_cornernet.codecs import CornerCodec, SaccadeCodec, TripletCodec
from keras_cornernet.ops.gaussian import gaussian_radius


@pytest.mark.parametrize("case", CASES)
def test_targets_equal_the_authors(case):
    fixture = np.load(FIXTURE)
    names = [key.removeprefix(f"{case}__") for key in fixture.files if key.startswith(f"{case}__")]
    stored = {name: fixture[f"{case}__{name}"] for name in names}
    check_targets(stored, CornerCodec(4, **CASES[case]), "cornernet")
    if "lite_tag_masks" in stored:
        check_targets(stored, CornerCodec(4, **CASES[case]), "lite")


def test_target_parity(parity):
    folder = parity("targets")
    settings = json.loads((folder / "cases.json").read_text())
    assert set(settings) == set(CASES)
    for case, config in settings.items():
        radius = {"fixed_radius": 0} if config.get("gaussian_bump") is False else {}
        if "gaussian_radius" in config:
            radius = {"fixed_radius": config["gaussian_radius"]}
        assert radius == CASES[case]
        stored = np.load(folder / f"{case}.npz")
        stored = {key.replace("cornernet_first128", "cornernet"): stored[key] for key in stored.files}
        for which in ("cornernet", "lite"):
            if f"{which}_tag_masks" in stored:
                check_targets(stored, CornerCodec(4, **CASES[case]), which)


def test_targets_equal_a_plain_loop_on_an_input_that_is_not_square():
    rng = np.random.default_rng(0)
    codec, (height, width), (rows, columns) = CornerCodec(3), (96, 160), (12, 20)
    boxes = np.stack([random_boxes(rng, 9, height, width) for _ in range(2)])
    labels = rng.integers(-1, 3, (2, 9)).astype(np.int32)
    annotations = {"boxes": boxes, "labels": labels}
    got = encode(codec, annotations, (height, width), (rows, columns))
    assert "heatmap_mask" not in got
    compiled = to_numpy(jit(lambda a: codec.encode(a, (height, width), (rows, columns)))(annotations))
    tree.map_structure(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), got, compiled)
    for corner, branch in enumerate(("top_left", "bottom_right")):
        heat = np.zeros((2, rows, columns, 3))
        for b, k in product(range(2), range(9)):
            if labels[b, k] < 0:
                assert got["mask"][b, k] == 0 and not got[branch]["offset"][b, k].any()
                continue
            x1, y1, x2, y2 = boxes[b, k].astype(float) / 8
            x, y = ((x1, y1), (x2, y2))[corner]
            r = max(0, int(gaussian_radius(np.ceil(y2 - y1), np.ceil(x2 - x1), 0.3)))
            sigma = (2 * r + 1) / 6
            down, right = np.mgrid[:rows, :columns]
            down, right = down - int(y), right - int(x)
            bump = np.exp(-(down**2 + right**2) / (2 * sigma**2)) * (np.maximum(abs(down), abs(right)) <= r)
            heat[b, ..., labels[b, k]] = np.maximum(heat[b, ..., labels[b, k]], bump)
            assert got["mask"][b, k] == 1
            assert got[branch]["index"][b, k] == int(y) * columns + int(x)
            np.testing.assert_allclose(got[branch]["offset"][b, k], [x % 1, y % 1], atol=1e-5)
        np.testing.assert_allclose(got[branch]["heatmap"], heat, atol=1e-6)


def test_offsets_around_a_corner_lead_back_to_it():
    rng = np.random.default_rng(3)
    boxes = random_boxes(rng, 6, 64, 96)[None]
    boxes[0, 0] = (2, 3, 94, 62)  # its reach ends at the grid's edges
    labels = np.array([[0, 1, -1, 0, 1, 0]], np.int32)
    annotations = {"boxes": boxes, "labels": labels}
    plain = encode(CornerCodec(2), annotations, (64, 96), (8, 12))
    got = encode(CornerCodec(2, offset_reach=2), annotations, (64, 96), (8, 12))
    np.testing.assert_array_equal(got["mask"], plain["mask"])
    for corner, branch in enumerate(("top_left", "bottom_right")):
        assert "offset_index" not in plain[branch]
        for name in ("heatmap", "index"):
            np.testing.assert_array_equal(got[branch][name], plain[branch][name])
        expected = []
        for k in np.flatnonzero(labels[0] >= 0):
            x, y = boxes[0, k, 2 * corner : 2 * corner + 2] / 8
            for row, column in product(range(int(y) - 2, int(y) + 3), range(int(x) - 2, int(x) + 3)):
                if 0 <= row < 8 and 0 <= column < 12:
                    expected.append((row * 12 + column, x - column, y - row))
        taught = got[branch]["offset_mask"][0] == 1
        assert (
            not got[branch]["offset"][0][~taught].any() and not got[branch]["offset_index"][0][~taught].any()
        )
        found = np.column_stack([got[branch]["offset_index"][0], got[branch]["offset"][0]])[taught]
        assert len(found) == len(expected) > 5 * 15
        np.testing.assert_allclose(sorted(map(tuple, found)), sorted(expected), atol=1e-5)


def test_a_box_to_the_very_edge_stays_on_the_grid():
    annotations = {"boxes": np.array([[[0, 0, 64, 64]]], np.float32), "labels": np.zeros((1, 1), np.int32)}
    got = encode(CornerCodec(1), annotations, (64, 64), (8, 8))
    assert got["bottom_right"]["index"].tolist() == [[63]]
    np.testing.assert_allclose(got["bottom_right"]["offset"], [[[1, 1]]])


def test_ignored_boxes_are_neither_taught_nor_punished():
    boxes = np.array([[[0, 0, 20, 20], [33, 41, 62, 63], [8, 8, 40, 40]]], np.float32)
    labels = np.array([[0, 1, -1]], np.int32)
    ignore = np.array([[False, True, True]])
    got = encode(CornerCodec(2), {"boxes": boxes, "labels": labels, "ignore": ignore}, (64, 64), (16, 16))
    assert got["mask"].tolist() == [[1, 0, 0]]
    expected = np.ones((1, 16, 16, 2), np.float32)
    expected[0, 10:16, 8:16, 1] = 0  # cells 33/4 .. 62/4 by 41/4 .. 63/4, its own class only
    np.testing.assert_array_equal(got["heatmap_mask"], expected)
    assert not got["top_left"]["heatmap"][..., 1].any() and (got["top_left"]["heatmap"] == 1).sum() == 1
    alone = encode(CornerCodec(2), {"boxes": boxes[:, :1], "labels": labels[:, :1]}, (64, 64), (16, 16))
    np.testing.assert_allclose(got["top_left"]["heatmap"], alone["top_left"]["heatmap"], atol=1e-6)


def test_taught_points_inside_ignored_boxes_stay_taught():
    boxes = np.array([[[0, 0, 55, 55], [16, 20, 37, 41], [44, 4, 63, 20]]], np.float32)
    labels, ignore = np.zeros((1, 3), np.int32), np.array([[True, False, False]])
    corners, centers = [(5, 4), (10, 9), (1, 11)], [(7, 6), (3, 13)]  # one more corner lies outside
    for codec, cells in ((CornerCodec(2), corners), (TripletCodec(2), corners + centers)):
        got = encode(codec, {"boxes": boxes, "labels": labels, "ignore": ignore}, (64, 64), (16, 16))
        expected = np.ones((16, 16))
        expected[:14, :14] = 0
        expected[tuple(np.transpose(cells))] = 1
        np.testing.assert_array_equal(got["heatmap_mask"][0, ..., 0], expected)
        assert got["heatmap_mask"][..., 1].all() and got["mask"].tolist() == [[0, 1, 1]]
        heatmaps = [target["heatmap"] for target in got.values() if isinstance(target, dict)]
        assert sum((heatmap == 1).sum() for heatmap in heatmaps) == len(cells) + 1
        assert all(got["heatmap_mask"][heatmap == 1].all() for heatmap in heatmaps)


def test_labels_without_a_channel_count_as_padding():
    boxes = np.array([[[4, 8, 40, 50], [9, 9, 30, 30], [12, 20, 60, 44], [20, 4, 44, 24]]], np.float32)
    ignore = np.array([[False, False, True, False]])
    for codec in (CornerCodec(2, offset_reach=1), TripletCodec(2), SaccadeCodec(2)):
        got, expected = (
            encode(codec, {"boxes": boxes, "labels": labels, "ignore": ignore}, (64, 64), (16, 16))
            for labels in np.array([[[1, 2, 7, 1000]], [[1, -1, -1, -1]]], np.int32)
        )
        tree.map_structure(np.testing.assert_array_equal, got, expected)
        assert got["mask"].tolist() == [[1, 0, 0, 0]]


def test_a_batch_without_any_object():
    for count in (0, 5):
        annotations = {
            "boxes": np.zeros((2, count, 4), np.float32),
            "labels": np.full((2, count), -1, np.int32),
        }
        got = encode(CornerCodec(2), annotations, (64, 64), (16, 16))
        assert got["mask"].shape == (2, count) and not got["mask"].any()
        assert not got["top_left"]["heatmap"].any() and got["top_left"]["index"].shape == (2, count)


def test_decoded_targets_are_the_boxes():
    """The paper's experiment with true maps: every box comes back, whatever class, size and place."""
    rng = np.random.default_rng(1)
    grid, size, classes, count = (48, 64), (191, 255), 7, 40
    codec = CornerCodec(classes, num_detections=count + 10)
    boxes, labels = [], rng.integers(0, classes, (3, count)).astype(np.int32)
    for _ in range(3):  # one object per corner cell, which is all that an embedding map can hold
        drawn, taken = [], set()
        for box in random_boxes(rng, 400, *size):
            scaled = box.reshape(2, 2) * (grid[1] / size[1], grid[0] / size[0])
            cells = {(corner, *map(int, point)) for corner, point in enumerate(scaled)}
            near = {(c, x + dx, y + dy) for c, x, y in cells for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
            if not taken & near:
                taken |= cells
                drawn.append(box)
        boxes.append(drawn[:count])
    boxes = np.array(boxes, np.float32)
    assert boxes.shape == (3, count, 4)
    targets = encode(codec, {"boxes": boxes, "labels": labels}, size, grid)
    embedding = np.tile(np.arange(count) * 1.0, (3, 1))
    decode = jit(lambda outputs: tuple(codec.decode(outputs, size)))
    found = [ops.convert_to_numpy(part) for part in decode(perfect_maps(targets, grid, embedding, classes))]
    for b in range(3):
        live = found[1][b] > 0.5  # the flat background pairs with itself, at a score near 0
        assert live.sum() == count
        got = np.concatenate([found[2][b][live, None], found[0][b][live]], axis=1)
        expected = np.concatenate([labels[b][:, None], boxes[b]], axis=1)
        got, expected = (a[np.lexsort(a.round(1).T[::-1])] for a in (got, expected))
        np.testing.assert_allclose(got, expected, atol=2e-3)
        np.testing.assert_allclose(found[3][b][live], 1 / (1 + np.exp(-8)), atol=1e-6)


def naive_decode(maps, size, codec):
    """The pairs of one image, best first: rows x1, y1, x2, y2, score, two corners' scores, label."""
    corners = []
    for branch in ("top_left", "bottom_right"):
        heat = maps[branch]["heatmap"]
        found = []
        for y, x, c in np.ndindex(heat.shape):
            around = heat[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2, c]
            if heat[y, x, c] == around.max():
                dx, dy = maps[branch]["offset"][y, x]
                score = 1 / (1 + np.exp(-heat[y, x, c]))
                found.append((score, c, x + dx, y + dy, maps[branch]["embedding"][y, x]))
        corners.append(sorted(found, key=lambda corner: -corner[0])[: codec.top_k])
    rows, columns = heat.shape[:2]
    sx, sy = size[1] / columns, size[0] / rows
    pairs = []
    for (s, c, x, y, e), (t, d, u, v, f) in product(*corners):
        apart = abs(e - f).sum()
        if c == d and apart <= codec.embedding_threshold and u >= x and v >= y:
            score = (s * t) ** 0.5 if codec.geometric_score else (s + t) / 2
            if codec.embedding_scale:
                score *= np.exp(-((apart / codec.embedding_scale) ** 2))
            pairs.append([x * sx, y * sy, u * sx, v * sy, score, s, t, c])
    return np.array(sorted(pairs, key=lambda pair: -pair[4])[: codec.num_detections])


@pytest.mark.parametrize(
    ("channels", "scoring"), [(1, {}), (2, {}), (2, {"embedding_scale": 0.5, "geometric_score": True})]
)
def test_decode_equals_a_plain_loop(channels, scoring):
    rng = np.random.default_rng(2)
    size, grid = (60, 88), (15, 22)
    codec = CornerCodec(3, top_k=40, num_detections=60, embedding_threshold=0.4, **scoring)

    def maps():
        return {
            branch: {
                "heatmap": rng.normal(-2, 2, (2, *grid, 3)).astype(np.float32),
                "offset": rng.uniform(-0.5, 1.5, (2, *grid, 2)).astype(np.float32),
                "embedding": rng.normal(0, 1 / channels, (2, *grid, channels)).astype(np.float32),
            }
            for branch in ("top_left", "bottom_right")
        }

    stacks = [maps(), maps()]  # the last counts
    decoded = jit(lambda outputs: tuple(codec.decode(outputs, size)))(stacks)
    boxes, scores, labels, corner_scores = (ops.convert_to_numpy(part) for part in decoded)
    assert boxes.shape == (2, 60, 4) and corner_scores.shape == (2, 60, 2)
    for b in range(2):
        image = {branch: {head: a[b] for head, a in heads.items()} for branch, heads in stacks[-1].items()}
        expected = naive_decode(image, size, codec)
        live = scores[b] >= 0
        assert 5 < live.sum() == len(expected)
        got = np.concatenate(
            [boxes[b], scores[b, :, None], corner_scores[b], labels[b, :, None]], axis=1, dtype=np.float64
        )[live]
        np.testing.assert_allclose(got, expected, atol=1e-3)


def test_fewer_corners_than_asked_for_give_rejected_pairs_only():
    flat = {"heatmap": np.full((1, 4, 4, 1), -9, np.float32), "offset": np.zeros((1, 4, 4, 2), np.float32)}
    flat["heatmap"][0, 1, 1] = 9  # on both maps; around it no other cell is a maximum but the far ones
    flat["embedding"] = np.zeros((1, 4, 4, 1), np.float32)
    decoded = CornerCodec(1).decode([{"top_left": flat, "bottom_right": flat}], (16, 16))
    scores = ops.convert_to_numpy(decoded.scores)[0]
    assert scores[0] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(ops.convert_to_numpy(decoded.boxes)[0, 0], [4, 4, 4, 4])
    assert np.isfinite(ops.convert_to_numpy(decoded.boxes)).all()
    assert ((scores == -1) | (scores > 0)).all() and (scores == -1).any()


def test_corners_at_the_border_can_be_rejected():
    def corner(y, x):
        maps = {
            "heatmap": np.full((1, 6, 8, 1), -9, np.float32),
            "offset": np.zeros((1, 6, 8, 2), np.float32),
        }
        maps["heatmap"][0, y, x] = 9
        return {**maps, "embedding": np.zeros((1, 6, 8, 1), np.float32)}

    for first, last, inside in [
        ((1, 1), (4, 6), True),
        ((0, 1), (4, 6), False),
        ((1, 0), (4, 6), False),
        ((1, 1), (5, 6), False),
        ((1, 1), (4, 7), False),
        ((4, 6), (4, 6), True),  # the far border is none for a top-left corner
    ]:
        outputs = [{"top_left": corner(*first), "bottom_right": corner(*last)}]
        for reject, found in ((False, True), (True, inside)):
            codec = CornerCodec(1, top_k=1, reject_border=reject)
            score = float(codec.decode(outputs, (24, 32)).scores[0, 0])
            assert (score > 0.9) is found, (first, last, reject)


def test_decode_parity_of_saccade(parity):
    folder = parity("cornernet_saccade")
    heads = np.load(folder / "heads.npz")
    letters = {"top_left": "tl", "bottom_right": "br"}
    names = {"heatmap": "heat", "embedding": "tag", "offset": "off"}
    maps = {b: {h: heads[f"{c}_{n}_2"] for h, n in names.items()} for b, c in letters.items()}
    for case, config in json.loads((folder / "config.json").read_text())["decode_settings"].items():
        codec = CornerCodec(
            5,
            top_k=config["K"],
            num_detections=config["num_dets"],
            embedding_threshold=config["ae_threshold"],
            reject_border=config.get("no_border", False),
        )
        boxes, scores, labels, sides = (ops.convert_to_numpy(p)[0] for p in codec.decode([maps], (127, 127)))
        found = np.column_stack([boxes * (32 / 127), scores, sides, labels])[scores > -1]
        expected = np.load(folder / "decode.npz")[f"detections_{case}"][0]
        expected = expected[expected[:, 4] > -1]
        assert len(found) == len(expected) == config["valid"][0]
        order, other = np.argsort(-found[:, 4]), np.argsort(-expected[:, 4])
        np.testing.assert_allclose(found[order], expected[other], atol=1e-4)
