"""One person followed through a video, by a pose estimator and a detector."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.inference.following import FollowedPose, FollowingConfig, PersonFollower, Square
from keras_cornernet.inference.people import check_finds, people_found
from keras_cornernet.inference.pose_reader import PoseReader
from keras_cornernet.inference.video import Follower, FrameResult, chosen_frames
from keras_cornernet.results import Poses
from keras_cornernet.skeletons import Skeleton


def person_follower(
    estimator: PoseReader, detector: Any, config: FollowingConfig | None = None, *, flip: bool | None = False
) -> PersonFollower:
    """Follows a person with a pose estimator and a detector, in Keras or in exported files.

    Args:
        estimator: has `read` and `settings`, whose label and `min_score` say who is a person.
        detector: has `predict`.
        config: None: the defaults, with the estimator's own `padding`.
        flip: average with the mirror image; None follows the models' settings.

    Raises:
        ValueError: the detector finds no people.
    """
    settings = estimator.settings
    check_finds(detector, settings.labels)
    config = config or FollowingConfig(padding=settings.padding)

    def read(image: np.ndarray, square: Square) -> tuple[np.ndarray, np.ndarray]:
        points, scores = estimator.read(image, [square[:2]], [square.side], batch_size=1, flip=flip)
        return points[0], scores[0]

    def detect(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (found,) = detector.predict(image, min_score=settings.min_score, flip=flip)
        return people_found(found, settings.labels)

    return PersonFollower(read, detect, config)


def follow_video(
    estimator: PoseReader,
    source: str | Path,
    *,
    every: int = 1,
    max_frames: int | None = None,
    flip: bool | None = False,
    config: FollowingConfig | None = None,
) -> Iterator[FrameResult]:
    """The pose of one person on the frames of a video, one after the other.

    Args:
        estimator: with a `detector`.
        source, every, max_frames: see `inference.video.stream_video`.
        flip, config: see `person_follower`.

    Yields:
        Results with one person or none, whose box is the square in which the person was read. A person keeps
        the number; one who is found elsewhere gets another.

    Raises:
        OSError, ImportError, ValueError: as `stream_video`; or the estimator has no detector of people.
    """
    if estimator.detector is None:
        raise ValueError("to follow a person needs an estimator with a detector, and this one has none")
    follower = person_follower(estimator, estimator.detector, config, flip=flip)
    numbers = Follower(smooth=False)
    for index, seconds, image in chosen_frames(source, every=every, max_frames=max_frames):
        poses = _poses(follower.next(image, seconds), estimator.skeleton, image)
        yield numbers.follow(index, seconds, poses)


def _poses(pose: FollowedPose | None, skeleton: Skeleton, image: np.ndarray) -> Poses:
    """One person or none, as a result."""
    k = len(skeleton.joints)
    rows: tuple[np.ndarray, ...] = np.zeros((0, k, 2)), np.zeros((0, k)), np.zeros((0, 4))
    if pose is not None:
        rows = pose.keypoints[None], pose.keypoint_scores[None], pose.square.box[None]
    points, scores, boxes = (row.astype(np.float32) for row in rows)
    return Poses(points, scores, boxes, np.ones(len(boxes), np.float32), skeleton, image)
