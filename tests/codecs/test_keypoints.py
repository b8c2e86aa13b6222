"""Joints to heatmaps and back: against plain loops, literal rows, and the authors' maps."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from keras_cornernet.backend import jit
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.codecs.keypoints import REFINEMENTS
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import person_view

# Small parts of what the authors' code computed: maps of pytorch_stacked_hourglass (`umich`, 64 x 64) and
# pytorch-pose (`bearpaw`), of mmpose (48 x 64), and two maps with their joints (`parser`, first repository).
FIXTURE = Path(__file__).parents[1] / "fixtures" / "pose_codec.npz"
PARTS = ("umich", "bearpaw", "mmpose", "parser")
NAMES = ("newell", "umich", "bearpaw", "mmpose")


def encode(codec, points, weights=None, input_size=(64, 64), grid_size=None):
    """Heatmaps and weights of `(batch, k, 2)` points."""
    points = np.asarray(points, np.float32)
    weights = np.ones(points.shape[:2], np.float32) if weights is None else np.asarray(weights, np.float32)
    annotations = {
        "keypoints": ops.convert_to_tensor(points),
        "keypoint_weights": ops.convert_to_tensor(weights),
    }
    target = codec.encode(annotations, input_size, grid_size or input_size)["keypoints"]
    return ops.convert_to_numpy(target["heatmap"]), ops.convert_to_numpy(target["weight"])


def decode(codec, maps, input_size=None):
    """Points and scores of `(batch, rows, columns, k)` maps; by default in cells of the maps."""
    maps = ops.convert_to_tensor(np.asarray(maps, np.float32))
    found = codec.decode([{"keypoints": {"heatmap": maps}}], input_size or tuple(maps.shape[1:3]))
    return ops.convert_to_numpy(found.points), ops.convert_to_numpy(found.scores)


def naive_encode(codec, points, weights, input_size, grid_size):
    (height, width), (rows, columns) = input_size, grid_size
    batch, count = weights.shape
    maps, kept = np.zeros((batch, rows, columns, count)), np.zeros((batch, count))
    reach = 3 * codec.sigma if codec.radius is None else codec.radius
    for b, k in product(range(batch), range(count)):
        x, y = points[b, k, 0] * columns / width, points[b, k, 1] * rows / height
        if not weights[b, k] > 0:
            continue
        if codec.half_cell:
            x, y = x - 0.5, y - 0.5
        column, row = int(x + 0.5), int(y + 0.5)
        if codec.center == "cell":
            x, y = column, row
        far = 0 if codec.outside == "center" else reach
        if not (-far <= column < columns + far and -far <= row < rows + far):
            continue
        kept[b, k] = weights[b, k]
        for i, j in product(range(rows), range(columns)):
            if codec.radius is not None and max(abs(i - row), abs(j - column)) > codec.radius:
                continue
            square = (i - y) ** 2 + (j - x) ** 2
            maps[b, i, j, k] = (
                codec.sigma / (square + codec.sigma**2) ** 1.5
                if codec.shape == "cauchy"
                else np.exp(-square / (2 * codec.sigma**2))
            )
    return maps, kept


def naive_blur(heat, side):
    sigma = 0.3 * ((side - 1) / 2 - 1) + 0.8
    half = side // 2
    kernel = np.exp(-(np.mgrid[-half : half + 1, -half : half + 1] ** 2).sum(0) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded, result = np.pad(heat, half), np.zeros_like(heat)
    for i, j in np.ndindex(heat.shape):
        result[i, j] = (padded[i : i + side, j : j + side] * kernel).sum()
    return result


def naive_offset(codec, heat, x, y):
    """How far the maximum at `x, y` of one map is moved."""
    rows, columns = heat.shape
    if codec.refinement == "none":
        return 0, 0
    if codec.refinement == "dark":
        if not (1 < x < columns - 2 and 1 < y < rows - 2):
            return 0, 0
        smooth = naive_blur(heat, codec.blur)
        f = np.log(np.maximum(smooth * heat.max() / smooth.max(), 1e-10))
        gradient = np.array([f[y, x + 1] - f[y, x - 1], f[y + 1, x] - f[y - 1, x]]) / 2
        xx, yy = f[y, x + 2] - 2 * f[y, x] + f[y, x - 2], f[y + 2, x] - 2 * f[y, x] + f[y - 2, x]
        xy = f[y + 1, x + 1] - f[y - 1, x + 1] - f[y + 1, x - 1] + f[y - 1, x - 1]
        return -np.linalg.solve(np.array([[xx, xy], [xy, yy]]) / 4, gradient)

    def at(row, column):
        return heat[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)]

    right, down = at(y, x + 1) - at(y, x - 1), at(y + 1, x) - at(y - 1, x)
    if codec.refinement == "quarter_any":
        return (0.25 if right > 0 else -0.25), (0.25 if down > 0 else -0.25)
    dx, dy = 0.25 * np.sign(right), 0.25 * np.sign(down)
    if codec.refinement == "quarter":
        inside = 0 < x < columns - 1 and 0 < y < rows - 1
        return (dx, dy) if inside else (0, 0)
    return (dx if 1 < x < columns - 1 and y > 0 else 0), (dy if 1 < y < rows - 1 and x > 0 else 0)


def naive_decode(codec, maps, input_size):
    batch, rows, columns, count = maps.shape
    points, scores = np.zeros((batch, count, 2)), np.zeros((batch, count))
    for b, k in product(range(batch), range(count)):
        heat = maps[b, ..., k].astype(np.float64)
        y, x = divmod(int(heat.argmax()), columns)
        dx, dy = naive_offset(codec, heat, x, y) if heat[y, x] > 0 else (0, 0)
        half = 0.5 if codec.half_cell else 0
        points[b, k] = (x + dx + half) * input_size[1] / columns, (y + dy + half) * input_size[0] / rows
        scores[b, k] = heat[y, x]
    return points, scores


# Encoding


@pytest.mark.parametrize(
    ("settings", "row", "total"),
    [
        ({"radius": 3}, (0.011109, 0.135335, 0.606531, 1, 0.606531, 0.135335, 0.011109), 6.279785),
        ({"sigma": 1.75, "radius": 3}, (0.230066, 0.520450, 0.849366, 1, 0.849366, 0.520450, 0.230066), None),
        ({"radius": 4}, (0.000335, 0.011109, 0.135335, 0.606531, 1, 0.606531, 0.135335, 0.011109), None),
        ({"shape": "cauchy", "radius": 2}, (5**-1.5, 2**-1.5, 1, 2**-1.5, 5**-1.5), None),
    ],
)
def test_golden_rows(settings, row, total):
    codec = KeypointCodec(center="cell", **settings)
    maps, weights = encode(codec, [[[20.9, 30.1]]])
    start = 20 - codec.radius
    np.testing.assert_allclose(maps[0, 30, start : start + len(row), 0], row, atol=6e-7)
    assert not maps[0, 30, :start].any() and not maps[0, 30, 21 + codec.radius :].any()
    assert weights.tolist() == [[1]]
    if total:
        assert maps.sum() == pytest.approx(total, abs=2e-6)
    if codec.sigma == 1.75:
        assert maps[0, 27, 17, 0] == pytest.approx(0.052931, abs=1e-6)


def test_released_codecs_have_the_released_numbers():
    assert KeypointCodec() == KeypointCodec(1.0, None, "subpixel", True, "window", "gaussian", "quarter", 11)
    widths = {name: (KeypointCodec.named(name).sigma, KeypointCodec.named(name).radius) for name in NAMES}
    assert widths == {"newell": (1.75, 3), "umich": (1, 4), "bearpaw": (1, 3), "mmpose": (2, 6)}
    assert all(KeypointCodec.named(name).center == "cell" for name in NAMES)
    assert [name for name in NAMES if not KeypointCodec.named(name).half_cell] == ["mmpose"]


@pytest.mark.parametrize(
    "settings",
    [
        {"radius": None},
        {"radius": 3, "outside": "center"},
        {"radius": 0, "center": "cell"},
        {"radius": 3, "center": "cell", "shape": "cauchy"},
        {"radius": None, "half_cell": False, "outside": "center", "shape": "cauchy"},
        {"radius": 3, "center": "cell", "half_cell": False},
    ],
)
def test_encode_equals_a_plain_loop_on_grids_that_are_not_square(settings):
    codec = KeypointCodec(sigma=1.4, **settings)
    rng = np.random.default_rng(3)
    input_size, grid_size = (60, 88), (15, 11)  # other strides down and across
    points = rng.uniform(-40, [128, 100], (2, 12, 2)).astype(np.float32)
    weights = rng.integers(0, 3, (2, 12)) / np.float32(2)
    expected, kept = naive_encode(codec, points, weights, input_size, grid_size)
    annotations = {
        "keypoints": ops.convert_to_tensor(points),
        "keypoint_weights": ops.convert_to_tensor(weights),
    }
    compiled = jit(lambda a: codec.encode(a, input_size, grid_size))(annotations)["keypoints"]
    maps, weight = ops.convert_to_numpy(compiled["heatmap"]), ops.convert_to_numpy(compiled["weight"])
    assert maps.shape == (2, 15, 11, 12) and maps.dtype == np.float32
    np.testing.assert_allclose(maps, expected, atol=2e-6)
    np.testing.assert_array_equal(weight, kept)
    assert 0 < (kept > 0).sum() < (weights > 0).sum()


def test_a_bump_is_cut_by_the_border():
    maps, weights = encode(KeypointCodec.named("bearpaw"), [[[0.5, 10.5], [-2.5, 10.5], [-3.5, 10.5]]])
    np.testing.assert_allclose(maps[0, 10, :5, 0], [1, 0.606531, 0.135335, 0.011109, 0], atol=1e-6)
    # The cell of -2.5 is -2 as the released codes truncate: its window ends in column 1.
    np.testing.assert_allclose(maps[0, 10, :3, 1], [0.135335, 0.011109, 0], atol=1e-6)
    np.testing.assert_allclose(maps[0, 10, :3, 2], [0.011109, 0, 0], atol=1e-6)
    assert weights.tolist() == [[1, 1, 1]]


def test_a_joint_outside_is_neither_drawn_nor_counted():
    places = [[[70.5, 5.5], [5.5, 70.5], [-9.5, 5.5], [5.5, -9.5], [1e9, 5], [63.9, 63.9]]]
    for name in (*NAMES, None):
        codec = KeypointCodec.named(name) if name else KeypointCodec()
        maps, weights = encode(codec, places)
        assert weights.tolist() == [[0, 0, 0, 0, 0, 1]], name
        assert not maps[..., :5].any() and maps[..., 5].max() > 0.7
    # Its window touches the map, its cell does not.
    near = [[[65.5, 5.5]]]
    assert encode(KeypointCodec(radius=3), near)[1] == 1
    maps, weights = encode(KeypointCodec(radius=3, outside="center"), near)
    assert weights == 0 and not maps.any()


def test_a_bump_without_an_end_is_counted_up_to_three_sigma():
    for sigma, last in ((1, 66.5), (2, 69.5)):
        for x, counted in ((last, 1), (last + 1, 0)):
            maps, weights = encode(KeypointCodec(sigma=sigma), [[[x, 30]]])
            assert weights == counted and maps.any() == bool(counted)


@pytest.mark.parametrize("codec", [KeypointCodec(), *map(KeypointCodec.named, NAMES)])
def test_a_joint_without_annotation_has_an_empty_map(codec):
    points = [[[np.nan, np.nan], [np.inf, 5], [0, 0], [1e30, -1e30], [30, 20]]]
    maps, weights = encode(codec, points, [[0, 0, 0, 0, 1]])
    assert weights.tolist() == [[0, 0, 0, 0, 1]]
    assert np.isfinite(maps).all() and not maps[..., :4].any() and maps[..., 4].max() > 0.5


def test_integer_weights_and_no_joints_at_all():
    points, codec = np.full((2, 3, 2), 9, np.float32), KeypointCodec()
    targets = codec.encode(
        {"keypoints": points, "keypoint_weights": np.array([[1, 0, 2]] * 2)}, (16, 16), (16, 16)
    )
    assert ops.convert_to_numpy(targets["keypoints"]["weight"]).tolist() == [[1, 0, 2]] * 2
    maps, weights = encode(codec, np.zeros((0, 3, 2)), np.zeros((0, 3)), (16, 16))
    assert maps.shape == (0, 16, 16, 3) and weights.shape == (0, 3)


# Decoding


@pytest.mark.parametrize("refinement", REFINEMENTS)
def test_decode_equals_a_plain_loop(refinement):
    codec = KeypointCodec(refinement=refinement, half_cell=refinement != "quarter_axis", blur=5)
    rng = np.random.default_rng(0)
    input_size, grid = (60, 80), (15, 10)
    points = rng.uniform(0, [80, 60], (3, 16, 2)).astype(np.float32)
    maps, _ = encode(KeypointCodec(sigma=1.5), points, None, input_size, grid)
    maps = maps + rng.normal(0, 0.01, maps.shape).astype(np.float32)
    maps[1, ..., 0] -= 5  # nothing is positive
    for k, place in enumerate([(0, 0), (0, 9), (14, 0), (14, 9), (0, 4), (7, 0), (14, 5), (6, 9), (1, 1)]):
        maps[2, place[0], place[1], k] = 2
    expected, heights = naive_decode(codec, maps, input_size)
    decoded = jit(lambda m: tuple(codec.decode([{"keypoints": {"heatmap": m}}], input_size)))(maps)
    found, scores = (ops.convert_to_numpy(part) for part in decoded)
    assert found.dtype == np.float32 and found.shape == (3, 16, 2)
    np.testing.assert_allclose(found, expected, atol=1e-4 if refinement != "dark" else 5e-3)
    np.testing.assert_allclose(scores, heights, rtol=1e-6)


def test_the_last_stack_counts_and_ties_go_to_the_first():
    first, last = np.zeros((2, 1, 8, 8, 1), np.float32)
    first[0, 1, 1] = 9
    last[0, 5, [2, 6]] = 1
    codec = KeypointCodec(refinement="none")
    outputs = [{"keypoints": {"heatmap": m}} for m in (first, last)]
    found = codec.decode(outputs, (16, 16))
    np.testing.assert_allclose(ops.convert_to_numpy(found.points), [[[5, 11]]])
    assert ops.convert_to_numpy(found.scores).tolist() == [[1]]


def test_literal_refinements():
    heat = np.zeros((1, 9, 9, 1), np.float32)
    heat[0, 4, 3:6, 0], heat[0, 3:6, 4, 0] = (0.2, 1, 0.5), (0.3, 1, 0.3)
    for refinement, (x, y) in {
        "none": (4.5, 4.5),
        "quarter": (4.75, 4.5),
        "quarter_any": (4.75, 4.25),  # equals go up
        "quarter_axis": (4.75, 4.5),
    }.items():
        points, _ = decode(KeypointCodec(refinement=refinement), heat)
        np.testing.assert_allclose(points, [[[x, y]]], err_msg=refinement)
    assert decode(replace(KeypointCodec(refinement="quarter"), half_cell=False), heat)[0][0, 0, 0] == 4.25


def test_maps_without_a_positive_value_are_not_refined():
    heat = np.full((1, 8, 8, 1), -1, np.float32)
    heat[0, 3, 4], heat[0, 3, 5] = -0.1, -0.2
    for refinement in REFINEMENTS:
        points, scores = decode(KeypointCodec(refinement=refinement), heat)
        np.testing.assert_allclose(points, [[[4.5, 3.5]]])
        np.testing.assert_allclose(scores, -0.1)
        flat, _ = decode(KeypointCodec(refinement=refinement), np.zeros((1, 8, 8, 1)))
        np.testing.assert_allclose(flat, [[[0.5, 0.5]]])


# There and back


# The first three draw in the middle of a cell, so that half a cell is lost; then pytorch_stacked_hourglass
# answers with a quarter up and left of it, since neighbours are equal on a map without noise.
ROUND_TRIPS = {
    "newell": (KeypointCodec.named("newell"), 0.5),
    "bearpaw": (KeypointCodec.named("bearpaw"), 0.5),
    "mmpose": (KeypointCodec.named("mmpose"), 0.5),
    "umich": (KeypointCodec.named("umich"), 0.75),
    "umich without refinement": (replace(KeypointCodec.named("umich"), refinement="none"), 0.5),
    "paper": (KeypointCodec(), 0.25),
    "dark": (KeypointCodec(refinement="dark"), 0.01),
    "dark, sigma 2": (KeypointCodec(refinement="dark", sigma=2.0), 0.01),
    "dark, sigma 2, cut": (KeypointCodec(refinement="dark", sigma=2.0, radius=8), 0.05),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
@pytest.mark.parametrize(("input_size", "grid_size"), [((256, 256), (64, 64)), ((256, 192), (64, 48))])
def test_decoded_targets_are_the_joints(name, input_size, grid_size):
    codec, cells = ROUND_TRIPS[name]
    rng = np.random.default_rng(1)
    points = rng.uniform(30, [input_size[1] - 30, input_size[0] - 30], (4, 16, 2)).astype(np.float32)
    maps, weights = encode(codec, points, None, input_size, grid_size)
    assert weights.all()
    found, scores = decode(codec, maps, input_size)
    error = np.abs(found - points) / 4
    assert error.max() < cells + 1e-4
    assert scores.min() > 0.77
    if name.startswith("dark"):
        assert np.abs((found - points).mean()) < 0.01


# The authors' numbers


def check_umich_maps(points, heatmaps):
    """Both pictures of the file on one map each, where the higher one wins. Points are cells of the map."""
    side = len(heatmaps)
    # Joints left of the map are skipped there, even where truncation puts them into its first column.
    maps, _ = encode(KeypointCodec.named("umich"), points[..., :2], points[..., 0] > 0, (side, side))
    np.testing.assert_allclose(maps.max(axis=0), heatmaps, rtol=0, atol=1e-6)


def check_bearpaw_maps(points, heatmaps, visible, sigma, shape):
    """Whole points alone: of others theirs shifts the window where it is cut left or above."""
    codec = replace(KeypointCodec.named("bearpaw"), sigma=float(sigma), radius=3 * sigma, shape=shape)
    maps, weights = encode(codec, points[None])
    cut = (points - np.floor(points) > 0).any(axis=-1) & (points < 3 * sigma + 1).any(axis=-1)
    # A point whose window ends just before the map is visible there, though nothing is drawn.
    cut |= (visible > 0) & ~heatmaps.any(axis=(1, 2))
    assert cut.sum() <= 3
    np.testing.assert_allclose(maps[0, ..., ~cut].reshape(-1, 64, 64), heatmaps[~cut], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(weights[0, ~cut], visible[~cut])


def check_mmpose(stored, case=""):
    """Encodes and, where there is a noisy map, decodes."""
    (width, height), (columns, rows) = (stored[f"{case}{n}_size_wh"].tolist() for n in ("input", "heatmap"))
    sigma = int(stored[f"{case}sigma"])
    codec = replace(KeypointCodec.named("mmpose"), sigma=float(sigma), radius=3 * sigma)
    points, visible = stored[f"{case}keypoints"], stored[f"{case}visible"]
    maps, weights = encode(codec, points, visible, (height, width), (rows, columns))
    np.testing.assert_allclose(maps[0], stored[f"{case}heatmaps_hwk"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(weights, stored[f"{case}weights"])
    if f"{case}noisy_hwk" in stored:
        found, scores = decode(codec, stored[f"{case}noisy_hwk"][None], (height, width))
        np.testing.assert_array_equal(found, stored[f"{case}decoded"])
        np.testing.assert_array_equal(scores, stored[f"{case}scores"])


def check_parser(maps, adjusted, plain):
    """A map without a positive value is 0 everywhere there, once its peaks are kept alone."""
    for refinement, expected in (("quarter_any", adjusted), ("none", plain)):
        codec = replace(KeypointCodec.named("umich"), refinement=refinement)
        points, scores = decode(codec, maps)
        found = expected[0, :, 2] > 0
        half = 0.5 if refinement == "none" else 0
        np.testing.assert_array_equal(points[0, found] - half, expected[0, found, :2])
        np.testing.assert_array_equal(scores[0, found], expected[0, found, 2].astype(np.float32))
        assert (scores[0, ~found] <= 0).all() and not expected[0, ~found, 2].any()


@pytest.mark.parametrize("part", PARTS)
def test_equals_the_authors(part):
    stored = {k.split("__", 1)[1]: v for k, v in np.load(FIXTURE).items() if k.startswith(f"{part}__")}
    if part == "umich":
        check_umich_maps(stored["points"], stored["heatmaps"])
    elif part == "bearpaw":
        for shape in ("Gaussian", "Cauchy"):
            maps, visible = stored[f"{shape}_sigma1"], stored[f"{shape}_sigma1_visible"]
            check_bearpaw_maps(stored["points"], maps, visible, 1, shape.lower())
    elif part == "mmpose":
        check_mmpose(stored)
    else:
        check_parser(stored["heatmaps"], stored["parse"], stored["parse_no_adjust"])


def test_umich_maps_parity(parity):
    stored = np.load(parity("pose_decode") / "generate_heatmap.npz")
    check_umich_maps(stored["res64__keypoints"], stored["res64__heatmaps"])
    # On 32 cells sigma is a half, and a window of six cells has its middle between two of them: the bump of
    # cell c lies at c - 0.5. Cut left or above it is shifted once more by truncation.
    points = stored["res32__keypoints"]
    cells, weights = np.trunc(points[..., :2]), points[..., 0] > 0
    weights &= (cells > 2).all(axis=-1) & (cells < 32).all(axis=-1)
    codec = KeypointCodec(sigma=0.5, radius=3)
    maps, _ = encode(codec, cells, weights, (32, 32))
    whole = np.all(weights | (points[..., 0] <= 0) | (cells >= 32).any(axis=-1), axis=0)
    assert whole.sum() > 4
    np.testing.assert_allclose(maps.max(axis=0)[..., whole], stored["res32__heatmaps"][..., whole], atol=1e-6)


@pytest.mark.parametrize("case", ["smooth", "noise", "negative", "borders"])
def test_umich_parser_parity(parity, case):
    stored = np.load(parity("pose_decode") / "heatmap_parser.npz")
    check_parser(*(stored[f"{case}__{part}"] for part in ("heatmaps", "parse", "parse_no_adjust")))


def test_ties_have_the_authors_value(parity):
    stored = np.load(parity("pose_decode") / "heatmap_parser.npz")
    _, scores = decode(KeypointCodec.named("umich"), stored["ties__heatmaps"])
    np.testing.assert_array_equal(scores, stored["ties__calc_val"][..., 0])


@pytest.mark.parametrize("shape", ["Gaussian", "Cauchy"])
@pytest.mark.parametrize("sigma", [1, 2])
def test_bearpaw_maps_parity(parity, shape, sigma):
    stored = np.load(parity("pose_bearpaw") / "draw_labelmap.npz")
    maps, visible = stored[f"{shape}_sigma{sigma}"], stored[f"{shape}_sigma{sigma}_visible"]
    check_bearpaw_maps(stored["points"], maps, visible, sigma, shape.lower())


def test_bearpaw_evaluation_parity(parity):
    """Cells, and joints taken back to the image, which theirs counts from 1 and truncates."""
    stored = np.load(parity("pose_bearpaw") / "evaluation.npz")
    maps = stored["scores"]
    found = maps.max(axis=(1, 2)) > 0
    assert found.sum() >= found.size - 1
    cells, _ = decode(replace(KeypointCodec.named("bearpaw"), refinement="none"), maps)
    np.testing.assert_array_equal((cells + 0.5)[found], stored["get_preds"][found])
    points, _ = decode(KeypointCodec.named("bearpaw"), maps)
    for image, center, scale in zip(range(3), stored["center"], stored["scale"], strict=True):
        way_back = affine.invert(person_view(center, 200 * scale, (32, 32)).input_from_image)
        pixels = np.trunc(affine.transform_points(way_back, points[image])) + 1
        np.testing.assert_array_equal(pixels[found[image]], stored["final_preds"][image][found[image]])


@pytest.mark.parametrize("case", ["0_", "1_"])
def test_mmpose_parity(parity, case):
    check_mmpose(np.load(parity("pose_codec_mmpose") / "msra.npz"), case)


# Arguments


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"center": "corner"}, "center must be one of .*'subpixel'.* not 'corner'"),
        ({"outside": "never"}, "outside must be one of .*'window'.* not 'never'"),
        ({"shape": "box"}, "shape must be one of .*'gaussian'.* not 'box'"),
        ({"refinement": "half"}, "refinement must be one of .*'dark'.* not 'half'"),
        ({"sigma": 0}, "sigma must be above 0, not 0"),
        ({"sigma": -1.0}, "sigma must be above 0, not -1.0"),
        ({"sigma": float("nan")}, "sigma must be finite and above 0, not nan"),
        ({"radius": -1}, "radius must be at least 0, not -1"),
        ({"blur": 4}, "blur must be odd, not 4"),
        ({"blur": 0}, "blur must be at least 1, not 0"),
        ({"blur": -3}, "blur must be at least 1, not -3"),
    ],
)
def test_bad_settings_name_the_argument(settings, words):
    with pytest.raises(ValueError, match=words):
        KeypointCodec(**settings)


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(ValueError, match="name must be one of .*'newell'.*'mmpose'.* not 'openpose'"):
        KeypointCodec.named("openpose")
