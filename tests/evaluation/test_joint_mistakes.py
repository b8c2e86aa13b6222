"""Suspicious labels of joints."""

import numpy as np
import pytest

from keras_cornernet.evaluation.joint_mistakes import JointAnswer, correct_joints, find_joint_mistakes
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, PoseDataset

FACE = Skeleton("face", ("left_eye", "right_eye", "nose", "left_ear", "right_ear"), (), ((0, 1), (3, 4)))
POINTS = np.array([[70, 30], [30, 30], [50, 60], [90, 40], [10, 40]], np.float32)


def person(points=POINTS, visibility=(2, 2, 2, 2, 2)):
    points = np.array(points, np.float32)
    return Person("a.png", 1, np.array([50, 50], np.float32), 100.0, points, np.array(visibility, np.int32))


SEEN = JointAnswer(POINTS, np.full(5, 0.9))


def suspicions(last, answer=SEEN):
    """The suspicions about a person who comes after four whose labels are right."""
    dataset = PoseDataset((*[person()] * 4, last), FACE)
    mistakes = find_joint_mistakes(dataset, [*[SEEN] * 4, answer])
    return dataset, [m for m in mistakes if m.item == 4 and m.score > 0.05]


def test_labels_that_are_right_are_not_suspicious():
    assert suspicions(person())[1] == []


@pytest.mark.parametrize("joints", [(0, 1), (3, 4), (0, 1, 3, 4)])
def test_swapped_left_and_right(joints):
    points, visibility = POINTS.copy(), np.array([2, 1, 2, 1, 2])
    mirrored = [{0: 1, 1: 0, 3: 4, 4: 3}[joint] for joint in joints]
    points[list(joints)] = POINTS[mirrored]
    dataset, (mistake,) = suspicions(person(points, visibility))
    assert (mistake.kind, set(mistake.joints)) == ("swapped left and right", set(joints))
    assert mistake.score > 0.2
    corrected = correct_joints(dataset, [mistake]).people
    np.testing.assert_array_equal(corrected[4].keypoints, POINTS)
    assert [corrected[4].visibility[j] for j in joints] == [visibility[j] for j in mirrored]
    assert corrected[0] == dataset.people[0]


def test_a_misplaced_joint():
    points = POINTS.copy()
    points[2] = [50, 95]
    dataset, (mistake,) = suspicions(person(points))
    assert (mistake.kind, mistake.joints) == ("misplaced joint", (2,))
    assert mistake.score > 0.5
    np.testing.assert_array_equal(correct_joints(dataset, [mistake]).people[4].keypoints, POINTS)


def test_two_pairs_are_clearer_than_one():
    scores = []
    for joints in ([0, 1], [0, 1, 3, 4]):
        points = POINTS.copy()
        points[joints] = POINTS[[{0: 1, 1: 0, 3: 4, 4: 3}[joint] for joint in joints]]
        scores.append(suspicions(person(points))[1][0].score)
    assert scores[1] > 1.2 * scores[0]


def test_joints_without_a_label_are_left_alone():
    points = POINTS.copy()
    points[[0, 2]] = 0
    assert suspicions(person(points, (0, 2, 0, 2, 2)))[1] == []


def test_people_without_answer_are_left_out():
    dataset = PoseDataset((person(),), FACE)
    assert find_joint_mistakes(dataset, [None]) == []
    assert find_joint_mistakes(dataset.replace(people=()), []) == []
    no_pairs = dataset.replace(skeleton=FACE.replace(flip_pairs=()))
    assert all(m.score < 0.05 for m in find_joint_mistakes(no_pairs, [SEEN]))


def test_heights_in_heatmaps_tell_more_than_the_peaks():
    """A second peak at the label makes it less suspicious, no joint at all there makes it more so."""
    points = POINTS.copy()
    points[2] = [50, 95]
    found = []
    for at_label, of_any in ((0.0, 0.0), (0.0, 0.5), (0.5, 0.5)):
        heights = np.diag([0.9, 0.9, at_label, 0.9, 0.9])
        heights[0, 2] = of_any
        _, mistakes = suspicions(person(points), JointAnswer(POINTS, np.full(5, 0.9), heights))
        found.append(mistakes[0].score if mistakes else 0.0)
    assert found[0] > found[1] > found[2]
