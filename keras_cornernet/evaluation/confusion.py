"""Which classes a detector takes for which."""

from collections.abc import Sequence

import numpy as np

from keras_cornernet.evaluation.coco import DetectionsByImage, by_image
from keras_cornernet.results import Detections
from keras_cornernet.structures import DetectionDataset, Sample
from keras_cornernet.structures.boxes import covered, overlaps

MET = 0.5  # intersection over union from which a detection means an object


def confusion_matrix(
    dataset: DetectionDataset, detections: DetectionsByImage, min_scores: Sequence[float]
) -> np.ndarray:
    """Counts objects by their true and their found class.

    On each image detections meet objects of any class, the pair with the largest overlap first. Detections
    that lie mostly in an ignored box, or whose class the image does not label, do not count unless they meet
    an object.

    Args:
        dataset: images and true boxes.
        detections: as of `evaluate_detections`; boxes of classes that the data set lacks are left out.
        min_scores: for each class of the data set, the score from which on a detection counts.

    Returns:
        `(classes + 1, classes + 1)` int64: true class by found class; last row: detections that meet nothing;
        last column: objects that are not met.
    """
    classes = len(dataset.names)
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    limits = np.append(np.asarray(min_scores, np.float64), np.inf)  # the last: of unknown classes
    samples = {sample.image_id: sample for sample in dataset.samples}
    found_on = dict(by_image(dataset, detections))
    for image_id, sample in samples.items():
        found = found_on.get(image_id)
        boxes, labels = np.zeros((0, 4)), np.zeros(0, int)
        if found is not None:
            labels = _labels(dataset, found)
            kept = found.scores >= limits[labels]
            boxes, labels = found.boxes[kept], labels[kept]
        _count(matrix, sample, boxes, labels)
    return matrix


def _labels(dataset: DetectionDataset, found: Detections) -> np.ndarray:
    """The labels of detections in the data set; the number of its classes for those it lacks."""
    index = {name: i for i, name in enumerate(dataset.names)}
    known = np.array([index.get(name, len(index)) for name in found.categories.names], int)
    result: np.ndarray = known[found.labels]
    return result


def _count(matrix: np.ndarray, sample: Sample, boxes: np.ndarray, labels: np.ndarray) -> None:
    """Adds one image."""
    true = sample.boxes.xyxy[~sample.boxes.ignore]
    true_labels = sample.boxes.labels[~sample.boxes.ignore]
    overlap = overlaps(true, boxes)
    rows, columns = np.nonzero(overlap >= MET)
    order = np.argsort(-overlap[rows, columns], kind="stable")
    met_rows: set[int] = set()
    met_columns: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in met_rows and column not in met_columns:
            met_rows.add(row)
            met_columns.add(column)
            matrix[true_labels[row], labels[column]] += 1
    missed = np.delete(true_labels, sorted(met_rows))
    matrix[:-1, -1] += np.bincount(missed, minlength=len(matrix) - 1)
    alone = np.setdiff1d(np.arange(len(boxes)), sorted(met_columns))
    counted = covered(boxes[alone], sample.boxes.xyxy[sample.boxes.ignore]) <= MET
    if sample.labelled is not None:
        counted &= sample.labelled[labels[alone]]
    matrix[-1, :-1] += np.bincount(labels[alone][counted], minlength=len(matrix) - 1)
