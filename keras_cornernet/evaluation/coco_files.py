"""COCO evaluation of results on COCO's own files."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from keras_cornernet import files
from keras_cornernet.evaluation.average_precision import (
    Entry,
    average_precision,
    entry,
    found_entry,
    some_of,
)

Result = Mapping[str, Any]


@files.collector_paused()
def evaluate_coco_files(
    annotations: str | Path,
    results: Sequence[Result] | str | Path,
    *,
    image_ids: Iterable[int] | None = None,
    max_detections: int = 100,
    engine: str = "auto",
) -> dict[str, Any]:
    """COCO's 12 numbers for results in COCO's form, on the boxes and areas of a COCO json file.

    As with the COCO evaluators, true boxes of zero size count. True boxes that no evaluator can use (not four
    finite numbers, a negative size, an unknown image or category) are left out; `read_coco` names them.

    Args:
        annotations: the COCO json file.
        results: dicts with `image_id`, `category_id`, `bbox` (x, y, width, height) and `score`, or a
            json file of them, such as the `predictions.json` of the command `predict`.
        image_ids: evaluate on these images alone; None for all in the file.
        max_detections: the number of detections per image that count, at least 11; those of the highest
            scores.
        engine: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`: the first that is installed.

    Returns:
        As `evaluate_detections`.

    Raises:
        ValueError: a file is not of COCO's form, or a result cannot be used (the message names it).
        ImportError: the engine is not installed.
    """
    path = Path(annotations)
    content = cast(
        dict[str, list[Entry]], files.read_json(path, tables=("images", "annotations", "categories"))
    )
    known = set(_ids(content["images"], f"{path}: images"))
    images = known if image_ids is None else set(image_ids)
    if images - known:
        raise ValueError(f"image_ids: {some_of(images - known)} are not images of {path.name}")
    categories = content["categories"]
    ids = _ids(categories, f"{path}: categories")
    names = {id_: str(category.get("name", id_)) for id_, category in zip(ids, categories, strict=True)}
    truth = [row for true in content["annotations"] if (row := _true_entry(true, images, names)) is not None]
    listed = read_results(results)
    for i, result in enumerate(listed):
        reason = _unusable(result, known, set(names), path.name)
        if reason is not None:
            source = "results" if listed is results else Path(str(results)).name
            raise ValueError(f"{source}[{i}]: {reason}")
    found = [found_entry(result) for result in listed if result["image_id"] in images]
    return average_precision(
        sorted(images), names, truth, found, max_detections=max_detections, engine=engine
    )


def _ids(rows: Sequence[Entry], where: str) -> list[int]:
    """The ids of a table's rows."""
    for i, row in enumerate(rows):
        if type(row.get("id")) is not int:
            raise ValueError(f"{where}[{i}] needs a whole number 'id', got {row.get('id')!r}")
    return [row["id"] for row in rows]


def _true_entry(true: Entry, images: Collection[int], categories: Collection[int]) -> Entry | None:
    """An annotation as the engines take it, or None if it cannot be used."""
    image, category, box, area = (true.get(key) for key in ("image_id", "category_id", "bbox", "area"))
    if not _is_id(image, images) or not _is_id(category, categories) or _unusable_box(box) is not None:
        return None
    box = cast(list[float], box)
    area = area if _are_finite([area]) else box[2] * box[3]
    return entry(
        cast(int, image), cast(int, category), box, cast(float, area), crowd=true.get("iscrowd") == 1
    )


def read_results(results: Sequence[Result] | str | Path) -> Sequence[Result]:
    """Results in COCO's form, read from their file if they are one.

    Raises:
        ValueError: the file holds something else than a list.
    """
    if not isinstance(results, str | Path):
        return results
    content = files.read_json(results)
    if not isinstance(content, list):
        raise ValueError(f"{Path(results).name}: expected a list of results, got a {type(content).__name__}")
    return content


def _unusable(result: object, images: set[int], categories: set[int], owner: str) -> str | None:
    """The reason why a result cannot be used, or None."""
    if not isinstance(result, Mapping):
        return f"expected an object, got a {type(result).__name__}"
    for key in ("image_id", "category_id", "bbox", "score"):
        if key not in result:
            return f"the key {key!r} is missing"
    if not _is_id(result["image_id"], images):
        return f"the image id {result['image_id']!r} is not in {owner}"
    if not _is_id(result["category_id"], categories):
        known = some_of(categories)
        return f"the category id {result['category_id']!r} is not in {owner}, which has {known}"
    if not _are_finite([result["score"]]):
        return f"(image id {result['image_id']}) the score {result['score']!r} is not a finite number"
    reason = _unusable_box(result["bbox"])
    return None if reason is None else f"(image id {result['image_id']}) {reason}"


def _unusable_box(box: object) -> str | None:
    box = box.tolist() if isinstance(box, np.ndarray) else box
    if not isinstance(box, list | tuple) or len(box) != 4 or not _are_finite(box):
        return f"bbox {box!r} is not four finite numbers"
    if box[2] < 0 or box[3] < 0:
        return f"bbox {list(box)} has a negative size"
    return None


def _are_finite(values: Iterable[object]) -> bool:
    return all(
        isinstance(v, int | float | np.number) and not isinstance(v, bool) and bool(-1e18 < v < 1e18)
        for v in values
    )


def _is_id(value: object, known: Collection[int]) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and value in known
