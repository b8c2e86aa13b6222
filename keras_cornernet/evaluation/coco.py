"""COCO evaluation of detections on a `DetectionDataset`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_cornernet.evaluation.average_precision import Entry, average_precision, entry, found_entry, some_of
from keras_cornernet.results import Detections
from keras_cornernet.structures import DetectionDataset, Sample

DetectionsByImage = Sequence[Detections] | Mapping[int, Detections]


def evaluate_detections(
    dataset: DetectionDataset,
    detections: DetectionsByImage,
    *,
    max_detections: int = 100,
    engine: str = "auto",
) -> dict[str, Any]:
    """COCO's 12 numbers for detections on a data set, its boxes taken as the truth.

    On a data set of `read_coco` they are those of the file (`evaluate_coco_files`), as long as all boxes of
    the file can be used: the areas that the file states decide what is small, medium and large.

    Args:
        dataset: the images and their true boxes; `ignore` counts as COCO's `iscrowd`.
        detections: one for each image in the order of `dataset.samples`, or by image id; an image without
            an entry has no detections. Boxes are in image pixels.
        max_detections: the number of detections per image that count, at least 11; those of the highest
            scores.
        engine: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`: the first that is installed.

    Returns:
        `AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl` as floats in 0..1, -1 where there is
        nothing to find (another `max_detections` takes the place of the 100), and `per_class`: for each
        class name `{"AP": ..., "AP50": ...}`.

    Raises:
        ValueError: as `coco_results`.
        ImportError: the engine is not installed.
    """
    truth, found = coco_entries(dataset, detections)
    return average_precision(
        [sample.image_id for sample in dataset.samples],
        dict(zip(dataset.categories.ids, dataset.categories.names, strict=True)),
        truth,
        found,
        max_detections=max_detections,
        engine=engine,
    )


def coco_entries(dataset: DetectionDataset, detections: DetectionsByImage) -> tuple[list[Entry], list[Entry]]:
    """True boxes and detections as the engines of `average_precision` take them.

    Raises:
        ValueError: as `coco_results`.
    """
    truth = [row for sample in dataset.samples for row in _true_entries(sample, dataset.categories.ids)]
    return truth, [found_entry(result) for result in coco_results(dataset, detections)]


def coco_results(dataset: DetectionDataset, detections: DetectionsByImage) -> list[dict[str, Any]]:
    """Detections in COCO's result form, with the image ids and category ids of a data set.

    Where detections have other classes than the data set, classes are matched by name, and boxes of
    classes that the data set does not have are left out.

    Args:
        dataset: the images and the classes.
        detections: one for each image in the order of `dataset.samples`, or by image id.

    Returns:
        Dicts with `image_id`, `category_id`, `bbox` (x, y, width, height, not rounded) and `score`.

    Raises:
        ValueError: detections and images do not match, a box or score cannot be used, or no class name is
            common.
    """
    results = []
    for image_id, found in by_image(dataset, detections):
        ids = _category_ids(dataset, found)
        _check(found, image_id)
        boxes = _corner_and_size(found.boxes).tolist()
        for box, score, label in zip(boxes, found.scores.tolist(), found.labels, strict=True):
            if ids[label] is not None:
                results.append({"image_id": image_id, "category_id": ids[label], "bbox": box, "score": score})
    return results


def _true_entries(sample: Sample, category_ids: Sequence[int]) -> Iterable[Entry]:
    """The true boxes of an image as the engines take them."""
    boxes = _corner_and_size(sample.boxes.xyxy)
    areas = sample.boxes.areas
    if areas is None:
        areas = boxes[:, 2] * boxes[:, 3]
    rows = zip(sample.boxes.labels, boxes.tolist(), areas, sample.boxes.ignore, strict=True)
    for label, box, area, ignore in rows:
        yield entry(sample.image_id, category_ids[label], box, area, crowd=ignore)


def by_image(dataset: DetectionDataset, detections: DetectionsByImage) -> list[tuple[int, Detections]]:
    """The detections with their image ids, in the order of the data set."""
    images = [sample.image_id for sample in dataset.samples]
    if isinstance(detections, Mapping):
        unknown = set(detections) - set(images)
        if unknown:
            raise ValueError(f"detections: the data set has no images with the ids {some_of(unknown)}")
        return [(id_, detections[id_]) for id_ in images if id_ in detections]
    if len(detections) != len(images):
        raise ValueError(f"detections: expected one per image, {len(images)}, got {len(detections)}")
    return list(zip(images, detections, strict=True))


def _category_ids(dataset: DetectionDataset, found: Detections) -> list[int | None]:
    """The data set's category id of each label of the detections, None for a class that it does not have."""
    wanted, given = dataset.categories, found.categories
    if given.names == wanted.names:
        return list(wanted.ids)
    ids = dict(zip(wanted.names, wanted.ids, strict=True))
    if not set(given.names) & set(ids):
        raise ValueError(
            f"detections: none of their classes ({some_of(given.names)}) is in the data set ({some_of(ids)})"
        )
    return [ids.get(name) for name in given.names]


def _check(found: Detections, image_id: int) -> None:
    """Raises `ValueError` for a score or box that the engines cannot use."""
    where = f"detections of image id {image_id}"
    if not np.isfinite(found.scores).all():
        raise ValueError(f"{where}: a score is not a finite number")
    wrong = ~np.isfinite(found.boxes).all(axis=1) | (found.boxes[:, 2:] < found.boxes[:, :2]).any(axis=1)
    if wrong.any():
        box = found.boxes[wrong][0].tolist()
        raise ValueError(f"{where}: the box {box} is not finite or has a negative size")


def _corner_and_size(xyxy: np.ndarray) -> np.ndarray:
    """`(n, 4)` float64 x, y, width, height."""
    corners = xyxy.astype(np.float64)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
