"""The boxes of the people whose poses are read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_cornernet.inference.reading import OnError
from keras_cornernet.results import Detections
from keras_cornernet.structures import Person, PoseDataset

MIN_OVERLAP = 0.1  # of an annotated and a found person


def with_boxes(
    images: Iterable[Any], boxes: Any, detector: Any | None, labels: Sequence[str]
) -> Iterator[tuple[Any, Any]]:
    """Pairs images with their boxes, from the argument `boxes` of `PoseReader.predict`.

    Args:
        images: one after the other; they are counted first where boxes are given one by one.
        boxes: None, `"detect"`, a function, one array or a list of arrays.
        detector: finds the people, or None.
        labels: the classes of the detector whose objects are people.

    Raises:
        ValueError: `boxes` is something else, does not fit the number of images, or needs a detector that
            finds people.
    """
    if isinstance(boxes, str):
        if boxes != "detect":
            raise ValueError(f"boxes must be None, 'detect', a function or arrays, not {boxes!r}")
        if detector is None:
            raise ValueError("boxes='detect' needs an estimator with a detector, and this one has none")
        check_finds(detector, labels)
    if boxes is None or isinstance(boxes, str) or callable(boxes):
        return ((image, boxes) for image in images)
    listed = list(images)
    given = [boxes] if isinstance(boxes, np.ndarray) and boxes.ndim == 2 else list(boxes)
    if len(given) != len(listed):
        raise ValueError(f"boxes must hold one array for each image: {len(listed)}, not {len(given)}")
    return zip(listed, given, strict=True)


def check_finds(detector: Any, labels: Sequence[str]) -> None:
    """Raises `ValueError` if a detector has none of the classes `labels`."""
    names = detector.categories.names
    if not set(labels) & set(names):
        wanted = " or ".join(map(repr, labels))
        raise ValueError(f"the detector has no class {wanted}, but {', '.join(names)}")


def checked_boxes(boxes: Any) -> np.ndarray:
    """`(n, 4)` float32 `xyxy` boxes of one image.

    Raises:
        ValueError: the shape is another one, or a box is not finite or has no area.
    """
    given = np.asarray(boxes, np.float32)
    if given.size and given.shape != (len(given), 4):
        raise ValueError(f"boxes: expected the shape (n, 4) for each image, got {given.shape}")
    given = given.reshape(-1, 4)
    bad = ~(np.isfinite(given).all(axis=1) & (given[:, 2:] > given[:, :2]).all(axis=1))
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        raise ValueError(f"boxes[{index}] must be x1 < x2, y1 < y2, not {given[index].tolist()}")
    return given


def people_found(detections: Detections, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and scores of the detections of some classes that have an area."""
    found = detections.non_empty()
    keep = np.array([name in labels for name in found.names], bool)
    return found.boxes[keep], found.scores[keep]


def found_people(
    dataset: PoseDataset, detector: Any, settings: Any, *, on_error: OnError | None = None
) -> tuple[PoseDataset, np.ndarray]:
    """Annotated people in the squares around the boxes that a detector finds, as in use.

    Each person gets the box that overlaps the extent of the annotated joints most.

    Args:
        dataset: the annotated people.
        detector: has `stream`; its objects of the classes `settings.labels` are people.
        settings: the `PoseInferenceConfig` whose `min_score`, `padding` and `label` are used.
        on_error: called with path and error for an image that cannot be read.

    Returns:
        The people with other squares, and `(n,)` bool, who was not found: nothing overlaps them by an
        intersection over union of 0.1. Those keep their squares.
    """
    boxes_of: dict[str, np.ndarray] = {}
    for path in dict.fromkeys(dataset.paths):
        for result in detector.stream(path, min_score=settings.min_score, on_error=on_error):
            boxes_of[path] = people_found(result, settings.labels)[0]
    people, missed = [], np.zeros(len(dataset), bool)
    for i, person in enumerate(dataset.people):
        box = _best_box(person, boxes_of.get(person.path, np.zeros((0, 4), np.float32)))
        if box is None:
            missed[i] = True
        else:
            side = settings.padding * float((box[2:] - box[:2]).max())
            person = person.replace(center=(box[:2] + box[2:]) / 2, side=side)
        people.append(person)
    return dataset.replace(people=tuple(people)), missed


def _best_box(person: Person, boxes: np.ndarray) -> np.ndarray | None:
    """The box that overlaps a person's joints most, or None."""
    xy = person.keypoints[person.visibility > 0]
    if not len(boxes) or not len(xy):
        return None
    low, high = xy.min(axis=0), xy.max(axis=0)
    common = np.minimum(boxes[:, 2:], high) - np.maximum(boxes[:, :2], low)
    inter = np.prod(np.maximum(common, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(high - low)
    overlaps = inter / np.maximum(areas - inter, 1e-9)
    best = int(overlaps.argmax())
    return boxes[best] if overlaps[best] >= MIN_OVERLAP else None
