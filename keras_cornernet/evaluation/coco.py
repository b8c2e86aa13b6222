"""COCO evaluation of detections, on a `DetectionDataset` or on COCO's own files."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.evaluation.average_precision import average_precision, entry
from keras_cornernet.results import Detections
from keras_cornernet.structures import DetectionDataset


def evaluate_detections(
    dataset: DetectionDataset,
    detections: Sequence[Detections] | Mapping[int, Detections],
    *,
    max_detections: int = 100,
    engine: str = "auto",
) -> dict:
    """COCO's 12 numbers for detections on a data set, its boxes taken as the truth.

    The area of a box is width times height. COCO's own files state the area of the outline instead, so
    that APs, APm and APl of them come from `evaluate_coco_files`.

    Args:
        dataset: the images and their true boxes; `ignore` counts as COCO's `iscrowd`.
        detections: one per image in the order of `dataset.samples`, or by image id (an image that is
            not named has none). Boxes in image pixels.
        max_detections: how many detections per image count, at least 11.
        engine: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`: the first that is installed.

    Returns:
        `AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl` as floats in 0..1, -1 where there is
        nothing to find (with another `max_detections`, that number stands in place of the 100), and
        `per_class`: for each class name `{"AP": ..., "AP50": ...}`.

    Raises:
        ValueError: as `coco_results`.
        ImportError: the engine is not installed.
    """
    categories = dataset.categories
    truth, images = [], []
    for sample in dataset.samples:
        images.append(sample.image_id)
        corners = sample.boxes.xyxy.astype(np.float64)
        sizes = corners[:, 2:] - corners[:, :2]
        for corner, (width, height), label, ignore in zip(
            corners.tolist(), sizes.tolist(), sample.boxes.labels, sample.boxes.ignore, strict=True
        ):
            box = [*corner[:2], width, height]
            truth.append(entry(sample.image_id, categories.ids[label], box, width * height, crowd=ignore))
    results = coco_results(dataset, detections)
    names = dict(zip(categories.ids, categories.names, strict=True))
    found = [_found(result) for result in results]
    return average_precision(images, names, truth, found, max_detections=max_detections, engine=engine)


@files.collector_paused()
def evaluate_coco_files(
    annotations: str | Path,
    results: Sequence[Mapping] | str | Path,
    *,
    image_ids: Iterable[int] | None = None,
    max_detections: int = 100,
    engine: str = "auto",
) -> dict:
    """COCO's 12 numbers for results in COCO's form, with the areas and ids of a COCO json file.

    As with the COCO evaluators, true boxes keep the area that the file states, and those of zero size
    count. True boxes that no evaluator can use (not four finite numbers, a negative size, an unknown
    image or category) are left out; `read_coco` names them.

    Args:
        annotations: the COCO json file.
        results: dicts with `image_id`, `category_id`, `bbox` (x, y, width, height) and `score`, or a
            json file of them.
        image_ids: evaluate on these images alone; None for all in the file.
        max_detections: how many detections per image count, at least 11.
        engine: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`: the first that is installed.

    Returns:
        As `evaluate_detections`.

    Raises:
        ValueError: a file is not of COCO's form, or a result is unusable (names which one and why).
        ImportError: the engine is not installed.
    """
    path = Path(annotations)
    content = files.read_json(path, tables=("images", "annotations", "categories"))
    known = set(_column(content["images"], "id", f"{path}: images"))
    images = known if image_ids is None else set(image_ids)
    if images - known:
        raise ValueError(f"image_ids: {_some(images - known)} are not images of {path.name}")
    ids = _column(content["categories"], "id", f"{path}: categories")
    names = {id_: str(c.get("name", id_)) for id_, c in zip(ids, content["categories"], strict=True)}

    truth = []
    for true in content["annotations"]:
        image, category, box, area = (true.get(k) for k in ("image_id", "category_id", "bbox", "area"))
        if _is_id(image, images) and _is_id(category, names) and _box_fault(box) is None:
            area = area if _are_finite([area]) else box[2] * box[3]
            truth.append(entry(image, category, box, area, crowd=true.get("iscrowd") == 1))

    source = "results"
    if isinstance(results, (str, Path)):
        source, results = Path(results).name, files.read_json(results)
        if not isinstance(results, list):
            raise ValueError(f"{source}: expected a list of results, got a {type(results).__name__}")
    _check_results(results, known, set(names), path.name, source)
    found = [_found(result) for result in results if result["image_id"] in images]
    return average_precision(
        sorted(images), names, truth, found, max_detections=max_detections, engine=engine
    )


def coco_results(
    dataset: DetectionDataset, detections: Sequence[Detections] | Mapping[int, Detections]
) -> list[dict]:
    """Detections in COCO's result form, with the image ids and category ids of a data set.

    Where detections have other classes than the data set, classes are matched by name, and boxes of
    classes that the data set does not have are left out.

    Args:
        dataset: the images and the classes.
        detections: one per image in the order of `dataset.samples`, or by image id.

    Returns:
        Dicts with `image_id`, `category_id`, `bbox` (x, y, width, height, not rounded) and `score`.

    Raises:
        ValueError: detections and images do not match, a box, score or label is unusable, or no class
            name is common.
    """
    results = []
    for image_id, found in _by_image(dataset, detections):
        ids = _category_ids(dataset, found)
        fault = _detections_fault(found)
        if fault:
            raise ValueError(f"detections of image id {image_id}: {fault}")
        corners = found.boxes.astype(np.float64)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        for box, score, label in zip(boxes.tolist(), found.scores.tolist(), found.labels, strict=True):
            if ids[label] is not None:
                results.append({"image_id": image_id, "category_id": ids[label], "bbox": box, "score": score})
    return results


def _by_image(
    dataset: DetectionDataset, detections: Sequence[Detections] | Mapping[int, Detections]
) -> list[tuple[int, Detections]]:
    """The detections with their image ids, in the order of the data set."""
    images = [sample.image_id for sample in dataset.samples]
    if isinstance(detections, Mapping):
        unknown = set(detections) - set(images)
        if unknown:
            raise ValueError(f"detections: the data set has no images with the ids {_some(unknown)}")
        return [(id_, detections[id_]) for id_ in images if id_ in detections]
    if len(detections) != len(images):
        raise ValueError(f"detections: expected one per image, {len(images)}, got {len(detections)}")
    return list(zip(images, detections, strict=True))


def _category_ids(dataset: DetectionDataset, found: Detections) -> list[int | None]:
    """For each label of the detections the data set's category id, None for a class it has not."""
    wanted, given = dataset.categories, found.categories
    if given.names == wanted.names:
        return list(wanted.ids)
    ids = dict(zip(wanted.names, wanted.ids, strict=True))
    if not set(given.names) & set(ids):
        raise ValueError(
            f"detections: none of their classes ({_some(given.names)}) is in the data set ({_some(ids)})"
        )
    return [ids.get(name) for name in given.names]


def _detections_fault(found: Detections) -> str | None:
    if not np.isfinite(found.scores).all():
        return "a score is not a finite number"
    wrong = ~np.isfinite(found.boxes).all(axis=1) | (found.boxes[:, 2:] < found.boxes[:, :2]).any(axis=1)
    if wrong.any():
        return f"the box {found.boxes[wrong][0].tolist()} is not finite or has a negative size"
    return None


def _found(result: Mapping) -> dict:
    box = result["bbox"]
    detection = entry(result["image_id"], result["category_id"], box, box[2] * box[3])
    return detection | {"score": float(result["score"])}


def _check_results(
    results: Iterable, images: set[int], categories: set[int], owner: str, source: str
) -> None:
    """Raises a `ValueError` that names the first unusable result."""
    for place, result in enumerate(results):
        fault = _result_fault(result, images, categories, owner)
        if fault:
            raise ValueError(f"{source}[{place}]: {fault}")


def _result_fault(result: object, images: set[int], categories: set[int], owner: str) -> str | None:
    if not isinstance(result, Mapping):
        return f"expected an object, got a {type(result).__name__}"
    for key in ("image_id", "category_id", "bbox", "score"):
        if key not in result:
            return f"the key {key!r} is missing"
    if not _is_id(result["image_id"], images):
        return f"the image id {result['image_id']!r} is not in {owner}"
    if not _is_id(result["category_id"], categories):
        known = _some(categories)
        return f"the category id {result['category_id']!r} is not in {owner}, which has {known}"
    if not _are_finite([result["score"]]):
        return f"(image id {result['image_id']}) the score {result['score']!r} is not a finite number"
    fault = _box_fault(result["bbox"])
    return fault and f"(image id {result['image_id']}) {fault}"


def _box_fault(box: object) -> str | None:
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not _are_finite(box):
        return f"bbox {box!r} is not four finite numbers"
    if box[2] < 0 or box[3] < 0:
        return f"bbox {list(box)} has a negative size"
    return None


def _are_finite(values: Iterable) -> bool:
    return all(
        isinstance(v, (int, float, np.number)) and not isinstance(v, bool) and -1e18 < v < 1e18
        for v in values
    )


def _is_id(value: object, known: Iterable[int]) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value in known


def _column(entries: list[dict], key: str, place: str) -> list[int]:
    """The ids of a table."""
    for i, row in enumerate(entries):
        if type(row.get(key)) is not int:
            raise ValueError(f"{place}[{i}] needs a whole number {key!r}, got {row.get(key)!r}")
    return [row[key] for row in entries]


def _some(values: Iterable) -> str:
    """A few of many values, for a message."""
    values = list(values)
    with contextlib.suppress(TypeError):
        values.sort()
    return ", ".join(map(str, values[:10])) + (" .." if len(values) > 10 else "")
