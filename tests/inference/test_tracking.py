"""Objects keep their numbers, and joints rest."""

import math

import numpy as np
import pytest

from keras_cornernet.inference.tracking import OneEuroFilter, Tracker

A, B = np.array([10.0, 10, 30, 50]), np.array([60.0, 10, 80, 50])


def test_objects_keep_their_numbers_in_any_order():
    tracker = Tracker()
    assert tracker.update(np.stack([A, B])).tolist() == [1, 2]
    assert tracker.update(np.stack([B + 2, A + 2])).tolist() == [2, 1]
    assert tracker.update(np.zeros((0, 4))).tolist() == []
    assert tracker.update(np.stack([A + 4, B + 4, A + 200])).tolist() == [1, 2, 3]


def test_fast_objects_are_expected_where_they_go():
    """Each step is longer than the box, so that boxes of two frames do not overlap."""
    tracker = Tracker(inertia=0.0)
    steps = [0, 8, 20, 40, 62, 84]
    numbers = [tracker.update((A + np.array([step, 0, step, 0]))[None])[0] for step in steps]
    assert set(numbers) == {1}


def test_two_that_cross_keep_their_numbers():
    tracker = Tracker()
    for step in range(0, 60, 4):
        boxes = np.stack([A + np.array([step, 0, step, 0]), B - np.array([step, -12, step, -12])])
        numbers = tracker.update(boxes).tolist()
    assert numbers == [1, 2]


def test_another_class_is_another_object():
    tracker = Tracker()
    assert tracker.update(A[None], np.array([0])).tolist() == [1]
    assert tracker.update(A[None], np.array([1])).tolist() == [2]
    assert tracker.update(np.stack([A, A]), np.array([1, 0])).tolist() == [2, 1]


def test_numbers_are_forgotten_after_a_while():
    tracker = Tracker(patience=2)
    tracker.update(A[None])
    for _ in range(2):
        tracker.update(np.zeros((0, 4)))
    assert tracker.numbers == {1} and tracker.update(A[None]).tolist() == [1]
    for _ in range(3):
        tracker.update(np.zeros((0, 4)))
    assert tracker.numbers == set() and tracker.update(A[None]).tolist() == [2]


def naive_one_euro(values, times, min_cutoff, beta, speed_cutoff):
    """Algorithm 1 of the paper, for one number."""

    def alpha(cutoff, passed):
        return 1 / (1 + 1 / (2 * math.pi * cutoff * passed))

    x, dx, found = values[0], 0.0, [values[0]]
    for i in range(1, len(values)):
        passed = times[i] - times[i - 1]
        a = alpha(speed_cutoff, passed)
        dx = a * (values[i] - x) / passed + (1 - a) * dx
        a = alpha(min_cutoff + beta * abs(dx), passed)
        x = a * values[i] + (1 - a) * x
        found.append(x)
    return found


def test_the_filter_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.1, 30))
    values = rng.normal(size=(30, 3, 2)).cumsum(axis=0)
    smooth = OneEuroFilter(0.8, 0.3, 1.2)
    found = np.array([smooth(v, t, scale=2.0) for v, t in zip(values, times, strict=True)])
    for joint in range(3):
        for axis in range(2):
            expected = naive_one_euro(values[:, joint, axis], times, 0.8, 0.15, 1.2)
            np.testing.assert_allclose(found[:, joint, axis], expected)


def test_what_jumps_is_taken_to_move_no_faster_than_the_bound():
    bounded, plain = OneEuroFilter(max_speed=3.0), OneEuroFilter()
    for smooth, second in ((bounded, [0.6, -0.6, 0.1]), (plain, [50, -40, 0.1])):
        smooth(np.zeros(3), 0.0, scale=2.0)
        found = smooth(np.array([50.0, -40, 0.1]), 0.1, scale=2.0)
        naive = [naive_one_euro([0, value], [0, 0.1], 2.0, 10.0 / 2, 1.0)[1] for value in second]
        np.testing.assert_allclose(found, naive)


def test_it_halves_the_jitter_at_rest_and_follows_motion():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(100, 14, 2))
    smooth = OneEuroFilter()
    rest = np.array([smooth(v, i / 30, scale=100.0) for i, v in enumerate(noise)])
    assert np.abs(np.diff(rest, axis=0)).mean() < 0.5 * np.abs(np.diff(noise, axis=0)).mean()
    smooth = OneEuroFilter()
    moved = [smooth(np.array([3.0 * i]), i / 30, scale=100.0)[0] for i in range(60)]
    assert abs(moved[-1] - 3.0 * 59) < 3 * 3.0  # three frames behind at most


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Tracker(min_overlap=0), "min_overlap must be above 0"),
        (lambda: Tracker(patience=-1), "patience must be"),
        (lambda: OneEuroFilter(min_cutoff=0), "min_cutoff must be above 0"),
        (lambda: OneEuroFilter(max_speed=0), "max_speed must be above 0"),
    ],
)
def test_settings_out_of_range_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
