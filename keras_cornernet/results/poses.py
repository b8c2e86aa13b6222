"""People and their keypoints on an image."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.results import forms, tables
from keras_cornernet.results.image_result import ImageResult
from keras_cornernet.results.shapes import check_shapes
from keras_cornernet.results.speed import Speed
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Record

KEYPOINT_DRAWN_FROM = 0.2  # the score from which a joint is drawn by default


@dataclass(frozen=True, eq=False, repr=False)
class Pose(Record):
    """One person of a `Poses`.

    Attributes:
        keypoints: `(k, 2)` float32, image pixels.
        keypoint_scores: `(k,)` float32.
        box: `(4,)` float32 `xyxy`, image pixels: what the person was cropped from.
        box_score: the score of the box.
        score: of the person: `box_score` times the mean of `keypoint_scores`.
        names: the names of the `k` joints.
    """

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    box: np.ndarray
    box_score: float
    score: float
    names: tuple[str, ...]

    def __repr__(self) -> str:
        corners = ", ".join(f"{value:.1f}" for value in self.box)
        return f"Pose: person {self.score:.2f} of {len(self.names)} joints at [{corners}]"


@dataclass(frozen=True, eq=False, repr=False)
class Poses(ImageResult[Pose]):
    """People and their keypoints on one image, in the order of their boxes; a sequence of `Pose`.

    Attributes:
        keypoints: `(n, k, 2)` float32, image pixels.
        keypoint_scores: `(n, k)` float32, about 0..1: the height of each joint's peak in its heatmap.
        boxes: `(n, 4)` float32 `xyxy`, image pixels: what each person was cropped from.
        box_scores: `(n,)` float32; 1 for given boxes and whole images.
        skeleton: names, limbs and left-right pairs of the joints.
        image: `(height, width, 3)` uint8 RGB, the image that was read, or None.
        path: where it was read from, or None for an array.
        speed: the time that it took, or None if it was not measured.

    Raises:
        ValueError: the arrays do not have these shapes.
    """

    noun: ClassVar[str] = "people"
    _rows: ClassVar[tuple[str, ...]] = ("keypoints", "keypoint_scores", "boxes", "box_scores")

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    boxes: np.ndarray
    box_scores: np.ndarray
    skeleton: Skeleton
    image: np.ndarray | None = None
    path: str | None = None
    speed: Speed | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        n, k = self.box_scores.shape[0] if self.box_scores.ndim else 0, len(self.skeleton.joints)
        check_shapes(
            box_scores=(self.box_scores, (n,)),
            boxes=(self.boxes, (n, 4)),
            keypoints=(self.keypoints, (n, k, 2)),
            keypoint_scores=(self.keypoint_scores, (n, k)),
        )

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
        """`(n,)` the score of each person: the score of the box times the mean score of the joints."""
        scores: np.ndarray = self.box_scores * self.keypoint_scores.mean(axis=1)
        return scores

    def plot(
        self, min_score: float | None = None, *, min_keypoint_score: float = KEYPOINT_DRAWN_FROM
    ) -> Image.Image:
        """The image with the skeletons drawn on it.

        Args:
            min_score: people with a lower score are not drawn; None draws everyone.
            min_keypoint_score: joints with a lower score are not drawn.

        Raises:
            ValueError: the result carries no image.
        """
        image = self._required_image()
        shown = self if min_score is None else self.with_min_score(min_score)
        return visualization.draw_skeletons(
            image, shown.keypoints, shown.keypoint_scores >= min_keypoint_score, self.skeleton
        )

    def summary(self) -> dict[str, Any]:
        """Counts and best scores, fit for json.

        Returns:
            `path`, `image_size` as height and width, `count`, `best_score`, `speed` in milliseconds, and
            `joints`: the mean score of each joint by name, empty where nobody was found.
        """
        joints: dict[str, float] = {}
        if len(self):
            means = tables.rounded(self.keypoint_scores.mean(axis=0), tables.SCORE_DIGITS).tolist()
            joints = dict(zip(self.names, means, strict=True))
        return self._summary() | {"joints": joints}

    def to_coco(self, image_id: int, category_id: int = 1) -> list[dict[str, Any]]:
        """The people in COCO's result form for keypoints: `keypoints` are `x, y, score` of each joint."""
        return forms.poses_to_coco(self, image_id, category_id)

    def to_json(self) -> str:
        """The people as a json text: a list of `{"score", "box", "keypoints": {name: [x, y, score]}}`."""
        return forms.poses_to_json(self)

    def to_table(self) -> dict[str, np.ndarray]:
        """The people as columns in image pixels.

        Returns:
            `path score box_score x1 y1 x2 y2`, then for each joint `<name>_x`, `<name>_y`, `<name>_score`.
        """
        return tables.poses_table(self)

    def to_yolo(
        self,
        image_size: tuple[int, int] | None = None,
        *,
        scores: bool = False,
        min_keypoint_score: float = KEYPOINT_DRAWN_FROM,
    ) -> str:
        """The people as lines of a YOLO pose label file.

        Each line is `0 x y width height`, centre and size of the box in 0..1, then `x y visibility` of each
        joint. The visibility is 2; joints with a low score or outside the image are `0 0 0`.

        Args:
            image_size: `(height, width)` of the image; None takes it from `image`.
            scores: state the joints' scores in place of the visibility and add the person's score at the
                end of each line, as YOLO's own result files do.
            min_keypoint_score: joints with a lower score count as not seen.

        Raises:
            ValueError: neither `image_size` nor `image` is there.
        """
        return forms.poses_to_yolo(self, image_size, scores, min_keypoint_score)

    def to_supervision(self) -> Any:
        """The people as `supervision.KeyPoints`.

        Raises:
            ImportError: supervision is not installed; the message states what to type.
        """
        return forms.poses_to_supervision(self)

    def _item(self, index: int) -> Pose:
        return Pose(
            self.keypoints[index],
            self.keypoint_scores[index],
            self.boxes[index],
            float(self.box_scores[index]),
            float(self.scores[index]),
            self.names,
        )

    def _counted(self) -> str:
        return f"{len(self)} person" if len(self) == 1 else f"{len(self) or 'no'} people"
