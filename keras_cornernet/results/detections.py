"""Boxes found on an image."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.results.image_result import ImageResult
from keras_cornernet.results.speed import Speed
from keras_cornernet.structures import Categories


@dataclass(frozen=True, eq=False)
class Detections(ImageResult):
    """Boxes found on one image, best first.

    Attributes:
        boxes: `(n, 4)` float32 `xyxy`, image pixels.
        scores: `(n,)` float32 in 0..1.
        labels: `(n,)` int32, from 0.
        categories: names and data-set ids of the labels.
        image: `(height, width, 3)` uint8 RGB, the image that was read.
        path: where it was read from, or None for an array.
        speed: the time it took, or None if nobody measured it.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    categories: Categories
    image: np.ndarray | None = None
    path: str | None = None
    speed: Speed | None = field(default=None, compare=False)

    @property
    def names(self) -> list[str]:
        """The class name of each box."""
        return [self.categories.names[label] for label in self.labels]

    def with_min_score(self, score: float) -> "Detections":
        """The boxes whose score is at least `score`."""
        return self._of(self.scores >= score)

    def non_empty(self) -> "Detections":
        """The boxes that are more than a line, to which clipping may narrow them."""
        return self._of((self.boxes[:, 2:] > self.boxes[:, :2]).all(axis=1))

    def _of(self, keep: np.ndarray) -> "Detections":
        return self.replace(boxes=self.boxes[keep], scores=self.scores[keep], labels=self.labels[keep])

    def plot(self, min_score: float = 0.3):
        """The image with boxes, names and scores drawn on it, as a `PIL.Image`.

        Args:
            min_score: boxes that score less are not drawn.
        """
        if self.image is None:
            raise ValueError("Detections.plot needs the image, and these detections carry none")
        shown = self.with_min_score(min_score)
        return visualization.draw_boxes(
            self.image, shown.boxes, shown.labels, self.categories.names, scores=shown.scores
        )

    def save(self, path: str | Path, min_score: float = 0.3) -> Path:
        """Writes the drawn picture to `path` (its suffix picks the format)."""
        return files.write_image(path, self.plot(min_score))

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
