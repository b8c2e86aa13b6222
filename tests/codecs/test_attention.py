"""CornerNet-Saccade's targets and attention maps: against plain loops and the authors' arrays."""

import numpy as np
import pytest
from codec_cases import encode, perfect_maps
from keras import ops

from keras_cornernet.backend import jit
from keras_cornernet.codecs import LEVELS, CornerCodec, SaccadeCodec
from keras_cornernet.codecs.attention import find_attention

SIZE, GRID = (255, 255), (64, 64)


def annotations_of(boxes, labels, **others):
    boxes = np.asarray(boxes, np.float32)[None]
    return {
        "boxes": boxes,
        "labels": np.asarray(labels, np.int32)[None],
        **{k: np.asarray(v)[None] for k, v in others.items()},
    }


def marked(targets):
    """`{level: sorted cells}` of the first image."""
    return {
        level: sorted(map(tuple, np.argwhere(maps[0, ..., 0]).tolist()))
        for level, maps in targets["attention"].items()
    }


def test_each_object_is_marked_on_the_map_of_its_size():
    boxes = [
        [0, 0, 20, 10],  # small
        [100, 30, 132, 40],  # 32 pixels: small and medium
        [10, 20, 106, 60],  # 96: medium and large
        [0, 0, 200, 250],  # large
        [5, 5, 50, 50],  # padding
        [40, 200, 60, 210],  # a crowd
    ]
    ignore = [False] * 5 + [True]
    targets = encode(SaccadeCodec(1), annotations_of(boxes, [0, 0, 0, 0, -1, 0], ignore=ignore), SIZE, GRID)
    assert {name: maps.shape for name, maps in targets["attention"].items()} == {
        "large": (1, 16, 16, 1),
        "medium": (1, 32, 32, 1),
        "small": (1, 64, 64, 1),
    }
    assert marked(targets) == {
        "large": [(40 // 16, 58 // 16), (125 // 16, 100 // 16)],
        "medium": [(35 // 8, 116 // 8), (40 // 8, 58 // 8)],
        "small": [(5 // 4, 10 // 4), (35 // 4, 116 // 4)],
    }


def test_an_object_larger_than_any_range_or_at_the_edge_is_safe():
    targets = encode(
        SaccadeCodec(1),
        annotations_of([[0, 0, 400, 400], [399, 399, 400, 400]], [0, 0]),
        (400, 400),
        (100, 100),
    )
    assert marked(targets) == {"large": [], "medium": [], "small": [(99, 99)]}


def test_objects_shown_badly_are_neither_taught_nor_punished():
    boxes = [[20, 20, 120, 120], [150, 30, 200, 90], [60, 180, 75, 190], [180, 180, 250, 240]]
    annotations = annotations_of(
        boxes, [0, 1, 1, 0], visible=np.array([1, 0.5, 1, 1], np.float32), ignore=[False, False, False, True]
    )
    codec = SaccadeCodec(2)
    targets = encode(codec, annotations, SIZE, GRID)
    assert targets["mask"].tolist() == [[1, 0, 0, 0]]  # half visible, 15 pixels long, a crowd
    alone = encode(CornerCodec(2, min_overlap=0.5), annotations_of(boxes[:1], [0]), SIZE, GRID)
    drawn = encode(CornerCodec(2, min_overlap=0.5), annotations_of(boxes[1:3], [1, 1]), SIZE, GRID)
    crowd = encode(CornerCodec(2), annotations_of(boxes[3:], [0], ignore=[True]), SIZE, GRID)["heatmap_mask"]
    for branch in ("top_left", "bottom_right"):
        np.testing.assert_allclose(targets[branch]["heatmap"], alone[branch]["heatmap"], atol=1e-6)
        expected = (drawn[branch]["heatmap"] == 0) * crowd
        np.testing.assert_array_equal(targets[branch]["heatmap_mask"], expected)
        assert 0 < (expected == 0).sum() < 2000
    assert "heatmap_mask" not in targets
    assert sum(map(len, marked(targets).values())) == 3  # all but the crowd


def test_taught_corners_inside_a_crowd_stay_taught_unless_a_bump_hides_them():
    """Bumps of objects shown badly hide also the corners of others, as in the released code."""
    boxes = [[10, 10, 200, 200], [20, 20, 120, 120], [22, 22, 30, 30]]
    annotations = annotations_of(boxes, [0, 0, 0], ignore=[True, False, False])
    targets = encode(SaccadeCodec(1), annotations, SIZE, GRID)
    assert targets["mask"].tolist() == [[0, 1, 0]]
    for branch, cell, seen in (("top_left", 5, 0), ("bottom_right", 30, 1)):
        assert targets[branch]["heatmap"][0, cell, cell, 0] == 1
        mask = targets[branch]["heatmap_mask"][0, ..., 0]
        assert mask[cell, cell] == seen and not mask[cell + 1, cell]


def test_sides_count_whole_pixels():
    """As in the released code: int(x2) - int(x1)."""
    for box, taught in (([10.9, 5, 26.1, 9], 1), ([10.0, 5, 25.9, 9], 0), ([10.0, 5, 14, 21.0], 1)):
        assert encode(SaccadeCodec(1), annotations_of([box], [0]), SIZE, GRID)["mask"].tolist() == [[taught]]


def test_encoding_compiles():
    annotations = annotations_of(
        [[20, 20, 120, 120], [150, 30, 160, 40]], [0, 1], visible=np.ones(2, np.float32)
    )
    codec = SaccadeCodec(2)
    plain = encode(codec, annotations, SIZE, GRID)
    compiled = jit(lambda a: codec.encode(a, SIZE, GRID))(annotations)
    for branch in ("top_left", "bottom_right", "attention"):
        for name, array in plain[branch].items():
            np.testing.assert_allclose(ops.convert_to_numpy(compiled[branch][name]), array, atol=1e-6)


def test_decoded_targets_are_the_boxes():
    boxes = [[20, 30, 120, 140], [60.5, 20.25, 90, 50], [150, 160, 170, 177]]
    codec = SaccadeCodec(2)
    targets = encode(codec, annotations_of(boxes, [0, 1, 1]), SIZE, GRID)
    (maps,) = perfect_maps(targets, GRID, np.arange(3.0)[None], 2)
    maps["attention"] = {
        k: np.where(v == 1, 3.0, -3.0).astype(np.float32) for k, v in targets["attention"].items()
    }
    found, scores, labels, _ = (ops.convert_to_numpy(p)[0] for p in codec.decode([maps], SIZE))
    best = scores > 0.5
    order = np.lexsort(found[best].T[::-1])
    np.testing.assert_allclose(found[best][order], boxes, atol=2e-3)
    assert labels[best][order].tolist() == [0, 1, 1] and len(scores) == 12
    seen = {
        k: np.argwhere(ops.convert_to_numpy(v)[0] > 0.3).tolist() for k, v in codec.attention([maps]).items()
    }
    assert seen == {k: [list(cell) for cell in cells] for k, cells in marked(targets).items()}
    assert set(seen) == set(LEVELS)


def test_attention_keeps_peaks_alone():
    logits = np.random.default_rng(0).normal(0, 2, (2, 7, 9, 1)).astype(np.float32)
    got = ops.convert_to_numpy(find_attention(logits))
    for b, y, x in np.ndindex(2, 7, 9):
        around = logits[b, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2, 0].max()
        value = logits[b, y, x, 0]
        expected = 1 / (1 + np.exp(-value)) if value == around else 0.0
        assert got[b, y, x] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("case", ["a", "b"])
def test_target_parity(parity, case):
    stored = np.load(parity("saccade_targets", f"{case}.npz") / f"{case}.npz")
    boxes, labels = stored["clipped_boxes"][:, :4], stored["clipped_boxes"][:, 4] - 1
    annotations = annotations_of(boxes, labels, visible=stored["overlaps"].astype(np.float32))
    targets = encode(SaccadeCodec(4), annotations, SIZE, GRID)
    for level, name in (("large", "att_16"), ("medium", "att_32"), ("small", "att_64")):
        np.testing.assert_array_equal(targets["attention"][level][0, ..., 0], stored[name])
    taught = targets["mask"][0] == 1
    count = int(stored["tag_masks"].sum())
    assert taught.sum() == count > 0
    for branch, c in (("top_left", "tl"), ("bottom_right", "br")):
        mine = {name: array[0] for name, array in targets[branch].items()}
        np.testing.assert_allclose(mine["heatmap"], stored[f"{c}_heats"], atol=1e-6)
        np.testing.assert_array_equal(mine["heatmap_mask"], stored[f"{c}_valids"])
        np.testing.assert_array_equal(mine["index"][taught], stored[f"{c}_tags"][:count])
        np.testing.assert_allclose(mine["offset"][taught], stored[f"{c}_regrs"][:count], atol=1e-5)


def test_attention_parity(parity):
    folder = parity("cornernet_saccade")
    heads, stored = np.load(folder / "heads.npz"), np.load(folder / "decode.npz")
    for i in range(3):
        got = ops.convert_to_numpy(find_attention(heads[f"att_2_{i}"]))
        np.testing.assert_allclose(got, stored[f"att_nms_{i}"][..., 0], atol=1e-6)
