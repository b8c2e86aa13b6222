"""The audit of labelled boxes."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.evaluation import EvaluationResult
from keras_cornernet.evaluation.box_mistakes import (
    EXTRA,
    MISSING,
    SHIFTED,
    WRONG_CLASS,
    BoxMistake,
    correct_boxes,
    find_box_mistakes,
)
from keras_cornernet.preprocessing import read_image
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories, DetectionDataset, Progress, Sample

LEAST_VIEW = 160  # pixels; sides of what a picture shows of the image
VIEW = 500  # pixels; the larger side of each picture


class BoxAuditor:
    """See `Auditor`."""

    preset: ClassVar[str] = "objects_as_points_photos"
    kinds: ClassVar[tuple[str, ...]] = (MISSING, WRONG_CLASS, SHIFTED, EXTRA)

    def ask(
        self, model: Any, dataset: DetectionDataset, progress: Progress
    ) -> tuple[EvaluationResult, Sequence[Detections | None]]:
        """The detections on each image, with the labels of the data set.

        Raises:
            ValueError: the model does not know one of the classes.
        """
        result = model.evaluate(dataset, progress=progress)
        found = (result.predictions.get(sample.image_id) for sample in dataset.samples)
        return result, [None if one is None else _relabelled(one, dataset.categories) for one in found]

    def find_mistakes(
        self, dataset: DetectionDataset, answers: Sequence[Detections | None]
    ) -> list[BoxMistake]:
        """See `evaluation.box_mistakes.find_box_mistakes`."""
        return find_box_mistakes(dataset, answers)

    def correct(self, dataset: DetectionDataset, mistakes: Sequence[BoxMistake]) -> DetectionDataset:
        """See `evaluation.box_mistakes.correct_boxes`."""
        return correct_boxes(dataset, mistakes)

    def describe(self, dataset: DetectionDataset, mistake: BoxMistake) -> dict[str, Any]:
        """Class and box as they are labelled, and as they should be; None where there is none."""
        boxes = dataset.samples[mistake.item].boxes
        before = None if mistake.row < 0 else _described(dataset, boxes.xyxy, boxes.labels, mistake.row)
        after = _described(dataset, mistake.box[None], np.array([mistake.label]), 0)
        return {"labelled": before, "suggested": after if mistake.label >= 0 else None}

    def draw(self, dataset: DetectionDataset, mistake: BoxMistake) -> tuple[Image.Image, Image.Image]:
        """The surroundings of the box, with the labels there; that in question has a `?`."""
        sample = dataset.samples[mistake.item]
        after = correct_boxes(dataset.select([mistake.item]), [mistake.replace(item=0)]).samples[0]
        image = read_image(sample.path)
        around = mistake.box[None]
        if mistake.row >= 0:
            around = np.concatenate([around, sample.boxes.xyxy[mistake.row][None]])
        view = _view(around, image.shape[:2])
        row_after = mistake.row if mistake.row >= 0 else len(after.boxes) - 1
        return (
            _shown(image, sample, dataset.names, view, mistake.row),
            _shown(image, after, dataset.names, view, -1 if mistake.label < 0 else row_after),
        )


def _relabelled(found: Detections, categories: Categories) -> Detections:
    """Detections with the labels of other categories, matched by name; those of further classes dropped."""
    if found.categories.names == categories.names:
        return found.replace(categories=categories)
    names = list(found.categories.names)
    if unknown := [name for name in categories.names if name not in names]:
        raise ValueError(
            f"model: it does not know {', '.join(unknown)}, only {', '.join(names)}; name the classes to be "
            "audited, or let models of the folds be trained"
        )
    table = np.full(len(names), -1)
    table[[names.index(name) for name in categories.names]] = np.arange(len(categories))
    labels = table[found.labels]
    kept: Detections = found[labels >= 0]
    return kept.replace(labels=labels[labels >= 0].astype(np.int32), categories=categories)


def _described(
    dataset: DetectionDataset, xyxy: np.ndarray, labels: np.ndarray, row: int
) -> dict[str, Any] | None:
    box = [round(float(value), 1) for value in xyxy[row]]
    return {"class": dataset.names[int(labels[row])], "box": box}


def _view(boxes: np.ndarray, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of an image that is shown: boxes with as much again on each side, as far as there is."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    half = np.maximum(1.5 * (high - low).max(), LEAST_VIEW / 2)
    center, end = (low + high) / 2, np.array(size[1::-1])
    x1, y1 = np.clip(center - half, 0, end - 1).astype(int).tolist()
    x2, y2 = np.clip(center + half, 1, end).astype(int).tolist()
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def _shown(
    image: np.ndarray,
    sample: Sample,
    names: Sequence[str],
    view: tuple[int, int, int, int],
    questioned: int,
) -> Image.Image:
    """The part of the image, enlarged, with its boxes, that of a row (or -1) in a colour of its own."""
    x1, y1, x2, y2 = view
    scale = VIEW / max(x2 - x1, y2 - y1)
    size = max(1, round(scale * (x2 - x1))), max(1, round(scale * (y2 - y1)))
    part = Image.fromarray(image[y1:y2, x1:x2]).resize(size, Image.Resampling.BILINEAR)
    boxes = (sample.boxes.xyxy - [x1, y1, x1, y1]) * scale
    labels = np.where(sample.boxes.ignore, len(names), sample.boxes.labels)
    order = np.arange(len(labels))
    if questioned >= 0:
        labels[questioned] += len(names) + 1
        order = np.argsort(order != questioned, kind="stable")  # the first is drawn on top
    shown = (*names, "ignored", *(f"{name}?" for name in names))
    return visualization.draw_boxes(np.asarray(part), boxes[order], labels[order], shown)
