"""The recipe of pose: what it draws, and that pictures and points move alike."""

import numpy as np
import pytest

from keras_cornernet.data.augmentation import flipped
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import person_view

CENTER, SIDE, SIZE = (70.0, 50.0), 80.0, (64, 64)
STILL = {"scale": 0.0, "rotate": 0.0, "flip": 0.0, "gain": (1.0, 1.0)}


def views_of(augmentation, count=400, size=SIZE):
    return [augmentation.draw(CENTER, SIDE, size, np.random.default_rng(seed)) for seed in range(count)]


def parts_of(view, mirrored):
    """log2 of the side's factor, the turn in degrees counter-clockwise, and where the centre went."""
    linear = view.input_from_image[:, :2]
    if mirrored:
        linear = np.diag([-1, 1]) @ linear
    zoom = min(view.input_size) / SIDE / np.sqrt(np.linalg.det(linear))
    turn = np.rad2deg(np.arctan2(linear[0, 1], linear[0, 0]))
    return np.log2(zoom), turn, affine.transform_points(view.input_from_image, np.array([CENTER]))[0]


def test_close_ups_show_a_part_of_the_square():
    augmentation = PoseAugmentation(**STILL, close_up=0.5, close_up_side=(0.4, 0.8))
    sides = []
    for view, _ in views_of(augmentation):
        shown = affine.transform_points(view.image_from_input, np.array([[0, 0], [64, 64]]))
        low, high = np.array(CENTER) - SIDE / 2, np.array(CENTER) + SIDE / 2
        assert (shown[0] >= low - 1e-6).all() and (shown[1] <= high + 1e-6).all()
        sides.append((shown[1] - shown[0])[0] / SIDE)
    parts = np.array(sides)[np.array(sides) < 1 - 1e-6]
    assert 0.42 < len(parts) / len(sides) < 0.58
    assert 0.4 <= parts.min() < 0.45 and 0.75 < parts.max() <= 0.8


def test_the_authors_recipe_keeps_its_limits_and_its_shares():
    drawn = views_of(PoseAugmentation())
    zooms, turns, centers = map(np.array, zip(*(parts_of(*each) for each in drawn), strict=True))
    assert np.abs(zooms).max() <= 0.5 + 1e-9 and 0.19 < zooms.std() < 0.27
    assert 0.01 < np.isclose(np.abs(zooms), 0.5).mean() < 0.12  # beyond two deviations
    rotated = np.abs(turns) > 1e-6
    assert 0.32 < rotated.mean() < 0.48
    assert np.abs(turns).max() <= 60 + 1e-6 and 22 < turns[rotated].std() < 34
    assert 0.42 < np.mean([mirrored for _, mirrored in drawn]) < 0.58
    np.testing.assert_allclose(centers, np.full((400, 2), 32.0), atol=1e-9)
    assert all(view.visible == (0, 0, 64, 64) for view, _ in drawn)


def test_a_mirrored_view_says_so():
    for view, mirrored in views_of(PoseAugmentation(), 50):
        assert (np.linalg.det(view.input_from_image[:, :2]) < 0) == mirrored


def test_turned_is_for_subjects_without_an_up():
    augmentation = PoseAugmentation(shift=0.1).rotated()
    assert (augmentation.shift, augmentation.scale, augmentation.flip) == (0.1, 0.25, 0.5)
    turns = np.array([parts_of(*each)[1] for each in views_of(augmentation)])
    shares, _ = np.histogram(turns, 4, (-180, 180))
    assert (np.abs(turns) > 1e-6).all() and shares.min() > 70
    assert PoseAugmentation().rotation_limit == 60  # the recipe it came from is as it was


def test_even_turns_stay_between_their_limits():
    augmentation = PoseAugmentation(rotate=1.0, uniform_rotation=True, rotation_limit=20.0)
    turns = np.array([parts_of(*each)[1] for each in views_of(augmentation)])
    assert np.abs(turns).max() <= 20 and (np.abs(turns) > 15).mean() > 0.15


def test_the_centre_is_moved_by_a_share_of_the_side():
    augmentation = PoseAugmentation(**STILL, shift=0.1)
    moves = np.array([parts_of(*each)[2] for each in views_of(augmentation)]) - 32
    assert 6 < np.abs(moves).max() <= 6.4 and (np.abs(moves.mean(axis=0)) < 0.6).all()


def test_draws_are_functions_of_the_generator():
    first, second = views_of(PoseAugmentation(shift=0.1), 20), views_of(PoseAugmentation(shift=0.1), 20)
    for (one, mirrored), (other, also) in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.input_from_image, other.input_from_image)
        assert mirrored == also
    assert len({view.input_from_image.tobytes() for view, _ in first}) == 20


def test_without_any_change_it_is_the_persons_own_square():
    view, mirrored = PoseAugmentation(**STILL).draw(CENTER, SIDE, SIZE, np.random.default_rng(0))
    assert not mirrored
    np.testing.assert_array_equal(view.input_from_image, person_view(CENTER, SIDE, SIZE).input_from_image)


@pytest.mark.parametrize("size", [(64, 64), (96, 72), (48, 80)])
def test_a_bright_dot_and_its_point_move_alike(size):
    image = np.zeros((100, 140, 3), np.uint8)
    image[43:53, 78:88] = 255
    point = np.array([[83.0, 48.0]])
    compared = 0
    for view, _ in views_of(PoseAugmentation(shift=0.05), 40, size):
        x, y = affine.transform_points(view.input_from_image, point)[0]
        if not (12 < x < size[1] - 12 and 12 < y < size[0] - 12):
            continue
        bright = view.apply(image)[..., 0].astype(float)
        rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
        found = [(bright * places).sum() / bright.sum() for places in (columns, rows)]
        np.testing.assert_allclose(found, [x, y], atol=0.2)
        compared += 1
    assert compared > 20


def test_mirroring_twice_is_the_view_itself():
    view = person_view(CENTER, SIDE, (60, 81), 20.0)
    twice = flipped(flipped(view))
    np.testing.assert_allclose(twice.input_from_image, view.input_from_image, atol=1e-12)
    image = np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)
    np.testing.assert_array_equal(flipped(view).apply(image), view.apply(image)[:, ::-1])
