"""The way back to image pixels, against plain NumPy."""

import numpy as np
import pytest
from keras import ops

from keras_cornernet.inference.placement import Placement, placement_of
from keras_cornernet.inference.way_back import (
    boxes_to_image,
    clip_boxes,
    points_to_image,
    reach_beyond,
    with_mirror_images,
)
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import fit_view, padded_view

SIZES = [(60, 90), (95, 61), (40, 40)]
INPUT = (127, 127)
VIEWS = [fit_view(SIZES[0], INPUT), padded_view(SIZES[1]), padded_view(SIZES[2], 1.5)]
PLACEMENT = placement_of(VIEWS, SIZES)


def random_boxes(seed=0):
    low = np.random.default_rng(seed).uniform(-30, 120, (3, 20, 2))
    return np.concatenate([low, low + np.random.default_rng(seed + 1).uniform(0, 60, low.shape)], -1).astype(
        np.float32
    )


def test_points_go_back_by_the_inverse_affine():
    points = random_boxes()[..., :2]
    got = ops.convert_to_numpy(points_to_image(points, PLACEMENT))
    for view, mine, theirs in zip(VIEWS, got, points, strict=True):
        there = affine.transform_points(view.input_from_image, mine.astype(np.float64))
        np.testing.assert_allclose(there, theirs, atol=1e-4)


def test_any_affine_moves_points():
    image_from_input = np.array([[[2, 3, 5], [7, 11, 13]]], np.float32)
    got = points_to_image(np.array([[[1, 10]]], np.float32), Placement(image_from_input, None))
    np.testing.assert_array_equal(got, [[[2 + 30 + 5, 7 + 110 + 13]]])


def test_boxes_go_back_as_in_preprocessing():
    boxes = random_boxes()
    got = ops.convert_to_numpy(boxes_to_image(boxes, PLACEMENT))
    for view, mine, theirs in zip(VIEWS, got, boxes, strict=True):
        np.testing.assert_allclose(mine, view.boxes_to_image(theirs), atol=1e-4)


def test_mirror_images_are_mirrored_back():
    boxes = random_boxes()
    mirrored = np.stack([127 - boxes[..., 2], boxes[..., 1], 127 - boxes[..., 0], boxes[..., 3]], -1)
    both = with_mirror_images(PLACEMENT, 127)
    got = ops.convert_to_numpy(boxes_to_image(np.concatenate([boxes, mirrored]), both))
    np.testing.assert_allclose(got[:3], got[3:], atol=1e-3)
    np.testing.assert_array_equal(both.image_size, SIZES * 2)
    beyond = ops.convert_to_numpy(reach_beyond(got, both, 3.0))
    np.testing.assert_array_equal(beyond[:3], beyond[3:])
    assert 0 < beyond.mean() < 1


@pytest.mark.parametrize("border", [0.5, 5.0])
def test_the_border_is_measured_in_input_pixels(border):
    boxes = random_boxes()
    got = reach_beyond(boxes_to_image(boxes, PLACEMENT), PLACEMENT, border)
    for view, (height, width), mine, theirs in zip(
        VIEWS, SIZES, ops.convert_to_numpy(got), boxes, strict=True
    ):
        x1, y1, x2, y2 = affine.transform_boxes(view.input_from_image, np.array([[0, 0, width, height]]))[0]
        expected = [
            a <= x1 - border or b <= y1 - border or c >= x2 + border or d >= y2 + border
            for a, b, c, d in theirs
        ]
        np.testing.assert_array_equal(mine, expected)


def test_boxes_are_clipped_to_their_own_image():
    boxes = np.array([[[-5, 10, 70, 200]]] * 2, np.float32)
    got = clip_boxes(boxes, np.array([[50, 60], [300, 65]], np.float32))
    np.testing.assert_array_equal(got, [[[0, 10, 60, 50]], [[0, 10, 65, 200]]])
