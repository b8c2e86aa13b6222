"""People posed on an image."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.results.image_result import ImageResult
from keras_cornernet.results.speed import Speed
from keras_cornernet.skeletons import Skeleton


@dataclass(frozen=True, eq=False)
class Poses(ImageResult):
    """People posed on one image.

    Attributes:
        keypoints: `(n, k, 2)` float32, image pixels.
        keypoint_scores: `(n, k)` float32, about 0..1: the height of each joint's peak.
        boxes: `(n, 4)` float32 `xyxy`: what each person was cropped from.
        box_scores: `(n,)` float32; 1 for given boxes and whole images.
        skeleton: names, limbs and left-right pairs of the joints.
        image: `(height, width, 3)` uint8 RGB, the image that was read.
        path: where it was read from, or None for an array.
        speed: the time it took, or None if nobody measured it.
    """

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    boxes: np.ndarray
    box_scores: np.ndarray
    skeleton: Skeleton
    image: np.ndarray | None = None
    path: str | None = None
    speed: Speed | None = field(default=None, compare=False)

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
        return self.box_scores * self.keypoint_scores.mean(axis=1)

    def plot(self, min_score: float = 0.2):
        """The image with the skeletons drawn on it, as a `PIL.Image`.

        Args:
            min_score: joints below it are not drawn.
        """
        if self.image is None:
            raise ValueError("Poses.plot needs the image, and these poses carry none")
        return visualization.draw_skeletons(
            self.image, self.keypoints, self.keypoint_scores >= min_score, self.skeleton
        )

    def save(self, path: str | Path, min_score: float = 0.2) -> Path:
        """Writes the drawn picture to `path` (its suffix picks the format)."""
        return files.write_image(path, self.plot(min_score))

    def to_coco(self, image_id: int, category_id: int = 1) -> list[dict]:
        """The people in COCO's result form for keypoints: `keypoints` are `x, y, score` of each joint."""
        triples = np.concatenate([self.keypoints, self.keypoint_scores[..., None]], axis=-1).astype(float)
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
                    self.scores, self.boxes, self.keypoints, self.keypoint_scores, strict=True
                )
            ]
        )
