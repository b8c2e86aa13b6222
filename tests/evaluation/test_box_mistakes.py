"""Suspicious labels of boxes."""

import numpy as np
import pytest

from keras_cornernet.evaluation.box_mistakes import correct_boxes, find_box_mistakes
from keras_cornernet.evaluation.probability import probability_of
from keras_cornernet.results import Detections
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

NAMES = Categories(("cat", "dog"), (1, 2))
A, B, C = [10, 10, 30, 50], [40, 0, 60, 60], [70, 20, 100, 50]
A_MOVED = [18, 18, 38, 58]  # its overlap with A is 0.32


def dataset(*images, **fields):
    """Images with rows of a box, a label and optionally whether it is ignored."""
    samples = []
    for i, rows in enumerate(images, start=1):
        boxes = Boxes(
            np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
            np.array([row[1] for row in rows], np.int32),
            np.array([len(row) > 2 and row[2] for row in rows], bool),
        )
        samples.append(Sample(f"{i}.png", i, (80, 120), boxes, **fields))
    return DetectionDataset(tuple(samples), NAMES)


def found(*rows):
    boxes = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[1] for row in rows], np.float32)
    return Detections(boxes, scores, np.array([row[2] for row in rows], np.int32), NAMES)


RIGHT = [(A, 0), (B, 1)]
SEEN = found((A, 0.9, 0), (B, 0.8, 1))


def first(labels, answer):
    """The most suspicious label of one image among four that are right, and how many there are."""
    mistakes = find_box_mistakes(dataset(*[RIGHT] * 4, labels), [*[SEEN] * 4, answer])
    return next(iter(mistakes), None), sum(mistake.score >= 0.3 for mistake in mistakes)


def test_labels_that_are_right_are_not_suspicious():
    assert all(mistake.score < 0.05 for mistake in find_box_mistakes(dataset(*[RIGHT] * 3), [SEEN] * 3))


def test_a_missing_box():
    mistake, count = first([(B, 1)], SEEN)
    assert (mistake.kind, mistake.item, mistake.row, mistake.label) == ("missing box", 4, -1, 0)
    # Four of the five detections of the class that score so high mean a label.
    assert count == 1 and mistake.score == pytest.approx(0.8)
    np.testing.assert_array_equal(mistake.box, A)


def test_a_wrong_class():
    mistake, count = first([(A, 1), (B, 1)], SEEN)
    assert (mistake.kind, mistake.row, mistake.label, count) == ("wrong class", 0, 0, 1)
    assert mistake.score == pytest.approx(0.8)


def test_a_shifted_box():
    mistake, count = first([(A_MOVED, 0), (B, 1)], SEEN)
    assert (mistake.kind, mistake.row, mistake.label, count) == ("shifted box", 0, 0, 1)
    np.testing.assert_array_equal(mistake.box, A)


def test_an_extra_box():
    mistake, _ = first([*RIGHT, (C, 0)], SEEN)
    assert (mistake.kind, mistake.row, mistake.label) == ("extra box", 2, -1)


def test_ignored_boxes_are_left_alone_and_so_is_what_they_cover():
    answer = found((A, 0.9, 0), (B, 0.8, 1), ([72, 22, 98, 48], 0.9, 0))
    _, without = first([*RIGHT, (C, 0, True)], answer)
    _, with_it = first(RIGHT, answer)
    assert (without, with_it) == (0, 1)


def test_classes_that_are_not_labelled_are_not_missing():
    labels = dataset([(A, 0)], labelled=np.array([True, False]))
    assert [m.kind for m in find_box_mistakes(labels, [SEEN]) if m.score > 0.1] == []
    labels = dataset([(A, 0)], partial=True)
    assert [m.kind for m in find_box_mistakes(labels, [SEEN]) if m.score > 0.1] == []


def test_one_object_found_twice_is_missing_once():
    twice = found((A, 0.9, 0), (B, 0.8, 1), ([11, 10, 31, 50], 0.7, 0))
    _, count = first([(B, 1)], twice)
    assert count == 1


def test_neighbours_that_overlap_are_not_taken_for_each_other():
    near = [20, 10, 40, 50]  # a third of the union with A
    answer = found((A, 0.9, 0), (near, 0.9, 0), (B, 0.8, 1))
    _, both_labelled = first([(A, 0), (near, 0), (B, 1)], answer)
    mistake, _ = first([(A, 0), (B, 1)], answer)
    assert both_labelled == 0
    assert mistake.kind == "missing box"
    np.testing.assert_array_equal(mistake.box, near)


def test_images_without_answer_or_boxes():
    assert find_box_mistakes(dataset(RIGHT), [None]) == []
    assert find_box_mistakes(dataset([]), [found()]) == []
    assert find_box_mistakes(dataset(), []) == []
    mistakes = find_box_mistakes(dataset(RIGHT), [found()])
    assert {m.kind for m in mistakes} <= {"extra box"}


def test_corrections():
    labels = dataset([(A, 1), (A_MOVED, 0), (C, 0)], RIGHT)
    answer = found((A, 0.9, 0), (B, 0.8, 1))
    mistakes = [m for m in find_box_mistakes(labels, [answer, SEEN]) if m.item == 0]
    corrected = correct_boxes(labels, mistakes)
    boxes = corrected.samples[0].boxes
    assert {m.kind for m in mistakes} >= {"wrong class", "missing box", "extra box"}
    assert [list(map(float, row)) for row in boxes.xyxy[-1:]] == [B] and boxes.labels[0] == 0
    assert C not in boxes.xyxy.tolist()
    assert corrected.samples[1] == labels.samples[1]
    assert correct_boxes(labels, []) == labels


def test_probabilities_are_those_of_scipy():
    from scipy.optimize import isotonic_regression

    rng = np.random.default_rng(0)
    scores = rng.uniform(size=200).round(2)
    right = rng.uniform(size=200) < scores
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=right) / counts
    expected = isotonic_regression(means, weights=counts).x[group]
    np.testing.assert_allclose(probability_of(scores, right), expected, atol=1e-12)
    assert probability_of(np.zeros(0), np.zeros(0, bool)).shape == (0,)
