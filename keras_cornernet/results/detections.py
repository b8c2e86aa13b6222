"""Boxes found on an image."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.results import forms, tables
from keras_cornernet.results.image_result import ImageResult
from keras_cornernet.results.shapes import check_shapes
from keras_cornernet.results.speed import Speed
from keras_cornernet.structures import Categories, Record

DRAWN_FROM = 0.3  # the score from which boxes are shown where the model states none


@dataclass(frozen=True, eq=False, repr=False)
class Detection(Record):
    """One box of a `Detections`.

    Attributes:
        box: `(4,)` float32 `xyxy`, image pixels.
        score: in 0..1.
        label: from 0.
        name: the class name of the label.
    """

    box: np.ndarray
    score: float
    label: int
    name: str

    def __repr__(self) -> str:
        corners = ", ".join(f"{value:.1f}" for value in self.box)
        return f"Detection: {self.name} {self.score:.2f} at [{corners}]"


@dataclass(frozen=True, eq=False, repr=False)
class Detections(ImageResult[Detection]):
    """Boxes found on one image, best first; a sequence of `Detection`.

    Attributes:
        boxes: `(n, 4)` float32 `xyxy`, image pixels.
        scores: `(n,)` float32 in 0..1.
        labels: `(n,)` int32, from 0.
        categories: names and data-set ids of the labels.
        image: `(height, width, 3)` uint8 RGB, the image that was read, or None.
        path: where it was read from, or None for an array.
        speed: the time that it took, or None if it was not measured.
        min_scores: of each category, the score from which on its boxes are shown; None for 0.3.

    Raises:
        ValueError: the arrays do not have these shapes, or a label has no category or no minimal score.

    Example:
        >>> import numpy as np
        >>> from keras_cornernet.structures import Categories, Record
        >>> boxes = np.array([[10, 10, 50, 90], [60, 20, 80, 40]], np.float32)
        >>> categories = Categories(("person", "dog"), (1, 18))
        >>> found = Detections(boxes, np.array([0.9, 0.4]), np.array([0, 1]), categories)
        >>> found
        Detections: 1 person, 1 dog, best 0.90
        >>> found[1]
        Detection: dog 0.40 at [60.0, 20.0, 80.0, 40.0]
        >>> found[found.labels == 0].names
        ['person']
    """

    noun: ClassVar[str] = "boxes"
    _rows: ClassVar[tuple[str, ...]] = ("boxes", "scores", "labels")

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    categories: Categories
    image: np.ndarray | None = None
    path: str | None = None
    speed: Speed | None = field(default=None, compare=False)
    min_scores: tuple[float, ...] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        n = self.scores.shape[0] if self.scores.ndim else 0
        check_shapes(scores=(self.scores, (n,)), boxes=(self.boxes, (n, 4)), labels=(self.labels, (n,)))
        classes = len(self.categories.names)
        wrong = self.labels[(self.labels < 0) | (self.labels >= classes)]
        if wrong.size:
            raise ValueError(f"labels: expected indices of {classes} categories, got {wrong[0]}")
        if self.min_scores is not None and len(self.min_scores) != classes:
            raise ValueError(f"min_scores: expected one for each of {classes} categories")

    @property
    def names(self) -> list[str]:
        """The class name of each box."""
        return [self.categories.names[label] for label in self.labels]

    def of_classes(self, *names: str) -> "Detections":
        """The boxes of some classes, by name, in upper or lower case.

        Raises:
            ValueError: a name is none of the categories.
        """
        self.categories.check_names(names)
        known = [name.casefold() for name in self.categories.names]
        wanted = [label for label, name in enumerate(known) if name in {n.casefold() for n in names}]
        return self[np.isin(self.labels, wanted)]

    def shown(self, min_score: float | None = None) -> "Detections":
        """The boxes that are worth showing.

        Args:
            min_score: those with at least this score; None: with the score of their class in `min_scores`.
        """
        if min_score is None and self.min_scores is not None:
            limits = np.asarray(self.min_scores, np.float64)
            kept: np.ndarray = self.scores >= limits[self.labels]
            return self[kept]
        return self.with_min_score(DRAWN_FROM if min_score is None else min_score)

    def non_empty(self) -> "Detections":
        """The boxes that have an area; clipping to the image can leave boxes without one."""
        has_area: np.ndarray = np.min(self.boxes[:, 2:] - self.boxes[:, :2], axis=1) > 0
        return self[has_area]

    def plot(self, min_score: float | None = None) -> Image.Image:
        """The image with boxes, names and scores drawn on it.

        Args:
            min_score: boxes with a lower score are not drawn; None: see `shown`.

        Raises:
            ValueError: the result carries no image.
        """
        image = self._required_image()
        shown = self.shown(min_score)
        return visualization.draw_boxes(
            image, shown.boxes, shown.labels, self.categories.names, scores=shown.scores
        )

    def summary(self) -> dict[str, Any]:
        """Counts and best scores, fit for json.

        Returns:
            `path`, `image_size` as height and width, `count`, `best_score`, `speed` in milliseconds, and
            `classes`: for each class name that was found, `{"count", "best_score"}`.
        """
        classes = {}
        for name, count in Counter(self.names).most_common():
            best = self.scores[np.array(self.names) == name].max()
            classes[name] = {"count": count, "best_score": round(float(best), tables.SCORE_DIGITS)}
        return self._summary() | {"classes": classes}

    def to_coco(self, image_id: int) -> list[dict[str, Any]]:
        """The boxes in COCO's result form: `image_id, category_id, bbox` as x, y, width, height, `score`."""
        return forms.detections_to_coco(self, image_id)

    def to_json(self) -> str:
        """The boxes as a json text: a list of `{"name", "label", "score", "box": [x1, y1, x2, y2]}`."""
        return forms.detections_to_json(self)

    def to_table(self) -> dict[str, np.ndarray]:
        """The boxes as columns `path name label score x1 y1 x2 y2`, image pixels."""
        return tables.detections_table(self)

    def to_yolo(self, image_size: tuple[int, int] | None = None, *, scores: bool = False) -> str:
        """The boxes as lines of a YOLO label file: `label x y width height`, centre and size in 0..1.

        Args:
            image_size: `(height, width)` of the image; None takes it from `image`.
            scores: add the score at the end of each line, as YOLO's own result files do.

        Raises:
            ValueError: neither `image_size` nor `image` is there.
        """
        return forms.detections_to_yolo(self, image_size, scores)

    def to_supervision(self) -> Any:
        """The boxes as `supervision.Detections`, with the names in `data["class_name"]`.

        Raises:
            ImportError: supervision is not installed; the message states what to type.
        """
        return forms.detections_to_supervision(self)

    def _item(self, index: int) -> Detection:
        label = int(self.labels[index])
        return Detection(self.boxes[index], float(self.scores[index]), label, self.categories.names[label])

    def _counted(self) -> str:
        return ", ".join(f"{n} {name}" for name, n in Counter(self.names).most_common()) or "no boxes"
