"""`Detections` as a sequence of boxes."""

import dataclasses

import numpy as np
import pytest
from result_cases import detections, no_detections

from keras_cornernet.results import Detection


def test_one_line_states_classes_image_and_best_score():
    assert repr(detections()) == "Detections: 2 dog, 1 cat in street.jpg (50x60), best 0.90"
    assert repr(detections(path=None, image=None)) == "Detections: 2 dog, 1 cat, best 0.90"
    assert repr(no_detections()) == "Detections: no boxes in street.jpg (50x60)"
    assert repr(detections()[0]) == "Detection: dog 0.90 at [1.5, 2.0, 11.2, 22.0]"


def test_iteration_gives_single_boxes():
    names = [one.name for one in detections()]
    assert names == detections().names == ["dog", "cat", "dog"]
    first = next(iter(detections()))
    assert first == Detection(np.array([1.5, 2, 11.25, 22], np.float32), float(np.float32(0.9)), 1, "dog")
    assert type(first.score) is float and type(first.label) is int
    assert list(no_detections()) == []


def test_min_score_keeps_scores_from_the_threshold_on():
    assert detections().with_min_score(0.5).names == ["dog", "cat"]
    assert not detections().with_min_score(0.95)
    assert detections().with_min_score(0) == detections()


def test_boxes_without_area_are_empty():
    boxes = detections().boxes.copy()
    boxes[1, 2] = boxes[1, 0]
    assert detections(boxes=boxes).non_empty().names == ["dog", "dog"]
    assert no_detections().non_empty() == no_detections()


def test_summary():
    assert detections().summary() == {
        "path": "pictures/street.jpg",
        "image_size": [50, 60],
        "count": 3,
        "best_score": 0.9,
        "speed": {"reading": 1.0, "graph": 20.0, "rest": 3.0},
        "classes": {"dog": {"count": 2, "best_score": 0.9}, "cat": {"count": 1, "best_score": 0.5}},
    }
    nothing = no_detections(image=None, speed=None).summary()
    assert nothing["count"] == 0 and nothing["classes"] == {}
    assert nothing["image_size"] is nothing["best_score"] is nothing["speed"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": np.zeros((3, 5))}, r"boxes: expected the shape \(3, 4\), got \(3, 5\)"),
        ({"boxes": np.zeros((2, 4))}, r"boxes: expected the shape \(3, 4\), got \(2, 4\)"),
        ({"labels": np.zeros(2, int)}, r"labels: expected the shape \(3,\), got \(2,\)"),
        ({"scores": np.float32(1)}, r"scores: expected the shape \(0,\), got \(\)"),
        ({"labels": np.array([0, 1, 2])}, "labels: expected indices of 2 categories, got 2"),
        ({"labels": np.array([0, -1, 1])}, "labels: expected indices of 2 categories, got -1"),
    ],
)
def test_arrays_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        detections(**changes)


def test_lists_become_arrays():
    found = detections(boxes=[[0, 0, 1, 1]], scores=[1.0], labels=[0])
    assert found.boxes.shape == (1, 4) and found.names == ["cat"]


def test_plot_draws_the_boxes_of_at_least_the_score_and_leaves_the_image_alone():
    found = detections()
    before = found.image.copy()
    few, all_of_them = (np.asarray(found.plot(score)) for score in (None, 0.0))
    assert few.shape == (50, 60, 3)
    assert (few != before).any() and (all_of_them[28:42, 28:42] != few[28:42, 28:42]).any()
    np.testing.assert_array_equal(few[25:, 25:], before[25:, 25:])
    np.testing.assert_array_equal(found.image, before)
    np.testing.assert_array_equal(np.asarray(no_detections().plot()), before)


def test_fields_cannot_be_set():
    with pytest.raises(dataclasses.FrozenInstanceError):
        detections().scores = np.zeros(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        detections()[0].score = 1.0


def test_boxes_of_some_classes_can_be_picked():
    found = detections()
    assert found.of_classes("DOG").names == [name for name in found.names if name == "dog"]
    assert found.of_classes("dog", "cat") == found and not found.of_classes()
    with pytest.raises(ValueError, match="classes: there is none called 'cow', only"):
        found.of_classes("cow")
