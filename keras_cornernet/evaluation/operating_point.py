"""The operating point of a detector: for each class the score from which on its boxes are worth showing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_cornernet import files, visualization
from keras_cornernet.checks import check_number
from keras_cornernet.evaluation.average_precision import RECALLS, precision_recall
from keras_cornernet.evaluation.coco import DetectionsByImage, coco_entries
from keras_cornernet.evaluation.confusion import confusion_matrix
from keras_cornernet.results.detections import DRAWN_FROM
from keras_cornernet.structures import DetectionDataset, Record

BACKGROUND = "background"
CURVES = 12  # classes that are drawn; of more, those with the most boxes


@dataclass(frozen=True, eq=False)
class ClassPoint(Record):
    """One class of an `OperatingPoint`.

    Attributes:
        name: of the class.
        objects: that are annotated.
        precisions, scores: `(101,)` at recalls of 0, 0.01 .. 1: the best precision at that recall or above,
            and the score that gives the recall; 0 where no score does.
        min_score: the score that was chosen; None where nothing of the class is annotated or found.
        precision, recall: at `min_score`.
    """

    name: str
    objects: int
    precisions: np.ndarray
    scores: np.ndarray
    min_score: float | None
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall at `min_score`."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)


@dataclass(frozen=True, eq=False)
class OperatingPoint(Record):
    """Where a detector works best on a data set, and what it does there.

    Attributes:
        classes: one for each class of the data set.
        confusion: `(classes + 1, classes + 1)` int, objects by true class (rows) and found class (columns) at
            these scores; the last row holds boxes that meet no object, the last column missed objects.
        min_scores: for each class of the model, see `scores_of`; empty where no model was named.
    """

    classes: tuple[ClassPoint, ...]
    confusion: np.ndarray
    min_scores: tuple[float, ...] = ()

    def scores_of(self, names: Sequence[str]) -> tuple[float, ...]:
        """The score of each class of a model, as the data set spells them; 0.3 for those that it lacks."""
        fitted = {point.name: point.min_score for point in self.classes}
        found = [fitted.get(name) for name in names]
        return tuple(DRAWN_FROM if score is None else score for score in found)

    def rows(self) -> dict[str, dict[str, Any]]:
        """The numbers by class name, fit for json."""
        return {
            point.name: {
                "objects": point.objects,
                "min_score": point.min_score,
                "precision": round(point.precision, 4),
                "recall": round(point.recall, 4),
                "F1": round(point.f1, 4),
            }
            for point in self.classes
        }

    def draw_curves(self) -> Image.Image:
        """The curves of precision over recall, of the classes with the most objects."""
        most = sorted(self.classes, key=lambda point: -point.objects)[:CURVES]
        curves = {p.name: np.where(p.precisions > 0, p.precisions, np.nan).tolist() for p in most}
        title = "precision over recall, IoU 0.5"
        return visualization.plot_curves(curves, title, x_label="recall in per cent", first=0)

    def draw_confusion(self) -> Image.Image:
        """The confusion matrix."""
        names = [*(point.name for point in self.classes), BACKGROUND]
        title = "confusion at the operating point, IoU 0.5"
        return visualization.draw_matrix(self.confusion, names, title, rows="true", columns="found")

    def save(self, folder: str | Path) -> None:
        """Writes `precision_recall.png` and `confusion_matrix.png`."""
        files.write_image(Path(folder) / "precision_recall.png", self.draw_curves())
        files.write_image(Path(folder) / "confusion_matrix.png", self.draw_confusion())

    def __str__(self) -> str:
        width = max([len("class"), *(len(point.name) for point in self.classes)])
        lines = [f" {'class':<{width}}  score  precision  recall     F1"]
        for point in self.classes:
            if point.min_score is None:
                lines.append(f" {point.name:<{width}}  {DRAWN_FROM:5.3f}  (nothing to fit)")
            else:
                numbers = f"{point.min_score:5.3f}  {point.precision:9.3f}  {point.recall:6.3f}"
                lines.append(f" {point.name:<{width}}  {numbers}  {point.f1:5.3f}")
        return "\n".join(lines)


def fit_operating_point(
    dataset: DetectionDataset, detections: DetectionsByImage, *, min_precision: float | None = None
) -> OperatingPoint:
    """Finds, for each class, the score with the best F1, boxes met at an intersection over union of 0.5.

    Args:
        dataset: images and true boxes; ignored boxes are neither hits nor misses.
        detections: as of `evaluate_detections`, all of them, with the classes of the data set by name.
        min_precision: in place of the best F1: the score with the highest recall whose precision is at least
            this, or with the best precision where none is.

    Raises:
        ValueError: `min_precision` is not in 0..1, or as `evaluate_detections`.
    """
    if min_precision is not None:
        check_number("min_precision", min_precision, above=0, at_most=1)
    truth, found = coco_entries(dataset, detections)
    ids = dataset.categories.ids
    images = [sample.image_id for sample in dataset.samples]
    precisions, scores = precision_recall(images, dict(zip(ids, dataset.names, strict=True)), truth, found)
    counts = {id_: 0 for id_ in ids}
    for row in truth:
        counts[row["category_id"]] += not row["iscrowd"]
    points = tuple(
        _class_point(name, counts[id_], precisions[id_], scores[id_], min_precision)
        for name, id_ in zip(dataset.names, ids, strict=True)
    )
    chosen = [DRAWN_FROM if point.min_score is None else point.min_score for point in points]
    return OperatingPoint(points, confusion_matrix(dataset, detections, chosen))


def _class_point(
    name: str, objects: int, precisions: np.ndarray, scores: np.ndarray, min_precision: float | None
) -> ClassPoint:
    if objects == 0 or not (precisions > 0).any():
        return ClassPoint(name, objects, np.maximum(precisions, 0), np.maximum(scores, 0), None, 0.0, 0.0)
    if min_precision is None:
        best = int((2 * precisions * RECALLS / np.maximum(precisions + RECALLS, 1e-9)).argmax())
    else:
        # The last recall with that precision: at those before it the score may still be that of a wrong box.
        best = int(np.flatnonzero(precisions >= min(min_precision, precisions.max()))[-1])
    # Rounded down, so that the box whose score it is stays.
    score = float(np.floor(scores[best] * 1e4) / 1e4)
    return ClassPoint(name, objects, precisions, scores, score, float(precisions[best]), float(RECALLS[best]))
