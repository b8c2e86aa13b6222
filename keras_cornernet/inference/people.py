"""The boxes of the people whose poses are read."""

from typing import Any

import numpy as np

from keras_cornernet.results import Detections


def boxes_of_images(boxes: Any, count: int, detector: Any, label: str) -> list[Any]:
    """The boxes of each of several images, from the argument `boxes` of `PoseReader.predict`.

    Args:
        boxes: None, `"detect"`, one array or a list of arrays.
        count: number of images.
        detector: finds the people, or None.
        label: the class of the detector whose objects are people.

    Raises:
        ValueError: `boxes` is something else, does not fit the number of images, or needs a detector that
            finds people.
    """
    if boxes is None:
        return [None] * count
    if isinstance(boxes, str):
        if boxes != "detect":
            raise ValueError(f"boxes must be None, 'detect' or arrays, not {boxes!r}")
        if detector is None:
            raise ValueError("boxes='detect' needs an estimator with a detector, and this one has none")
        names = detector.categories.names
        if label not in names:
            raise ValueError(f"the detector has no class {label!r}, but {', '.join(names)}")
        return [boxes] * count
    if isinstance(boxes, np.ndarray) and boxes.ndim == 2:
        boxes = [boxes]
    if len(boxes) != count:
        raise ValueError(f"boxes must hold one array for each image: {count}, not {len(boxes)}")
    return list(boxes)


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


def people_found(detections: Detections, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and scores of the detections of a class that have an area."""
    found = detections.non_empty()
    keep = np.array([name == label for name in found.names], bool)
    return found.boxes[keep], found.scores[keep]
