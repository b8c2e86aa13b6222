"""Centres with a size: the targets and the decoding of Objects as Points."""

import json

import numpy as np
import pytest
from codec_cases import encode, random_boxes
from keras import ops

from keras_cornernet.codecs import CenterCodec

CASES = ("border", "crowded", "empty", "keep_res", "max_objs", "random", "square", "tiny")
ROWS = 128  # annotations of an image in the authors' arrays


@pytest.fixture(scope="module")
def folder(parity):
    return parity("objects_as_points")


def annotations_of(boxes, scale, shift):
    """Boxes with 1-based classes in image pixels as padded annotations in input pixels."""
    kept = boxes[:ROWS]
    padded = {"boxes": np.zeros((1, ROWS, 4), np.float32), "labels": np.full((1, ROWS), -1, np.int32)}
    padded["boxes"][0, : len(kept)] = kept[:, :4] * scale + np.tile(shift, 2)
    padded["labels"][0, : len(kept)] = kept[:, 4] - 1
    return padded


def case_of(folder, name):
    """The annotations of a stored case, its targets, and the sizes of its input and its maps."""
    case = json.loads((folder / "target_cases.json").read_text())[name]
    stored = np.load(folder / f"target_{name}.npz")
    grid_from_image = stored["trans_output"]
    annotations = annotations_of(stored["boxes"], 4 * grid_from_image[0, 0], 4 * grid_from_image[:, 2])
    return annotations, stored, tuple(case["input_hw"]), tuple(case["output_hw"])


@pytest.mark.parametrize("name", CASES)
def test_targets_are_the_authors(name, folder):
    annotations, stored, input_size, grid_size = case_of(folder, name)
    targets = encode(CenterCodec(3), annotations, input_size, grid_size)
    np.testing.assert_array_equal(targets["mask"][0], stored["reg_mask"])
    center = {head: values[0] for head, values in targets["center"].items()}
    assert set(center) == {"heatmap", "offset", "size", "index"}
    np.testing.assert_array_equal(center["index"], stored["ind"])
    np.testing.assert_allclose(center["offset"], stored["reg"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(center["size"], stored["wh"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(center["heatmap"], stored["hm"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(center["heatmap"] == 1, stored["hm"] == 1)  # what the focal loss counts


@pytest.mark.parametrize("name", ["random", "crowded"])
def test_dense_sizes_are_the_authors(name, folder):
    annotations, stored, input_size, grid_size = case_of(folder, name)
    center = encode(CenterCodec(3, dense_sizes=True), annotations, input_size, grid_size)["center"]
    np.testing.assert_allclose(center["size_map"][0], stored["dense_wh"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(center["size_map_weight"][0], stored["dense_wh_mask"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["random", "crowded"])
def test_sizes_of_classes_are_the_authors(name, folder):
    annotations, stored, input_size, grid_size = case_of(folder, name)
    targets = encode(CenterCodec(3, size_per_class=True), annotations, input_size, grid_size)
    sizes, labels = targets["center"]["size"][0], targets["center"]["size_label"][0]
    by_class, mask = np.zeros((2, len(labels), 3, 2), np.float32)
    for k in np.flatnonzero(targets["mask"][0]):
        by_class[k, labels[k]], mask[k, labels[k]] = sizes[k], 1
    np.testing.assert_allclose(by_class.reshape(-1, 6), stored["cat_spec_wh"], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(mask.reshape(-1, 6), stored["cat_spec_mask"])


def naive_targets(boxes, labels, grid, classes, margin, sigma_divisor=6.0, radius=1):
    """Targets of one image with a fixed radius, box by box."""
    rows, columns = grid
    heatmap = np.zeros((rows, columns, classes), np.float32)
    offset, size = (np.zeros((len(boxes), 2), np.float32) for _ in range(2))
    index, mask = np.zeros(len(boxes), int), np.zeros(len(boxes))
    sigma = (2 * radius + 1) / sigma_divisor
    for k, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        x1, x2 = np.clip(box[::2], 0, columns - margin)
        y1, y2 = np.clip(box[1::2], 0, rows - margin)
        if label < 0 or x2 <= x1 or y2 <= y1:
            continue
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        column, row = int(x), int(y)
        for i in range(max(0, row - radius), min(rows, row + radius + 1)):
            for j in range(max(0, column - radius), min(columns, column + radius + 1)):
                value = np.exp(-((i - row) ** 2 + (j - column) ** 2) / (2 * sigma**2))
                heatmap[i, j, label] = max(heatmap[i, j, label], value)
        offset[k], size[k] = (x - column, y - row), (x2 - x1, y2 - y1)
        index[k], mask[k] = row * columns + column, 1
    return heatmap, offset, size, index, mask


@pytest.mark.parametrize("margin", [0.0, 1.0])
@pytest.mark.parametrize("sigma_divisor", [6.0, 4.0])
def test_targets_are_those_of_a_loop(margin, sigma_divisor):
    rng = np.random.default_rng(3)
    grid, stride = (12, 17), 8
    boxes = random_boxes(rng, 20, 120, 170) - 10  # some reach beyond the grid, some lie beside it
    labels = rng.integers(-1, 3, 20).astype(np.int32)
    codec = CenterCodec(3, fixed_radius=1, clip_margin=margin, sigma_divisor=sigma_divisor)
    annotations = {"boxes": boxes[None], "labels": labels[None]}
    got = encode(codec, annotations, (12 * stride, 17 * stride), grid)
    expected = naive_targets(boxes / stride, labels, grid, 3, margin, sigma_divisor)
    center = got["center"]
    found = (center["heatmap"], center["offset"], center["size"], center["index"], got["mask"])
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=1e-5)
    assert 5 < got["mask"].sum() < 20


def test_neighbouring_cells_learn_the_same_size():
    boxes = np.array([[[8, 16, 40, 32], [0, 0, 8, 8]]], np.float32)
    annotations = {"boxes": boxes, "labels": np.array([[1, 0]], np.int32)}
    codec = CenterCodec(2, offset_reach=1, size_per_class=True)
    center = encode(codec, annotations, (64, 64), (8, 8))["center"]
    assert center["size"].shape == (1, 18, 2)
    np.testing.assert_array_equal(center["size"][0, :9], np.tile([4.0, 2.0], (9, 1)))
    np.testing.assert_array_equal(center["size_label"][0], [1] * 9 + [0] * 9)
    # Of the object in the corner, five of nine cells lie outside the grid.
    assert center["offset_mask"][0, 9:].sum() == 4
    assert np.count_nonzero(center["size"][0, 9:].sum(axis=1)) == 4
    cells = np.stack(np.divmod(center["offset_index"][0, :9], 8)[::-1], axis=-1)
    np.testing.assert_allclose(cells + center["offset"][0, :9], np.tile([3.0, 3.0], (9, 1)))


def test_ignored_objects_are_masked_out():
    boxes = np.array([[[8, 8, 40, 40], [48, 48, 60, 60]]], np.float32)
    annotations = {"boxes": boxes, "labels": np.zeros((1, 2), np.int32), "ignore": np.array([[True, False]])}
    targets = encode(CenterCodec(1), annotations, (64, 64), (16, 16))
    np.testing.assert_array_equal(targets["mask"], [[0, 1]])
    hidden = targets["heatmap_mask"][0, ..., 0] == 0
    assert hidden[2:11, 2:11].all() and hidden.sum() == 81


def outputs_of(stored, place=0, size="wh"):
    names = {"heatmap": "hm_logits", "size": size, "offset": "reg"}
    heads = {ours: ops.convert_to_tensor(stored[theirs][place : place + 1]) for ours, theirs in names.items()}
    return [{"center": heads}]


def decoded_rows(codec, outputs, input_size, cells=4.0):
    """Rows of x0, y0, x1, y1, score and class in cells, of the first image."""
    boxes, scores, labels, corner_scores = (
        ops.convert_to_numpy(part)[0] for part in codec.decode(outputs, input_size)
    )
    np.testing.assert_array_equal(corner_scores, np.stack([scores, scores], axis=-1))
    return np.concatenate([boxes / cells, scores[:, None], labels[:, None]], axis=1)


def assert_same_rows(ours, theirs):
    """Both by falling score; the scores of the fixtures are all different."""
    np.testing.assert_allclose(ours[:, 4], theirs[:, 4], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(ours[:, 5], theirs[:, 5])
    np.testing.assert_allclose(ours[:, :4], theirs[:, :4], rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("case", "codec", "size"),
    [
        ("fix_wide", CenterCodec(3, top_k=40), "wh"),
        ("cat_spec", CenterCodec(3, top_k=40, size_per_class=True), "wh_cat_spec"),
    ],
)
def test_decoded_boxes_are_the_authors(case, codec, size, folder):
    stored = np.load(folder / "decode.npz")
    rows = decoded_rows(codec, outputs_of(stored, size=size), (128, 192))
    assert_same_rows(rows, stored[f"{case}__dets"][0])


def test_a_batch_is_decoded_image_by_image(folder):
    stored = np.load(folder / "decode.npz")
    for place, expected in enumerate(stored["batch__dets"]):
        assert_same_rows(
            decoded_rows(CenterCodec(3, top_k=40), outputs_of(stored, place), (128, 192)), expected
        )


@pytest.mark.parametrize("case", ["flip_fix", "flip_keep"])
def test_maps_of_the_mirror_image_are_averaged(case, folder):
    stored, codec = np.load(folder / "decode.npz"), CenterCodec(3, top_k=40)
    outputs = codec.average_mirrored(outputs_of(stored, 0), outputs_of(stored, 1))
    assert_same_rows(decoded_rows(codec, outputs, (128, 192)), stored[f"{case}__dets"][0])


def test_boxes_of_negative_size_have_none():
    heads = {
        "heatmap": np.full((1, 4, 4, 1), -5.0, np.float32),
        "size": np.full((1, 4, 4, 2), -3.0, np.float32),
        "offset": np.zeros((1, 4, 4, 2), np.float32),
    }
    heads["heatmap"][0, 1, 2] = 3.0
    boxes, scores, *_ = CenterCodec(1, top_k=2).decode([{"center": heads}], (16, 16))
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes)[0, 0], [8, 4, 8, 4])
    assert float(scores[0, 0]) == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_decode_of_encoded_targets_returns_the_boxes():
    rng = np.random.default_rng(1)
    boxes = random_boxes(rng, 6, 128, 160, smallest=12)
    labels = rng.integers(0, 3, 6).astype(np.int32)
    codec = CenterCodec(3, clip_margin=0.0)
    targets = encode(codec, {"boxes": boxes[None], "labels": labels[None]}, (128, 160), (16, 20))
    heat = np.where(targets["center"]["heatmap"] == 1, 8.0, -8.0).astype(np.float32)
    maps = {"heatmap": heat, "size": np.zeros((1, 16, 20, 2)), "offset": np.zeros((1, 16, 20, 2))}
    for k, cell in enumerate(targets["center"]["index"][0]):
        for head in ("size", "offset"):
            maps[head][0, cell // 20, cell % 20] = targets["center"][head][0, k]
    maps = {name: value.astype(np.float32) for name, value in maps.items()}
    rows = decoded_rows(codec, [{"center": maps}], (128, 160), cells=1.0)[:6]
    order = np.lexsort((boxes[:, 0], labels))
    ours = rows[np.lexsort((rows[:, 0], rows[:, 5]))]
    np.testing.assert_allclose(ours[:, :4], boxes[order], atol=1e-3)
