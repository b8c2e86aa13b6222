"""The nouns of the package: what is on an image, as small tuples of NumPy arrays.

Boxes are float32 `xyxy` in pixels, points are `(x, y)`, sizes are `(height, width)`, labels count
from 0 and -1 marks padding.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import files, visualization

# Wraps what a loop goes over and shows how far it is, such as `tqdm.tqdm`; `list` shows nothing.
Progress = Callable[[Sequence], Iterable]


class Categories(NamedTuple):
    """The classes of a data set.

    Attributes:
        names: one name per label; label `i` is `names[i]`.
        ids: the data set's own category id of each label (COCO ids have gaps, labels have none).
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]


class Boxes(NamedTuple):
    """Annotated boxes of one image.

    Attributes:
        xyxy: `(n, 4)` float32, image pixels.
        labels: `(n,)` int32, from 0.
        ignore: `(n,)` bool; crowd regions and over-clipped boxes, neither taught nor counted.
    """

    xyxy: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray

    @classmethod
    def empty(cls) -> "Boxes":
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))


class Keypoints(NamedTuple):
    """Annotated keypoints of one image, in step with its `Boxes`.

    Attributes:
        xy: `(n, k, 2)` float32, image pixels.
        visibility: `(n, k)` int32: 0 not annotated, 1 annotated but hidden, 2 visible (as COCO).
    """

    xy: np.ndarray
    visibility: np.ndarray


class Sample(NamedTuple):
    """One image of a data set, not yet read.

    Attributes:
        path: file of the image.
        image_id: the data set's own id.
        size: `(height, width)` in pixels as the annotations state it (after EXIF rotation), or None.
        boxes: the annotated `Boxes`.
        keypoints: the annotated `Keypoints`, or None.
    """

    path: str
    image_id: int
    size: tuple[int, int] | None
    boxes: Boxes
    keypoints: Keypoints | None = None


class DataSet(NamedTuple):
    """What a reader returns.

    Attributes:
        samples: the images in a fixed order.
        categories: the classes.
        faults: one plain sentence for each thing that was wrong and left out, naming file and place.
    """

    samples: tuple[Sample, ...]
    categories: Categories
    faults: tuple[str, ...] = ()


class Detections(NamedTuple):
    """Boxes found on one image, best first.

    Attributes:
        boxes: `(n, 4)` float32 `xyxy`, image pixels.
        scores: `(n,)` float32 in 0..1.
        labels: `(n,)` int32, from 0.
        categories: names and data-set ids of the labels.
        image: `(height, width, 3)` uint8 RGB, the image that was read.
        path: where it was read from, or None for an array.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    categories: Categories
    image: np.ndarray | None = None
    path: str | None = None

    @property
    def names(self) -> list[str]:
        """The class name of each box."""
        return [self.categories.names[label] for label in self.labels]

    def above(self, score: float) -> "Detections":
        """The boxes whose score is at least `score`."""
        keep = self.scores >= score
        return self._replace(boxes=self.boxes[keep], scores=self.scores[keep], labels=self.labels[keep])

    def plot(self, score: float = 0.3):
        """The image with boxes, names and scores drawn on it, as a `PIL.Image`.

        Args:
            score: boxes below it are not drawn.
        """
        if self.image is None:
            raise ValueError("Detections.plot needs the image, and these detections carry none")
        shown = self.above(score)
        return visualization.draw_boxes(
            self.image, shown.boxes, shown.labels, self.categories.names, scores=shown.scores
        )

    def save(self, path: str | Path, score: float = 0.3) -> Path:
        """Writes the drawn picture to `path` (its suffix picks the format)."""
        return files.write_image(path, self.plot(score))

    def to_coco(self, image_id: int) -> list[dict]:
        """The boxes in COCO result form: `image_id, category_id, bbox` as x, y, width, height, `score`."""
        corners = self.boxes.astype(float)
        sizes = corners[:, 2:] - corners[:, :2]
        return [
            {
                "image_id": image_id,
                "category_id": int(self.categories.ids[label]),
                "bbox": [round(v, 3) for v in (*corner[:2], *size)],
                "score": round(float(score), 5),
            }
            for corner, size, label, score in zip(corners, sizes, self.labels, self.scores, strict=True)
        ]

    def to_json(self) -> str:
        """The boxes as a json text: a list of `{"name", "label", "score", "box": [x1, y1, x2, y2]}`."""
        return json.dumps(
            [
                {
                    "name": name,
                    "label": int(label),
                    "score": round(float(score), 5),
                    "box": [round(float(v), 3) for v in box],
                }
                for name, label, score, box in zip(
                    self.names, self.labels, self.scores, self.boxes, strict=True
                )
            ]
        )
