"""The graph's resampling is that of `preprocessing`."""

import numpy as np
import pytest
import tensorflow as tf
from exportable import picture

from keras_cornernet.export.resampling import Fit, fitted, lines_of, placement_of, resize_bilinear
from keras_cornernet.inference.way_back import points_to_image
from keras_cornernet.preprocessing import fit_view, person_view

SIZES = [(32, 48), (31, 77), (200, 90), (1, 1), (2, 1000), (480, 640)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("input_size", [(32, 48), (64, 64)])
@pytest.mark.parametrize("by_longer_side", [False, True])
def test_an_image_is_shown_as_in_prediction(size, input_size, by_longer_side):
    image = picture(*size)
    height, width = size
    if by_longer_side:
        view = person_view((width / 2, height / 2), max(size), input_size)
    else:
        view = fit_view(size, input_size)
    fit = fitted(size, input_size, by_longer_side=by_longer_side)
    shown = np.asarray(resize_bilinear(image, *lines_of(fit, input_size)))
    difference = np.abs(shown - view.apply(image))
    assert difference.max() <= 1  # a value half-way between two grey levels
    assert (difference > 0).mean() < 0.001
    points = np.random.default_rng(0).uniform(0, 48, (1, 5, 2)).astype(np.float32)
    placement = placement_of(Fit(*(part[None] for part in fit)))
    back = points_to_image(points, placement)
    np.testing.assert_allclose(back[0], view.points_to_image(points[0]), atol=1e-3)
    np.testing.assert_array_equal(placement.image_size, [size])


def test_four_pixels_doubled_by_hand():
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 1] = 100
    fit = fitted((2, 2), (4, 6))
    assert [float(part) for part in fit] == [2.0, 1.0, 0.0, 2.0, 2.0]
    shown = resize_bilinear(image, *lines_of(fit, (4, 6)))
    np.testing.assert_array_equal(shown[0, :, 0], [0, 0, 25, 75, 100, 0])
    np.testing.assert_array_equal(shown[3], shown[0])


def test_a_batch_of_images_is_fitted():
    fit = fitted(tf.constant([[10, 20], [40, 20]]), (20, 20))
    np.testing.assert_allclose(fit.scale, [1.0, 0.5])
    np.testing.assert_allclose(fit.left, [0, 5])
    moved = points_to_image(tf.constant([[[5.0, 10.0]], [[5.0, 10.0]]]), placement_of(fit))
    np.testing.assert_allclose(moved, [[[5, 5]], [[0, 20]]])
