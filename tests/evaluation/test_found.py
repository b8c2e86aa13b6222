"""Recall of the annotated object where others are not annotated."""

import numpy as np

from keras_cornernet.evaluation import found_among_best
from keras_cornernet.results import Detections
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

NAMES = Categories(("person", "dog"), (1, 2))


def sample(image_id, partial=True):
    boxes = Boxes(
        np.array([[10, 10, 30, 50], [40, 0, 60, 60]], np.float32),
        np.zeros(2, np.int32),
        np.array([False, True]),
    )
    return Sample(f"{image_id}.png", image_id, (60, 60), boxes, partial=partial)


def found(*rows):
    boxes = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[1] for row in rows], np.float32)
    labels = np.array([row[2] for row in rows], np.int32)
    return Detections(boxes, scores, labels, NAMES)


HIT, MISS = [11, 10, 30, 50], [40, 0, 60, 60]


def test_the_best_detections_of_the_class_count():
    dataset = DetectionDataset((*map(sample, range(1, 6)), sample(6, partial=False)), NAMES)
    detections = {
        1: found((HIT, 0.9, 0)),
        2: found((MISS, 0.9, 0), (HIT, 0.8, 0)),  # the second best
        3: found((MISS, 0.9, 0), (MISS, 0.8, 0), (MISS, 0.7, 0), (HIT, 0.6, 0)),
        4: found((HIT, 0.9, 1)),  # of another class
        6: found((HIT, 0.9, 0)),
    }  # and nothing on image 5
    assert found_among_best(dataset, detections) == {"found@1": 0.2, "found@3": 0.4}


def test_nothing_is_measured_where_all_are_annotated():
    dataset = DetectionDataset((sample(1, partial=False),), NAMES)
    assert found_among_best(dataset, {1: found((HIT, 0.9, 0))}) == {}
