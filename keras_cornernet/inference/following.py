"""One person followed through a video: the next square comes from the joints of this frame.

A detector is asked at the start and when the person is lost, so that most frames cost one pose network alone.
`saved_models/runtime` has the same in Kotlin and JavaScript; all three give the same numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from keras_cornernet.checks import check_number
from keras_cornernet.inference.tracking import JOINT_SPEED, OneEuroFilter
from keras_cornernet.preprocessing import Size


class Square(NamedTuple):
    """Where a person is read: the centre and the side of a square, image pixels."""

    x: float
    y: float
    side: float

    @property
    def box(self) -> np.ndarray:
        """`(4,)` float64 `xyxy`."""
        half = self.side / 2
        return np.array([self.x - half, self.y - half, self.x + half, self.y + half])


@dataclass(frozen=True)
class FollowingConfig:
    """When a person is lost, and how the next square is made.

    Attributes:
        min_score: a person whose joints score less on average is lost.
        min_joint_score: joints that score less have no part in the next square.
        padding: side of the square around a detector's box, over the longer side of the box.
        joint_padding: side of the next square over the longer side of the box around the joints, which is
            smaller than the person.
        shrink: the box around the joints grows at once, but shrinks by no more than this fraction a second:
            where a foot is taken for the other one, the next square must not cut off the true one.
        min_cutoff, beta, speed_cutoff, max_speed: of the smoothing, see `OneEuroFilter`; one unit is the
            longer side of the box around the joints.

    Raises:
        ValueError: a value is out of its range.
    """

    min_score: float = 0.2
    min_joint_score: float = 0.2
    padding: float = 1.25
    joint_padding: float = 1.35
    shrink: float = 0.15
    min_cutoff: float = 2.0
    beta: float = 10.0
    speed_cutoff: float = 1.0
    max_speed: float = JOINT_SPEED

    def __post_init__(self) -> None:
        check_number("min_score", self.min_score, at_least=0, at_most=1)
        check_number("min_joint_score", self.min_joint_score, at_least=0, at_most=1)
        check_number("padding", self.padding, above=0)
        check_number("joint_padding", self.joint_padding, above=0)
        check_number("shrink", self.shrink, at_least=0)
        self.make_filter()

    def make_filter(self) -> OneEuroFilter:
        """A new filter for the joints of a person."""
        return OneEuroFilter(self.min_cutoff, self.beta, self.speed_cutoff, self.max_speed)


class FollowedPose(NamedTuple):
    """The person on one frame.

    Attributes:
        keypoints: `(k, 2)` float64, image pixels, smoothed.
        keypoint_scores: `(k,)`.
        square: in which the person was read.
    """

    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    square: Square


ReadPose = Callable[[np.ndarray, Square], tuple[np.ndarray, np.ndarray]]
Detect = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass
class PersonFollower:
    """Follows one person from frame to frame.

    Attributes:
        read: takes an image and a square and returns the joints in it: `(k, 2)` image pixels, `(k,)` scores.
        detect: takes an image and returns the people on it: `(n, 4)` boxes `xyxy`, `(n,)` scores.
        config: see `FollowingConfig`.
        square: where the next frame is read; None: the detector is asked.
        detections: how often the detector was asked.
    """

    read: ReadPose
    detect: Detect
    config: FollowingConfig = field(default_factory=FollowingConfig)
    square: Square | None = None
    detections: int = 0
    _filter: OneEuroFilter | None = field(default=None, repr=False)
    _before: float = field(default=math.nan, repr=False)
    _box: np.ndarray | None = field(default=None, repr=False)
    _points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), repr=False)

    def next(self, image: np.ndarray, seconds: float) -> FollowedPose | None:
        """The person on the next frame; None if there is nobody.

        Args:
            image: `(height, width, 3)` uint8 RGB.
            seconds: the time of the frame.
        """
        passed = seconds - self._before if seconds > self._before else 0.0
        self._before = seconds
        pose = self._read(image, self.square)
        if pose is None:
            self._filter = None
            pose = self._read(image, self._detected(image))
        if pose is None:
            self.square = None
            return None
        box = box_of_joints(pose.keypoints, pose.keypoint_scores, self.config.min_joint_score)
        if self._filter is not None and self._box is not None and box is not None:
            shift = np.median(pose.keypoints - self._points, axis=0)
            box = shrunk_at_most(self._box, shift, box, self.config.shrink * passed)
        self._box, self._points = box, pose.keypoints
        self.square = square_of_joints(box, image.shape[:2], self.config.joint_padding)
        self._filter = self._filter or self.config.make_filter()
        smoothed = self._filter(pose.keypoints, seconds, longer_side(box))
        return pose._replace(keypoints=smoothed)

    def _read(self, image: np.ndarray, square: Square | None) -> FollowedPose | None:
        """The person in a square; None without a square, or where the joints score too little."""
        if square is None:
            return None
        points, scores = (np.asarray(part, np.float64) for part in self.read(image, square))
        return FollowedPose(points, scores, square) if scores.mean() >= self.config.min_score else None

    def _detected(self, image: np.ndarray) -> Square | None:
        self.detections += 1
        return square_of_best(*self.detect(image), self.config.padding)


def square_of_best(boxes: np.ndarray, scores: np.ndarray, padding: float) -> Square | None:
    """The square around the box with the highest score, the first of equals; None without a box of any area.

    Args:
        boxes: `(n, 4)` `xyxy`, image pixels.
        scores: `(n,)`.
        padding: side of the square over the longer side of the box.
    """
    boxes, scores = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(scores, np.float64)
    real = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    if not real.any():
        return None
    x1, y1, x2, y2 = boxes[np.where(real, scores, -np.inf).argmax()].tolist()
    return Square((x1 + x2) / 2, (y1 + y2) / 2, padding * max(x2 - x1, y2 - y1))


def square_of_joints(box: np.ndarray | None, image_size: Size, padding: float) -> Square | None:
    """The square for the next frame.

    Args:
        box: `(4,)` `xyxy` around the joints of this frame, image pixels.
        image_size: `(height, width)`.
        padding: side of the square over the longer side of the box.

    Returns:
        None where the person is lost: too few joints are sure, or the box's centre has left the image.
    """
    if box is None or not longer_side(box) > 0:
        return None
    x, y = ((box[:2] + box[2:]) / 2).tolist()
    height, width = image_size
    return Square(x, y, padding * longer_side(box)) if 0 <= x < width and 0 <= y < height else None


def box_of_joints(points: np.ndarray, scores: np.ndarray, min_score: float) -> np.ndarray | None:
    """The `(4,)` box around the joints that score at least so much; None if there are none."""
    sure = points[scores >= min_score]
    return np.concatenate([sure.min(axis=0), sure.max(axis=0)]) if len(sure) else None


def shrunk_at_most(before: np.ndarray, shift: np.ndarray, box: np.ndarray, fraction: float) -> np.ndarray:
    """A box whose edges lie no further inside than those of the box before allow.

    Args:
        before: `(4,)` `xyxy`.
        shift: `(2,)` by which its joints have moved since, the median of all.
        box: `(4,)` of now.
        fraction: of its longer side, by which the box before may have shrunk.
    """
    inwards = fraction * longer_side(before) / 2
    least = before + np.tile(shift, 2) + inwards * np.array([1, 1, -1, -1])
    return np.concatenate([np.minimum(box[:2], least[:2]), np.maximum(box[2:], least[2:])])


def longer_side(box: np.ndarray | None) -> float:
    """Of a `(4,)` box; 0 for None."""
    return 0.0 if box is None else float((box[2:] - box[:2]).max())
