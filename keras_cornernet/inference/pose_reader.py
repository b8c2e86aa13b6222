"""People on whole images: each is cropped, read by the model, and brought back to the image."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_cornernet.inference.batches import Batching
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.people import checked_boxes, people_found, with_boxes
from keras_cornernet.inference.placement import Placement, placement_of
from keras_cornernet.inference.reading import OnError, ReadImage, check_options, images_of, read_or_report
from keras_cornernet.inference.timing import Stopwatch, speed_of
from keras_cornernet.preprocessing import View, person_view
from keras_cornernet.results import Poses
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, PoseDataset, Progress, size_problem

Keypoints = tuple[np.ndarray, np.ndarray]


class PoseReader:
    """What pose estimators in Keras and in exported files share.

    Args:
        skeleton: names, limbs and left-right pairs of the joints.
        settings: see `PoseInferenceConfig`.
        detector: finds the people when `boxes="detect"`.
    """

    def __init__(self, skeleton: Skeleton, settings: PoseInferenceConfig, detector: Any = None):
        self.skeleton = skeleton
        self.settings = settings
        self.detector = detector

    def read_inputs(
        self, inputs: np.ndarray, placement: Placement, *, batch_size: int, flip: bool
    ) -> Keypoints:
        """The joints on crops that show one person each.

        Args:
            inputs: `(n, *input_size, 3)` float32 RGB 0..255, at most `batch_size`.
            placement: of the images in the inputs.
            batch_size: crops that may go through the network together.
            flip: average with the mirror images.

        Returns:
            `(n, k, 2)` x, y in image pixels and `(n, k)` scores.
        """
        raise NotImplementedError

    def predict(
        self,
        source: Any,
        boxes: Any = None,
        *,
        min_score: float | None = None,
        flip: bool | None = False,
        batch_size: int = 8,
        channel_order: str = "rgb",
    ) -> list[Poses]:
        """Reads the poses of the people on one or many images.

        Args:
            source: as of `Detector.predict`.
            boxes: where the people are. None takes each image as one person who fills it; `"detect"` lets the
                detector find the people; an array `(n, 4)` `xyxy` in image pixels gives their boxes, or a
                list of such arrays, one for each image. Any other detector is a function that takes an image,
                `(height, width, 3)` uint8 RGB, and returns such an array.
            min_score: people whom the detector finds with a lower score are left out; None follows
                `settings.min_score`.
            flip: average with the mirror image, which takes twice the time; None follows `settings.flip`, as
                evaluation does. The detector is called with the same value.
            batch_size: people that go through the network together.
            channel_order: as of `Detector.predict`.

        Returns:
            One `Poses` for each image, keypoints in image pixels, people in the order of the boxes.

        Raises:
            OSError: an image cannot be read; the message names it.
            ValueError: a box has no area, the numbers of boxes and images differ, or an argument is out of
                range.
        """
        options: Any = {"flip": flip, "batch_size": batch_size, "channel_order": channel_order}
        return list(self.stream(source, boxes, min_score=min_score, **options))

    def stream(
        self,
        source: Any,
        boxes: Any = None,
        *,
        min_score: float | None = None,
        flip: bool | None = False,
        batch_size: int = 8,
        channel_order: str = "rgb",
        on_error: OnError | None = None,
    ) -> Iterator[Poses]:
        """`predict`, one image at a time.

        Args:
            source, boxes, min_score, flip, batch_size, channel_order: see `predict`.
            on_error: called with path and error for an image that cannot be read, which is then skipped; None
                raises the error.
        """
        min_score = self.settings.min_score if min_score is None else min_score
        check_options(min_score, batch_size)
        for item, mine in with_boxes(images_of(source), boxes, self.detector, self.settings.labels):
            image = read_or_report(item, on_error, channel_order)
            if image is None:
                continue
            batching = self._batching(batch_size, flip)
            with Stopwatch() as total:
                people = self._people(image, mine, min_score, flip, batching.graph)
                keypoints, scores = self._read_boxes(image, people[0], batching, whole=mine is None)
            speed = speed_of(image.milliseconds, total, batching.graph)
            yield Poses(keypoints, scores, *people, self.skeleton, image.image, image.path, speed)

    def read(
        self,
        image: np.ndarray,
        centers: Any,
        sides: Any,
        *,
        batch_size: int = 8,
        flip: bool | None = None,
    ) -> Keypoints:
        """The joints of people whose squares are known.

        Args:
            image: `(height, width, 3)` uint8 RGB.
            centers: `(n, 2)` x, y of the centres of the squares, image pixels.
            sides: `(n,)` of the squares, image pixels.
            batch_size: people that go through the network together.
            flip: average with the mirror image; None follows `settings.flip`.

        Returns:
            `(n, k, 2)` float32 image pixels and `(n, k)` float32 scores.
        """
        views = [person_view(c, s, self.settings.input_size) for c, s in zip(centers, sides, strict=True)]
        return self._read_views([(view, image) for view in views], self._batching(batch_size, flip))

    def read_dataset(
        self,
        pose_dataset: PoseDataset,
        *,
        batch_size: int = 16,
        flip: bool | None = None,
        on_error: OnError | None = None,
        progress: Progress = list,
    ) -> Keypoints:
        """The joints of all people of a data set, each cropped by the annotated square.

        Args:
            pose_dataset: what a reader returned.
            batch_size: people that go through the network together.
            flip: average with the mirror image; None follows `settings.flip`.
            on_error: called with path and error for an image that cannot be read, or does not have the size
                that the annotations state; None raises the error.
            progress: wraps the people and shows how far the work is, such as `tqdm.tqdm`.

        Returns:
            `(n, k, 2)` float32 image pixels and `(n, k)` float32 scores; NaN for people whose image cannot
            be used.
        """
        k = len(self.skeleton.joints)
        points = np.full((len(pose_dataset.people), k, 2), np.nan, np.float32)
        scores = np.full((len(pose_dataset.people), k), np.nan, np.float32)
        batching = self._batching(batch_size, flip)
        for read, pairs in self._views_of(pose_dataset, batch_size, on_error, progress):
            points[read], scores[read] = self._read_views(pairs, batching)
        return points, scores

    def _views_of(
        self, pose_dataset: PoseDataset, batch_size: int, on_error: OnError | None, progress: Progress
    ) -> Iterator[tuple[list[int], list[tuple[View, np.ndarray]]]]:
        """Batches of people whose image can be used: their indices, and view and image of each."""
        waiting: list[tuple[int, tuple[View, np.ndarray]]] = []
        path, image = None, None
        for index, person in enumerate(progress(pose_dataset.people)):
            if person.path != path:
                path, image = person.path, _read_annotated(person, on_error)
            if image is not None:
                view = person_view(person.center, person.side, self.settings.input_size)
                waiting.append((index, (view, image.image)))
            if waiting and (len(waiting) == batch_size or index + 1 == len(pose_dataset.people)):
                yield [i for i, _ in waiting], [pair for _, pair in waiting]
                waiting = []

    def _batching(self, batch_size: int, flip: bool | None) -> Batching:
        return Batching(batch_size, self.settings.flip if flip is None else flip, Stopwatch())

    def _read_views(self, pairs: Sequence[tuple[View, np.ndarray]], batching: Batching) -> Keypoints:
        """As `read`, for pairs of a view and its image."""
        k = len(self.skeleton.joints)
        points, scores = [np.zeros((0, k, 2), np.float32)], [np.zeros((0, k), np.float32)]
        for start in range(0, len(pairs), batching.size):
            group = pairs[start : start + batching.size]
            shown = np.stack([view.apply(image) for view, image in group]).astype(np.float32)
            placement = placement_of([v for v, _ in group], [image.shape[:2] for _, image in group])
            with batching.graph:
                found = self.read_inputs(shown, placement, batch_size=batching.size, flip=batching.flip)
            points.append(found[0])
            scores.append(found[1])
        return finite(np.concatenate(points).astype(np.float32), np.concatenate(scores).astype(np.float32))

    def _read_boxes(
        self, image: ReadImage, boxes: np.ndarray, batching: Batching, *, whole: bool
    ) -> Keypoints:
        """The joints of people in boxes, or with `whole` of the one person who fills the image."""
        centers, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        padding = self.settings.padding
        if whole:  # batches are filled up to one size, which for a single person would be a waste
            padding, batching = 1.0, batching._replace(size=1)
        views = [
            person_view(center, padding * side, self.settings.input_size)
            for center, side in zip(centers, sides, strict=True)
        ]
        return self._read_views([(view, image.image) for view in views], batching)

    def _people(
        self, image: ReadImage, boxes: Any, min_score: float | None, flip: bool | None, graph: Stopwatch
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes and scores of the people on one image."""
        if boxes is None:
            height, width = image.size
            return np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32)
        if isinstance(boxes, str):
            (found,) = self.detector.predict(image.image, min_score=min_score, flip=flip)
            if found.speed is not None:
                graph.milliseconds += found.speed.graph
            return people_found(found, self.settings.labels)
        boxes = checked_boxes(boxes(image.image) if callable(boxes) else boxes)
        return boxes, np.ones(len(boxes), np.float32)


def finite(keypoints: np.ndarray, scores: np.ndarray) -> Keypoints:
    """Keypoints whose place or score is no finite number get the score 0 and the place 0, 0."""
    sound = np.isfinite(keypoints).all(axis=-1) & np.isfinite(scores)
    return np.where(sound[..., None], keypoints, 0), np.where(sound, scores, 0)


def _read_annotated(person: Person, on_error: OnError | None) -> ReadImage | None:
    """Reads the image of an annotated person and checks its size."""
    image = read_or_report(person.path, on_error)
    if image is None:
        return None
    problem = size_problem(person.path, person.image_size, image.size)
    if problem is None:
        return image
    error = OSError(str(problem))
    if on_error is None:
        raise error
    on_error(person.path, error)
    return None
