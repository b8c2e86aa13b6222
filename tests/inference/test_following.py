"""One person followed: the next square, when the detector is asked, and the smoothing, against plain code."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from test_tracking import naive_one_euro

from keras_cornernet.inference.following import (
    FollowingConfig,
    PersonFollower,
    Square,
    box_of_joints,
    square_of_best,
    square_of_joints,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
FRAME = np.zeros((100, 200, 3), np.uint8)
BODY = np.array([[-4.0, -10], [4, -10], [0, 10]])
SURE = np.full(3, 0.8)


class Person:
    """In place of both networks: someone who is read in a square around her only, while she shows."""

    def __init__(self, x=50.0, y=50.0):
        self.middle, self.shows, self.squares = np.array([x, y]), True, []

    def read(self, image, square):
        self.squares.append(square)
        apart = np.abs(self.middle - (square.x, square.y)).max()
        scores = SURE if self.shows and apart < square.side / 2 else 0.05 * SURE
        return self.middle + BODY, scores

    def detect(self, image):
        box = [*(self.middle - 12), *(self.middle + 12)]
        return (np.array([box]), np.array([0.9])) if self.shows else (np.zeros((0, 4)), np.zeros(0))


def test_the_detector_is_asked_at_the_start_alone_while_the_person_is_seen():
    person = Person()
    follower = PersonFollower(person.read, person.detect)
    for index in range(20):
        person.middle = np.array([50 + 3.0 * index, 50])
        assert follower.next(FRAME, index / 30) is not None
    assert follower.detections == 1
    assert person.squares[0] == Square(50, 50, 1.25 * 24)
    for index in (1, 2, 9):  # where the person was a frame ago
        assert person.squares[index][:2] == (50 + 3 * (index - 1), 50)


def test_someone_who_is_elsewhere_at_once_is_found_again_in_the_same_frame():
    person = Person()
    follower = PersonFollower(person.read, person.detect)
    follower.next(FRAME, 0.0)
    person.middle = np.array([150.0, 40])
    pose = follower.next(FRAME, 0.1)
    assert follower.detections == 2 and (pose.square.x, pose.square.y) == (150, 40)
    np.testing.assert_array_equal(
        pose.keypoints, person.middle + BODY
    )  # nothing is smoothed towards the last place


def test_nobody_is_told_and_looked_for_in_each_frame():
    person = Person()
    follower = PersonFollower(person.read, person.detect)
    follower.next(FRAME, 0.0)
    person.shows = False
    assert [follower.next(FRAME, index / 10) for index in range(1, 4)] == [None] * 3
    assert follower.detections == 4 and follower.square is None
    person.shows = True
    assert follower.next(FRAME, 0.5) is not None and follower.detections == 5
    assert follower.next(FRAME, 0.6) is not None and follower.detections == 5


def test_a_box_without_a_person_is_nobody():
    person = Person()
    follower = PersonFollower(lambda image, square: (BODY, 0.1 * SURE), person.detect)
    assert follower.next(FRAME, 0.0) is None and follower.square is None


def test_joints_are_smoothed_as_the_paper_says():
    rng = np.random.default_rng(4)
    points = 50 + BODY + rng.normal(0, 1, (30, 3, 2)).cumsum(axis=0)
    times = np.cumsum(rng.uniform(0.02, 0.05, 30))
    shown = iter(points)
    config = FollowingConfig(min_cutoff=1.2, beta=4.0, speed_cutoff=0.7, max_speed=100, shrink=1e6)
    follower = PersonFollower(
        lambda image, square: (next(shown), SURE), lambda image: ([[40, 40, 60, 60]], [0.9]), config
    )
    sizes = np.ptp(points, axis=1).max(axis=1)
    found = np.array([follower.next(FRAME, seconds).keypoints for seconds in times])
    # The paper's filter with the coordinates in sizes of the person, which differ from frame to frame.
    for joint in range(3):
        for axis in range(2):
            expected = naive_with_sizes(points[:, joint, axis], times, sizes, 1.2, 4.0, 0.7)
            np.testing.assert_allclose(found[:, joint, axis], expected)


def naive_with_sizes(values, times, sizes, min_cutoff, beta, speed_cutoff):
    """`naive_one_euro`, with a `beta` for each value."""
    if np.ptp(sizes) == 0:
        return naive_one_euro(values, times, min_cutoff, beta / sizes[0], speed_cutoff)
    found, speed = [values[0]], 0.0
    for i in range(1, len(values)):
        passed = times[i] - times[i - 1]
        a = 1 / (1 + 1 / (2 * np.pi * speed_cutoff * passed))
        speed = a * (values[i] - found[-1]) / passed + (1 - a) * speed
        a = 1 / (1 + 1 / (2 * np.pi * (min_cutoff + beta * abs(speed) / sizes[i]) * passed))
        found.append(a * values[i] + (1 - a) * found[-1])
    return found


def test_the_box_leaves_out_joints_that_are_not_sure():
    points = np.array([[10.0, 20], [30, 80], [500, 500]])
    assert box_of_joints(points, np.array([0.9, 0.2, 0.19]), 0.2).tolist() == [10, 20, 30, 80]
    assert box_of_joints(points, np.zeros(3), 0.2) is None


def test_the_next_square_lies_around_the_box():
    assert square_of_joints(np.array([10.0, 20, 30, 80]), (100, 200), 1.5) == Square(20, 50, 1.5 * 60)
    assert square_of_joints(np.array([10.0, 20, 10, 20]), (100, 200), 1.5) is None
    assert square_of_joints(None, (100, 200), 1.5) is None


@pytest.mark.parametrize(
    ("x", "y", "inside"), [(0, 0, True), (-1, 50, False), (199, 99, True), (200, 50, False), (50, 100, False)]
)
def test_a_square_whose_centre_has_left_the_image_is_lost(x, y, inside):
    square = square_of_joints(np.array([x - 5.0, y - 9, x + 5, y + 9]), FRAME.shape[:2], 1.5)
    assert (square is not None) == inside


def test_a_foot_taken_for_the_other_one_does_not_cut_that_off():
    """Four joints walk to the right; then the last is read where the one before it is."""
    rest = np.array([[0.0, 0], [0, 10], [-10, 30], [10, 30]]) + 40
    wrong = rest[[0, 1, 2, 2]]
    step = np.array([2, 0])
    answers = iter([rest, rest + step, wrong + 2 * step, wrong + 3 * step])
    config = FollowingConfig(joint_padding=1.0, shrink=0.3)
    follower = PersonFollower(
        lambda image, square: (next(answers), np.ones(4)), lambda image: ([[30, 40, 50, 70]], [0.9]), config
    )
    boxes = []
    for seconds in (0.0, 0.1, 0.2, 0.3):
        follower.next(FRAME, seconds)
        boxes.append(follower.square)
    inwards = 0.03 * 30 / 2
    # The edge at the right moves on with the median of the joints, and inwards by half of what may be lost.
    assert boxes[1] == pytest.approx((42, 55, 30))
    right = 54 - inwards
    assert boxes[2] == pytest.approx(((34 + right) / 2, 55, 30))
    assert boxes[3].x == pytest.approx((36 + right + 2 - inwards) / 2)


def test_the_box_grows_at_once_and_shrinks_slowly():
    person = Person()
    config = FollowingConfig(joint_padding=1.5, shrink=0.4)
    sizes = iter([1, 3, 1, 1, 1])

    def read(image, square):
        person.squares.append(square.side)
        return person.middle + next(sizes) * np.array([[-4, -10], [4, -10], [-4, 10], [4, 10]]), np.ones(4)

    follower = PersonFollower(read, person.detect, config)
    for seconds in (0, 0.1, 0.6, 1.6, 9.0):
        follower.next(FRAME, seconds)
    small, large = 1.5 * 20, 1.5 * 60
    assert person.squares == pytest.approx([1.25 * 24, small, large, large * 0.8, large * 0.8 * 0.6])
    assert follower.square.side == pytest.approx(small)


def test_the_best_box_that_has_an_area_is_taken():
    boxes = [[0, 0, 10, 20], [5, 5, 5, 50], [10, 10, 40, 30], [0, 0, 1, 1]]
    assert square_of_best(boxes, [0.5, 0.9, 0.7, 0.7], 1.5) == Square(25, 20, 45)
    assert square_of_best(boxes[1:2], [0.9], 1.5) is None
    assert square_of_best([], [], 1.5) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"min_score": 2}, "min_score must be"),
        ({"min_joint_score": -1}, "min_joint_score must be"),
        ({"padding": 0}, "padding must be above 0"),
        ({"joint_padding": 0}, "joint_padding must be above 0"),
        ({"shrink": -1}, "shrink must be"),
        ({"min_cutoff": 0}, "min_cutoff must be above 0"),
    ],
)
def test_settings_out_of_range_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        FollowingConfig(**change)


def test_the_answers_that_the_runtimes_are_tested_with_are_these(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(FIXTURES), *sys.path])
    import make_following

    stored = json.loads((FIXTURES / "following.json").read_text())
    made = make_following.contents()
    assert made["settings"] == stored["settings"]
    for mine, kept in zip(made["answers"], stored["answers"], strict=True):
        assert mine["detections"] == kept["detections"] and (mine["pose"] is None) == (kept["pose"] is None)
        if kept["pose"]:
            np.testing.assert_allclose(mine["pose"]["points"], kept["pose"]["points"], atol=1e-3)
