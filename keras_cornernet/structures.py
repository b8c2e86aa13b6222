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
from keras_cornernet.skeletons import Skeleton

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


class Person(NamedTuple):
    """One annotated person, not yet read: what a pose network is shown and what it should answer.

    Every convention of the data sets (MPII's shifted centre, units of 200 pixels, boxes) ends in the square
    of `center` and `side`, and every index base in pixels that count from 0.

    Attributes:
        path: file of the image.
        image_id: the data set's own id of the image.
        center: `(2,)` float32 x, y of the square crop's middle, image pixels.
        side: of the square crop, image pixels.
        xy: `(k, 2)` float32, image pixels; 0 where a joint is not annotated.
        visibility: `(k,)` int32: 0 not annotated, 1 annotated but hidden, 2 visible (as COCO).
        box: `(4,)` float32 `xyxy` of the whole person, or None.
        area: of the person's outline in square pixels, for object keypoint similarity, or None.
        head_size: 0.6 of the head box's diagonal, the unit of PCKh, or None.
    """

    path: str
    image_id: int
    center: np.ndarray
    side: float
    xy: np.ndarray
    visibility: np.ndarray
    box: np.ndarray | None = None
    area: float | None = None
    head_size: float | None = None


class PoseSet(NamedTuple):
    """What a reader of poses returns.

    Attributes:
        people: in a fixed order.
        skeleton: names, limbs and left-right pairs of their joints.
        faults: one plain sentence for each thing that was wrong and left out, naming file and place.
    """

    people: tuple[Person, ...]
    skeleton: Skeleton
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
        return self._of(self.scores >= score)

    def with_area(self) -> "Detections":
        """The boxes that are more than a line, to which clipping may narrow them."""
        return self._of((self.boxes[:, 2:] > self.boxes[:, :2]).all(axis=1))

    def _of(self, keep: np.ndarray) -> "Detections":
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


class Poses(NamedTuple):
    """People posed on one image.

    Attributes:
        xy: `(n, k, 2)` float32, image pixels.
        joint_scores: `(n, k)` float32, about 0..1: the height of each joint's peak.
        boxes: `(n, 4)` float32 `xyxy`: what each person was cropped from.
        box_scores: `(n,)` float32; 1 for given boxes and whole images.
        skeleton: names, limbs and left-right pairs of the joints.
        image: `(height, width, 3)` uint8 RGB, the image that was read.
        path: where it was read from, or None for an array.
    """

    xy: np.ndarray
    joint_scores: np.ndarray
    boxes: np.ndarray
    box_scores: np.ndarray
    skeleton: Skeleton
    image: np.ndarray | None = None
    path: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each joint."""
        return self.skeleton.joints

    @property
    def limbs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of joints that a drawing connects."""
        return self.skeleton.limbs

    @property
    def scores(self) -> np.ndarray:
        """`(n,)` the score of each person: its box's times the mean of its joints'."""
        return self.box_scores * self.joint_scores.mean(axis=1)

    def plot(self, score: float = 0.2):
        """The image with the skeletons drawn on it, as a `PIL.Image`.

        Args:
            score: joints below it are not drawn.
        """
        if self.image is None:
            raise ValueError("Poses.plot needs the image, and these poses carry none")
        return visualization.draw_skeletons(self.image, self.xy, self.joint_scores >= score, self.skeleton)

    def save(self, path: str | Path, score: float = 0.2) -> Path:
        """Writes the drawn picture to `path` (its suffix picks the format)."""
        return files.write_image(path, self.plot(score))

    def to_coco(self, image_id: int, category_id: int = 1) -> list[dict]:
        """The people in COCO's result form for keypoints: `keypoints` are `x, y, score` of each joint."""
        triples = np.concatenate([self.xy, self.joint_scores[..., None]], axis=-1).astype(float)
        return [
            {
                "image_id": image_id,
                "category_id": category_id,
                "keypoints": [round(v, 3) for v in person.ravel().tolist()],
                "score": round(float(score), 5),
            }
            for person, score in zip(triples, self.scores, strict=True)
        ]

    def to_json(self) -> str:
        """The people as a json text: a list of `{"score", "box", "joints": {name: [x, y, score]}}`."""
        return json.dumps(
            [
                {
                    "score": round(float(score), 5),
                    "box": [round(float(v), 3) for v in box],
                    "joints": {
                        name: [round(float(v), 3) for v in (*point, height)]
                        for name, point, height in zip(self.names, points, heights, strict=True)
                    },
                }
                for score, box, points, heights in zip(
                    self.scores, self.boxes, self.xy, self.joint_scores, strict=True
                )
            ]
        )
