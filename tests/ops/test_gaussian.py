"""Radii and bumps against the literal values of the reference, a plain loop, and the authors' arrays."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_cornernet.backend import jit, window_cells
from keras_cornernet.ops import gaussian
from keras_cornernet.ops.gaussian import draw_gaussians, draw_rectangles, gaussian_radius, radius_table

# height, width: radius for a minimum overlap of 0.3, 0.5 and 0.7
RADII = {
    (1, 1): (0.2261, 0.1464, 0.0817),
    (4, 4): (0.9046, 0.5858, 0.3267),
    (8, 8): (1.8091, 1.1716, 0.6534),
    (10, 10): (2.2614, 1.4645, 0.8167),
    (10, 40): (3.2129, 2.1922, 1.2639),
    (20, 30): (5.3411, 3.4861, 1.9525),
    (32, 32): (7.2364, 4.6863, 2.6134),
    (64, 64): (14.4729, 9.3726, 5.2269),
    (100, 50): (14.4511, 9.5492, 5.3869),
    (128, 128): (28.9458, 18.7452, 10.4538),
}


def naive_bumps(row, column, radius, label, drawn, grid, divisor=6.0):
    maps = np.zeros(grid)
    for b, k in np.ndindex(row.shape):
        if not drawn[b, k]:
            continue
        r = int(radius[b, k])
        sigma = (2 * r + 1) / divisor
        for dy in range(-r, r + 1):
            for dx in range(-r, r + 1):
                y, x = row[b, k] + dy, column[b, k] + dx
                if 0 <= y < grid[1] and 0 <= x < grid[2]:
                    value = np.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))
                    maps[b, y, x, label[b, k]] = max(maps[b, y, x, label[b, k]], value)
    return maps


def draw(xyr, grid, divisor=6.0):
    """Draws bumps of one image and one class."""
    x, y, r = np.asarray(xyr, np.int32).T[:, None]
    drawn = np.ones_like(x, bool)
    maps = draw_gaussians(
        y, x, r, np.zeros_like(x), drawn, grid=(1, *grid, 1), max_radius=max(r[0]), sigma_divisor=divisor
    )
    return ops.convert_to_numpy(maps)[0, ..., 0]


def compiled_ways():
    """As it is, compiled, and on TensorFlow by XLA too, which wants static shapes."""
    ways = [lambda f: f, jit]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        ways.append(lambda f: tf.function(f, jit_compile=True))
    return ways


@pytest.mark.parametrize("size", RADII)
def test_radius_of_the_reference_table(size):
    got = [gaussian_radius(*size, overlap) for overlap in (0.3, 0.5, 0.7)]
    np.testing.assert_allclose(got, RADII[size], atol=6e-5)


# height, width: radius of the first release's formula for a minimum overlap of 0.7 and 0.3
RELEASED = {
    (1, 1): (0.2733, 0.4954),
    (10, 40): (4.5095, 8.6854),
    (20, 30): (6.5812, 12.0),
    (128, 128): (34.985, 63.417),
}


@pytest.mark.parametrize("size", RELEASED)
def test_radius_of_the_first_release(size):
    got = [gaussian_radius(*size, overlap, corrected=False) for overlap in (0.7, 0.3)]
    np.testing.assert_allclose(got, RELEASED[size], atol=6e-5)
    assert radius_table(*size, 0.7, False)[size] == int(RELEASED[size][0])


@pytest.mark.parametrize("overlap", [0.3, 0.5, 0.7])
def test_corners_moved_by_the_radius_keep_the_overlap(overlap):
    height, width = (a.astype(float) for a in np.mgrid[2:60:7, 2:60:7])
    r, area = gaussian_radius(height, width, overlap), height * width
    inside = (height - 2 * r) * (width - 2 * r) / area
    outside = area / ((height + 2 * r) * (width + 2 * r))
    meet = (height - r) * (width - r)
    slid = meet / (2 * area - meet)
    worst = np.minimum(np.minimum(inside, outside), slid)
    np.testing.assert_allclose(worst, overlap, rtol=1e-9)  # kept, and no smaller radius would do


def test_radius_table_is_the_truncated_radius():
    table = radius_table(40, 60, 0.3)
    assert table.shape == (41, 61) and table.min() == 0
    assert table[12, 15] == 3  # exactly 3, and 2.999... if rounded in another order than the authors'
    for height, width in [(0, 0), (0, 60), (1, 1), (9, 10), (40, 60), (33, 7)]:
        assert table[height, width] == max(0, int(gaussian_radius(height, width, 0.3)))


def test_literal_rows():
    maps = draw([(3, 3, 2)], (7, 7))
    np.testing.assert_allclose(maps[3, 1:6], [0.056135, 0.486752, 1, 0.486752, 0.056135], atol=1e-6)
    np.testing.assert_allclose(maps[2, 1:4], [0.027324, 0.236928, 0.486752], atol=1e-6)
    np.testing.assert_allclose(maps[1, 1], 0.003151, atol=1e-6)
    assert maps[3, 3] == 1.0 and not maps[0].any() and not maps[:, 6].any()
    np.testing.assert_allclose(draw([(3, 3, 2)], (7, 7), 5.0)[3, 1:4], [0.135335, 0.606531, 1], atol=1e-6)
    single = draw([(1, 2, 0)], (4, 4))
    assert single[2, 1] == 1.0 and single.sum() == 1.0


def test_bumps_equal_a_plain_loop_compiled_too():
    rng = np.random.default_rng(0)
    shape, grid = (3, 17), (3, 20, 27, 4)
    row, column = rng.integers(0, 20, shape), rng.integers(0, 27, shape)
    radius, label = rng.integers(0, 8, shape), rng.integers(0, 4, shape)
    drawn = rng.random(shape) < 0.8
    drawn[1] = False
    arrays = [a.astype(np.int32) for a in (row, column, radius, label)]
    expected = naive_bumps(*arrays, drawn, grid)
    assert not expected[1].any() and expected[0].any()
    for run in compiled_ways():
        got = run(lambda *a: draw_gaussians(*a, grid=grid, max_radius=7))(*arrays, drawn)
        np.testing.assert_allclose(ops.convert_to_numpy(got), expected, atol=1e-6)


def random_rectangles(rng, shape, rows, columns, classes):
    """Some without height, some half beside the grid."""
    sides = (rng.integers(-3, rows, shape), rng.integers(-3, columns, shape))
    sizes = (rng.integers(0, 7, shape), rng.integers(1, 9, shape))
    return [a.astype(np.int32) for a in (*sides, *sizes, rng.integers(0, classes, shape))]


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_rectangles_equal_a_plain_loop_compiled_too(count):
    grid = (2, 12, 15, 3)
    arrays = random_rectangles(np.random.default_rng(count), (2, count), *grid[1:])
    expected = np.zeros(grid)
    for b, k in np.ndindex(2, count):
        top, left, height, width, label = (a[b, k] for a in arrays)
        expected[b, max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0), label] = 1
    for run in compiled_ways():
        got = run(lambda *a: draw_rectangles(*a, grid=grid))(*arrays)
        np.testing.assert_array_equal(ops.convert_to_numpy(got), expected)


def test_cells_of_rectangles_are_not_listed(monkeypatch):
    """With static shapes each would have as many as the grid, whatever its size."""

    def listed(heights, widths, bound):
        raise AssertionError(f"{heights.shape[0]} windows of up to {bound} cells")

    monkeypatch.setattr(gaussian, "window_cells", listed)
    grid = (3, 32, 32, 5)
    arrays = random_rectangles(np.random.default_rng(2), (3, 50), *grid[1:])
    for run in compiled_ways():
        assert ops.convert_to_numpy(run(lambda *a: draw_rectangles(*a, grid=grid))(*arrays)).any()


def test_no_objects_draw_nothing():
    none = np.zeros((2, 0), np.int32)
    maps = draw_gaussians(none, none, none, none, none.astype(bool), grid=(2, 4, 4, 1), max_radius=2)
    assert maps.shape == (2, 4, 4, 1) and not ops.convert_to_numpy(maps).any()


def test_radius_parity(parity):
    stored = np.load(parity("targets") / "gaussian_radius.npz")
    for i, overlap in enumerate(stored["min_overlap"]):
        for name, corrected in (("cornernet", True), ("centernet", False)):
            got = gaussian_radius(*stored["hw"].T, float(overlap), corrected=corrected)
            np.testing.assert_allclose(got, stored[f"radius_{name}"][:, i], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("name", "divisor"), [("draw_cornernet", 6.0), ("draw_centernet_center", 5.0)])
def test_bump_parity(parity, name, divisor):
    stored = np.load(parity("targets") / "gaussian.npz")
    got = draw(stored[f"{name}_xyr"], stored[name].shape, divisor)
    np.testing.assert_allclose(got, stored[name], rtol=0, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="XLA as Keras uses it on TensorFlow")
def test_xla_has_one_program_for_all_annotations():
    """Sizes that depend on the boxes would be compiled anew in every step."""
    import tensorflow as tf

    rng = np.random.default_rng(3)
    grid, shape, traced = (2, 9, 11, 2), (2, 4), []
    row, column = rng.integers(0, 9, shape), rng.integers(0, 11, shape)
    radius, label = rng.integers(0, 3, shape), rng.integers(0, 2, shape)
    arrays = [a.astype(np.int32) for a in (row, column, radius, label)]

    @tf.function(jit_compile=True)
    def run(*arrays):
        traced.append(window_cells(*(tf.reshape(a, (-1,)) for a in arrays[:2]), (5, 5))[0].shape)
        return draw_gaussians(*arrays, grid=grid, max_radius=2)

    for drawn in (rng.random(shape) < 0.5, np.ones(shape, bool), np.zeros(shape, bool)):
        np.testing.assert_allclose(run(*arrays, drawn), naive_bumps(*arrays, drawn, grid), atol=1e-6)
    assert traced == [(2 * 4 * 5 * 5,)]
