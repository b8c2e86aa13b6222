"""Affine maps of the plane."""

import numpy as np
import pytest

from keras_cornernet.ops import affine


def random_map(rng):
    return affine.compose(
        affine.translation(*rng.uniform(-50, 50, 2)),
        affine.rotation(rng.uniform(-180, 180)),
        affine.scaling(*rng.uniform(0.3, 3, 2)),
        affine.horizontal_flip(rng.uniform(1, 100)),
    )


def test_single_maps_on_literal_points():
    points = np.array([[0.0, 0.0], [3.0, 1.0]])
    for matrix, expected in [
        (affine.identity(), [[0, 0], [3, 1]]),
        (affine.scaling(2, 10), [[0, 0], [6, 10]]),
        (affine.translation(-1, 5), [[-1, 5], [2, 6]]),
        (affine.horizontal_flip(8), [[8, 0], [5, 1]]),
        (affine.rotation(90), [[0, 0], [-1, 3]]),  # right becomes down: clockwise on the screen
    ]:
        np.testing.assert_allclose(affine.transform_points(matrix, points), expected, atol=1e-12)


def test_compose_applies_the_last_first():
    both = affine.compose(affine.translation(1, 0), affine.scaling(10, 10))
    np.testing.assert_allclose(affine.transform_points(both, np.array([[2.0, 3.0]])), [[21, 30]])
    np.testing.assert_array_equal(affine.compose(), affine.identity())


def test_the_way_back_is_the_inverse():
    rng = np.random.default_rng(0)
    for _ in range(20):
        there = random_map(rng)
        np.testing.assert_allclose(affine.compose(affine.invert(there), there), affine.identity(), atol=1e-9)
        points = rng.uniform(-100, 100, (2, 5, 2))
        back = affine.transform_points(affine.invert(there), affine.transform_points(there, points))
        np.testing.assert_allclose(back, points, atol=1e-9)


def test_a_map_onto_a_line_has_no_way_back():
    with pytest.raises(ValueError, match="cannot be inverted"):
        affine.invert(affine.scaling(1, 0))


def test_boxes_become_the_upright_boxes_around_their_corners():
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 50, (30, 2))
    boxes = np.concatenate([low, low + rng.uniform(0, 40, (30, 2))], 1)
    matrix = random_map(rng)
    moved = affine.transform_boxes(matrix, boxes)
    for (x1, y1, x2, y2), got in zip(boxes, moved, strict=True):
        corners = [matrix[:, :2] @ p + matrix[:, 2] for p in ((x1, y1), (x2, y1), (x1, y2), (x2, y2))]
        np.testing.assert_allclose(got, [*np.min(corners, 0), *np.max(corners, 0)], atol=1e-9)


def test_float32_boxes_stay_float32_and_whole_numbers_are_not_truncated():
    half = affine.compose(affine.translation(0.25, 0.25), affine.scaling(0.5, 0.5))
    assert affine.transform_boxes(half, np.zeros((3, 4), np.float32)).dtype == np.float32
    moved = affine.transform_boxes(half, np.array([[1, 2, 3, 4]]))
    np.testing.assert_allclose(moved, [[0.75, 1.25, 1.75, 2.25]])
    assert affine.transform_boxes(half, np.zeros((0, 4), np.float32)).shape == (0, 4)
