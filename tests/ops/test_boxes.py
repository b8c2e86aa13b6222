"""Intersection over union against plain arithmetic."""

import numpy as np
import pytest
from gradients import numeric_gradients, value_and_gradients
from keras import ops

from keras_cornernet.ops.boxes import intersection_over_union, ordered, without_unusable


def naive(a, b, border=0.0):
    width = min(a[2], b[2]) - max(a[0], b[0]) + border
    height = min(a[3], b[3]) - max(a[1], b[1]) + border
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0] + border) * (box[3] - box[1] + border) for box in (a, b))
    return width * height / (areas - width * height)


def random_boxes(rng, count):
    low = rng.uniform(0, 30, (count, 2))
    return np.concatenate([low, low + rng.uniform(1, 30, (count, 2))], 1).astype(np.float32)


@pytest.mark.parametrize("border", [0.0, 1.0])
def test_equals_plain_arithmetic(border):
    rng = np.random.default_rng(0)
    boxes, others = random_boxes(rng, 9), random_boxes(rng, 11)
    got = ops.convert_to_numpy(intersection_over_union(boxes[:, None], others[None], border=border))
    expected = [[naive(a, b, border) for b in others] for a in boxes]
    assert np.count_nonzero(expected) > 30
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_literal_values():
    boxes = np.array([[0, 0, 10, 10]] * 6, np.float32)
    others = np.array(
        [[0, 0, 10, 10], [10, 0, 20, 10], [5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30], [5, 5, 5, 5]],
        np.float32,
    )
    got = ops.convert_to_numpy(intersection_over_union(boxes, others))
    np.testing.assert_allclose(got, [1, 0, 1 / 3, 0.04, 0, 0], rtol=1e-6)
    # reference section 10: the pixel-inclusive overlap of two shifted squares
    pair = intersection_over_union(boxes[:1], np.array([[1, 1, 11, 11]], np.float32), border=1.0)
    np.testing.assert_allclose(ops.convert_to_numpy(pair), [0.704225], atol=1e-6)


def test_boxes_without_area_give_zero_and_no_nan():
    point = np.zeros((1, 4), np.float32)
    assert float(intersection_over_union(point, point)[0]) == 0.0


def test_corners_are_put_in_order():
    boxes = np.array([[1, 2, 3, 4], [3, 2, 1, 4], [3, 4, 1, 2], [5, 5, 5, 5]], np.float32)
    np.testing.assert_array_equal(ordered(boxes), [[1, 2, 3, 4]] * 3 + [[5, 5, 5, 5]])


def test_boxes_that_are_no_numbers_are_rejected():
    boxes = np.array([[1, 2, 3, 4], [np.nan, 2, 3, 4], [1, 2, np.inf, 4], [-3e38, 2, 3, 4]], np.float32)
    boxes, scores = without_unusable(boxes, np.full(4, 0.5, np.float32))
    np.testing.assert_array_equal(boxes, [[1, 2, 3, 4]] + [[0] * 4] * 3)
    np.testing.assert_array_equal(scores, [0.5, -1, -1, -1])


def test_gradient_equals_finite_differences():
    rng = np.random.default_rng(3)
    boxes, others = random_boxes(rng, 6), random_boxes(rng, 6)
    weights = rng.normal(size=6)
    _, got = value_and_gradients(
        lambda a, b: ops.sum(intersection_over_union(a, b) * ops.cast(weights, "float32")), boxes, others
    )
    expected = numeric_gradients(
        lambda a, b: sum(w * naive(*pair) for w, *pair in zip(weights, a, b, strict=True)), boxes, others
    )
    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
