"""How often an annotated object is among the best detections: for images on which not all are annotated."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_cornernet.results import Detections
from keras_cornernet.structures import DetectionDataset
from keras_cornernet.structures.boxes import overlaps

TOP = (1, 3)
MIN_IOU = 0.5


def found_among_best(
    dataset: DetectionDataset, detections: Mapping[int, Detections], *, top: Sequence[int] = TOP
) -> dict[str, float]:
    """The fraction of annotated boxes that one of the best detections meets.

    A precision would mean nothing where bystanders are not annotated; this is a recall. A box is found if one
    of the `k` detections of its class and image with the highest scores overlaps it by an intersection over
    union of at least 0.5.

    Args:
        dataset: the images; only those with `Sample.partial` count, and of them the boxes that are not
            ignored.
        detections: by image id, with the classes of `dataset` under the same names.
        top: the numbers of detections that are looked at.

    Returns:
        `found@1`, `found@3` and so on, 0..1; empty without such boxes.
    """
    hits: list[list[bool]] = []
    for sample in dataset.samples:
        if not sample.partial:
            continue
        found = detections.get(sample.image_id)
        for box, label in zip(
            sample.boxes.xyxy[~sample.boxes.ignore], sample.boxes.labels[~sample.boxes.ignore], strict=True
        ):
            met = np.zeros(0) if found is None else _overlaps(box, dataset.names[label], found)
            hits.append([bool((met[:k] >= MIN_IOU).any()) for k in top])
    if not hits:
        return {}
    return {f"found@{k}": float(rate) for k, rate in zip(top, np.mean(hits, axis=0), strict=True)}


def _overlaps(box: np.ndarray, name: str, found: Detections) -> np.ndarray:
    """The overlaps of a box with the detections of a class, those of the highest scores first."""
    same = np.array([found.categories.names[label] == name for label in found.labels], bool)
    boxes = found.boxes[same][np.argsort(-found.scores[same], kind="stable")]
    met: np.ndarray = overlaps(box[None], boxes)[0]
    return met
