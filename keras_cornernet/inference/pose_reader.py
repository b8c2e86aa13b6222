"""People on whole images: each is cropped, read by whatever reads a crop, and put back."""

from collections.abc import Iterator

import numpy as np

from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.reading import OnError, list_images, path_of, read_or_report
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import person_view
from keras_cornernet.results import Detections, Poses
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, PoseDataset, Progress, size_problem


class PoseReader:
    """What all that poses people shares, in Keras or in an exported file.

    Args:
        skeleton: names, limbs and left-right pairs of the joints.
        settings: see `PoseInferenceConfig`.
        detector: finds the people when `boxes="detect"`.
    """

    def __init__(self, skeleton: Skeleton, settings: PoseInferenceConfig, detector=None):
        self.skeleton = skeleton
        self.settings = settings
        self.detector = detector

    def read_inputs(self, inputs: np.ndarray, *, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """The joints on crops.

        Args:
            inputs: `(n, *input_size, 3)` float32 RGB 0..255, at most `batch_size`.
            batch_size: crops that may go through the network together.

        Returns:
            `(n, k, 2)` input pixels and `(n, k)` scores.
        """
        raise NotImplementedError

    def predict(
        self,
        source,
        boxes=None,
        *,
        min_score: float = 0.3,
        flip: bool | None = False,
        batch_size: int = 8,
    ) -> list[Poses]:
        """Poses the people on one or many images.

        Args:
            source: as of `Detector.predict`.
            boxes: None takes each image as one person who fills it; `"detect"` lets the detector find the
                people; `(n, 4)` `xyxy` in image pixels says where they are, or a list of such, one for each
                image.
            batch_size: people that go through the network together.

        Returns:
            One `Poses` per image, points in image pixels, people in the order of the boxes.

        Raises:
            OSError: an image cannot be read; the message names it.
            ValueError: a box has no area, or there are not as many lists of boxes as images.
        """
        return list(self.stream(source, boxes, min_score=min_score, flip=flip, batch_size=batch_size))

    def stream(
        self,
        source,
        boxes=None,
        *,
        min_score: float = 0.3,
        flip: bool | None = False,
        batch_size: int = 8,
        on_error: OnError | None = None,
    ) -> Iterator[Poses]:
        """`predict`, one image at a time.

        Args:
            source, boxes, batch_size: see `predict`.
            on_error: called with path and error for an image that cannot be read, which is then skipped; None
                raises.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if flip not in (None, self.settings.flip):
            if not hasattr(self, "_other"):
                self._other = self.with_settings(flip=flip)
            self._other.detector = self.detector
            yield from self._other.stream(
                source, boxes, min_score=min_score, flip=None, batch_size=batch_size, on_error=on_error
            )
            return
        self._min_score = min_score
        images = list_images(source)
        for item, given in zip(images, self._boxes_of_images(boxes, len(images)), strict=True):
            image = read_or_report(item, on_error)
            if image is None:
                continue
            found, scores = self._people(image, given)
            xy, heights = self._read_boxes(image, found, given is None, batch_size)
            yield Poses(xy, heights, found, scores, self.skeleton, image, path_of(item))

    def read(
        self, image: np.ndarray, centers, sides, *, batch_size: int = 8
    ) -> tuple[np.ndarray, np.ndarray]:
        """The joints of people whose squares are known.

        Args:
            image: `(height, width, 3)` uint8 RGB.
            centers: `(n, 2)` x, y of the squares' middles, image pixels.
            sides: `(n,)` of the squares, image pixels.
            batch_size: people that go through the network together.

        Returns:
            `(n, k, 2)` float32 image pixels and `(n, k)` float32 scores.
        """
        views = [person_view(c, s, self.settings.input_size) for c, s in zip(centers, sides, strict=True)]
        return self.read_views([(view, image) for view in views], batch_size=batch_size)

    def read_views(self, pairs, *, batch_size: int = 8) -> tuple[np.ndarray, np.ndarray]:
        """As `read`, of `(view, image)` pairs, which may be of different images."""
        k = len(self.skeleton.joints)
        points, scores = [np.zeros((0, k, 2), np.float32)], [np.zeros((0, k), np.float32)]
        for start in range(0, len(pairs), batch_size):
            group = pairs[start : start + batch_size]
            shown = np.stack([view.apply(image) for view, image in group]).astype(np.float32)
            found, heights = self.read_inputs(shown, batch_size=batch_size)
            ways_back = [affine.invert(view.input_from_image) for view, _ in group]
            points.append(
                np.stack([affine.transform_points(w, p) for w, p in zip(ways_back, found, strict=True)])
            )
            scores.append(heights)
        return np.concatenate(points).astype(np.float32), np.concatenate(scores)

    def read_dataset(
        self,
        pose_dataset: PoseDataset,
        *,
        flip: bool | None = None,
        batch_size: int = 16,
        on_error: OnError | None = None,
        progress: Progress = list,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The joints of all people of a data set, each shown by the annotated square.

        Args:
            pose_dataset: what a reader returned.
            batch_size: people that go through the network together.
            on_error: called with path and error for an image that cannot be read, or does not have the size
                that the annotations state; None raises.
            progress: wraps the people and shows how far it is, such as `tqdm.tqdm`.

        Returns:
            `(n, k, 2)` float32 image pixels and `(n, k)` float32 scores; NaN for people whose image cannot
            be used.
        """
        if flip not in (None, self.settings.flip):
            model = self.with_settings(flip=flip)
            return model.read_dataset(
                pose_dataset, batch_size=batch_size, on_error=on_error, progress=progress
            )
        k = len(self.skeleton.joints)
        points = np.full((len(pose_dataset.people), k, 2), np.nan, np.float32)
        scores = np.full((len(pose_dataset.people), k), np.nan, np.float32)
        waiting, path, image = [], None, None
        for place, person in enumerate(progress(pose_dataset.people)):
            if person.path != path:
                path, image = person.path, _read_annotated(person, on_error)
            if image is not None:
                view = person_view(person.center, person.side, self.settings.input_size)
                waiting.append((place, (view, image)))
            if waiting and (len(waiting) == batch_size or place + 1 == len(pose_dataset.people)):
                places = [place for place, _ in waiting]
                pairs = [pair for _, pair in waiting]
                points[places], scores[places] = self.read_views(pairs, batch_size=batch_size)
                waiting = []
        return points, scores

    def _read_boxes(self, image, boxes, whole: bool, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """The joints of people in boxes, or of the one who fills the whole image."""
        centers, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        # A batch is filled up, so that its graph is compiled once: for one person that would be waste.
        if whole:
            return self.read(image, centers, sides, batch_size=1)
        return self.read(image, centers, self.settings.padding * sides, batch_size=batch_size)

    def _people(self, image, boxes) -> tuple[np.ndarray, np.ndarray]:
        """Boxes and scores of the people of one image."""
        if boxes is None:
            height, width = image.shape[:2]
            return np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32)
        if isinstance(boxes, str):
            found = self._detect(image)
            return found.boxes, found.scores
        boxes = np.asarray(boxes, np.float32)
        if boxes.size and boxes.shape != (len(boxes), 4):
            raise ValueError(f"boxes: expected the shape (n, 4) for each image, got {boxes.shape}")
        boxes = boxes.reshape(-1, 4)
        bad = ~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        if bad.any():
            place = int(np.flatnonzero(bad)[0])
            raise ValueError(f"boxes[{place}] must be x1 < x2, y1 < y2, not {boxes[place].tolist()}")
        return boxes, np.ones(len(boxes), np.float32)

    def _detect(self, image) -> Detections:
        found = self.detector.predict(image, min_score=0.0)[0].with_min_score(self._min_score).non_empty()
        keep = np.array([name == self.settings.label for name in found.names], bool)
        return found.replace(boxes=found.boxes[keep], scores=found.scores[keep], labels=found.labels[keep])

    def _boxes_of_images(self, boxes, count) -> list:
        if boxes is None:
            return [None] * count
        if isinstance(boxes, str):
            if boxes != "detect":
                raise ValueError(f"boxes must be None, 'detect' or arrays, not {boxes!r}")
            if self.detector is None:
                raise ValueError("boxes='detect' needs an estimator with a detector, and this one has none")
            names = self.detector.categories.names
            if self.settings.label not in names:
                raise ValueError(f"the detector has no class {self.settings.label!r}, but {', '.join(names)}")
            return [boxes] * count
        if isinstance(boxes, np.ndarray) and boxes.ndim == 2:
            boxes = [boxes]
        if len(boxes) != count:
            raise ValueError(f"boxes must hold one array for each image: {count}, not {len(boxes)}")
        return list(boxes)


def _read_annotated(person: Person, on_error: OnError | None) -> np.ndarray | None:
    """Reads the image of an annotated person and checks its size."""
    image = read_or_report(person.path, on_error)
    if image is None:
        return None
    problem = size_problem(person.path, person.image_size, image.shape[:2])
    if problem is None:
        return image
    error = OSError(str(problem))
    if on_error is None:
        raise error
    on_error(person.path, error)
    return None
