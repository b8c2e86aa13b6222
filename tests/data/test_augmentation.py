"""Augmentation moves image and boxes alike: a white rectangle is found again where its box went."""

import numpy as np
import pytest

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation, crop_view, flipped
from keras_cornernet.data.boxes import move_boxes
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import fit_view
from keras_cornernet.structures import Boxes

RECIPES = {
    "paper": CornerNetCrop(border=20),
    "of the image": CornerNetCrop(border=20, of_image=True),
    "small": SmallDataAugmentation(),
    "small, turned and upside down": SmallDataAugmentation(
        vertical_flip=0.5, quarter_rotations=True, stretch=0.3
    ),
}


def found_box(image):
    """The box around what is brighter than half, by the mass along each axis: to a fraction of a pixel."""
    shares = image[..., 0] / 255
    box = []
    for axis in (0, 1):
        profile = shares.max(axis=axis)
        places = np.flatnonzero(profile > 0.5)
        low, high = places[0], places[-1] + 1
        before = profile[low - 1] if low > 0 else 0
        after = profile[high] if high < len(profile) else 0
        box.append((low + (1 - profile[low]) - before, high - (1 - profile[high - 1]) + after))
    (x1, x2), (y1, y2) = box
    return np.array([x1, y1, x2, y2])


@pytest.mark.parametrize("name", RECIPES)
def test_a_rectangle_and_its_box_move_alike(name):
    rng, augmentation = np.random.default_rng(0), RECIPES[name]
    compared, signs = 0, set()
    for trial in range(60):
        size = [(90, 140), (140, 90), (61, 201)][trial % 3]
        width, height = rng.integers(12, 30, 2)
        x, y = rng.integers(0, size[1] - width), rng.integers(0, size[0] - height)
        image = np.zeros((*size, 3), np.uint8)
        image[y : y + height, x : x + width] = 255
        view = augmentation.draw(size, (96, 128), rng)
        box = Boxes(
            np.array([[x, y, x + width, y + height]], np.float32), np.zeros(1, np.int32), np.zeros(1, bool)
        )
        moved = move_boxes(box, size, view, 0.0)
        shown = view.apply(image)
        if not len(moved.xyxy):
            assert shown.sum() == 0 or shown.mean() < 1  # at most a blurred edge
            continue
        if min(moved.xyxy[0, 2:] - moved.xyxy[0, :2]) < 4:
            continue
        np.testing.assert_allclose(found_box(shown), moved.xyxy[0], atol=1.5, err_msg=f"{trial}")
        if (moved.xyxy[0] > 1).all() and (moved.xyxy[0] < [127, 95, 127, 95]).all():
            np.testing.assert_allclose(found_box(shown), moved.xyxy[0], atol=0.6, err_msg=f"{trial}")
            compared += 1
        signs.add(tuple(np.sign(np.round(view.input_from_image[:, :2], 6)).ravel()))
    assert compared > 15
    # Every flip and rotation was drawn.
    assert len(signs) == (8 if "turned" in name else 2)


def test_draws_are_functions_of_the_generator_and_cover_the_settings():
    augmentation = CornerNetCrop()
    views = [augmentation.draw((400, 500), (511, 511), np.random.default_rng(seed)) for seed in range(200)]
    again = augmentation.draw((400, 500), (511, 511), np.random.default_rng(7))
    np.testing.assert_array_equal(again.input_from_image, views[7].input_from_image)
    zooms = np.array([abs(view.input_from_image[0, 0]) for view in views])
    sides = {int(round(511 / zoom)) for zoom in zooms}
    assert sides == {306, 357, 408, 459, 511, 562, 613, 664}  # section 4.1, but 511 for its 510
    assert 60 < sum(view.input_from_image[0, 0] < 0 for view in views) < 140


def test_small_recipe_keeps_its_bounds():
    augmentation = SmallDataAugmentation(scale=(0.8, 1.25), shift=0.1, stretch=0.2, flip=0.0)
    fitted = fit_view((60, 90), (96, 128)).input_from_image
    for seed in range(100):
        view = augmentation.draw((60, 90), (96, 128), np.random.default_rng(seed))
        x, y = view.input_from_image[0, 0] / fitted[0, 0], view.input_from_image[1, 1] / fitted[1, 1]
        assert 0.8 <= np.sqrt(x * y) <= 1.25 and np.exp(-0.2) <= x / y <= np.exp(0.2)
        center = affine.transform_points(view.input_from_image, np.array([[45.0, 30.0]]))[0]
        assert np.abs(center - [64, 48])[0] <= 12.8 * 1.25 and np.abs(center - [64, 48])[1] <= 9.6 * 1.25
        assert view.visible == (0, 0, 128, 96)


@pytest.mark.parametrize("augmentation", RECIPES.values())
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_tiny_images_can_be_drawn(augmentation, size):
    for seed in range(10):
        view = augmentation.draw(size, (64, 64), np.random.default_rng(seed))
        assert view.apply(np.full((*size, 3), 255, np.uint8)).shape == (64, 64, 3)


def test_flipping_a_view_is_mirroring_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    view = crop_view((50, 70), (40, 60), (30, 20), 0.55)  # odd both ways: a black row and column
    mirrored = flipped(view)
    np.testing.assert_array_equal(mirrored.apply(image), view.apply(image)[:, ::-1])
    np.testing.assert_allclose(flipped(mirrored).input_from_image, view.input_from_image, atol=1e-12)


def test_crop_view_puts_the_center_where_the_released_code_does():
    view = crop_view((400, 500), (511, 511), (250, 120), 0.7)
    side = 357
    np.testing.assert_allclose(
        affine.transform_points(view.input_from_image, np.array([[250.0, 120.0]])), [[178 * 511 / side] * 2]
    )
    x1, y1, x2, y2 = affine.transform_boxes(
        affine.invert(view.input_from_image), np.array([[0.0, 0, 511, 511]])
    )[0]
    assert (x1, y1, x2, y2) == pytest.approx((72, -58, 429, 299))


def test_border_parity(parity):
    stored = np.load(parity("image_ops") / "training_crop.npz")
    for (border, size), expected in zip(stored["get_border_args"], stored["get_border"], strict=True):
        assert CornerNetCrop(border=int(border))._edge(int(size)) == expected


@pytest.mark.parametrize("image_size", [(90, 140), (300, 200)])
def test_a_crop_of_the_image_is_as_large_as_its_longer_side(image_size):
    augmentation = CornerNetCrop(scales=(0.8,), flip=0.0, of_image=True)
    view = augmentation.draw(image_size, (64, 64), np.random.default_rng(0))
    assert view.input_from_image[0, 0] == pytest.approx(64 / int(0.8 * max(image_size)), rel=1e-6)
