"""Labels for one's own images, made by a model: a COCO file to train with or to correct by hand."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files
from keras_cornernet.checks import check_number
from keras_cornernet.data.writers.coco import person_category
from keras_cornernet.results.poses import KEYPOINT_DRAWN_FROM
from keras_cornernet.structures.boxes import overlaps
from keras_cornernet.tasks.task import Prediction

SAME = 0.5  # intersection over union from which two boxes of a class are one object
Entry = dict[str, Any]
OnError = Callable[[str, Exception], None]


def label_images(
    plan: Prediction,
    paths: Iterable[str | Path],
    root: str | Path,
    *,
    min_score: float = 0.5,
    unsure: float | None = None,
    classes: Sequence[str] = (),
    on_error: OnError | None = None,
) -> dict[str, list[Entry]]:
    """Labels images with what a model finds on them.

    Args:
        plan, paths, root, min_score, unsure, classes, on_error: see `label_rows`.

    Returns:
        The content of a COCO file: `images`, `annotations` (each with its `score`) and `categories`. People
        with joints have `keypoints`, those below a score of 0.2 without place.

    Raises:
        ValueError: see `label_rows`.
    """
    options: Any = {"min_score": min_score, "unsure": unsure, "classes": classes, "on_error": on_error}
    rows = list(label_rows(plan, paths, root, **options))
    return {name: list(table) for name, table in coco_tables(lambda: rows, plan, classes).items()}


def label_rows(
    plan: Prediction,
    paths: Iterable[str | Path],
    root: str | Path,
    *,
    min_score: float = 0.5,
    unsure: float | None = None,
    classes: Sequence[str] = (),
    on_error: OnError | None = None,
) -> Iterator[Entry]:
    """Labels images one after the other.

    Args:
        plan: the model and its options, of `Task.prediction`; it must give objects down to `unsure`.
        paths: the images.
        root: the folder that file names are relative to.
        min_score: objects from this score on become labels.
        unsure: those below `min_score` and from this score on become crowds (`iscrowd` 1), which training
            neither rewards nor punishes, unless they overlap a label of their class; None takes half of
            `min_score`.
        classes: names of those that are labelled; none: all.
        on_error: called with path and error for an image that cannot be read, which is then left out; None
            raises the error.

    Yields:
        `path`, `file_name`, `width`, `height` and `annotations` of each image, without ids.

    Raises:
        ValueError: a score is out of range, a class is none of the model's, or a path lies outside of `root`.
    """
    check_number("min_score", min_score, above=0, below=1)
    unsure = min_score / 2 if unsure is None else unsure
    check_number("unsure", unsure, at_least=0)
    if unsure > min_score:
        raise ValueError(f"unsure must be at most min_score = {min_score}, not {unsure}")
    ids = {category["id"] for category in wanted_categories(plan, classes)}
    for path in paths:
        name = files.relative_to(root, path)
        try:
            (found,) = plan.model.stream(str(path), **plan.all_options)
        except OSError as error:
            if on_error is None:
                raise
            on_error(str(path), error)
            continue
        height, width = found.image.shape[:2]
        entries = [entry for entry in _entries(found, 0, min_score, unsure) if entry["category_id"] in ids]
        yield {
            "path": str(path),
            "file_name": name,
            "width": width,
            "height": height,
            "annotations": [{k: v for k, v in entry.items() if k != "image_id"} for entry in entries],
        }


def coco_tables(
    rows: Callable[[], Iterable[Mapping[str, Any]]], plan: Prediction, classes: Sequence[str] = ()
) -> dict[str, Iterable[Entry]]:
    """The tables of a COCO file, one entry at a time.

    Args:
        rows: gives what `label_rows` gave, each time from the beginning.
        plan, classes: see `label_rows`.
    """

    def images() -> Iterator[Entry]:
        for number, row in enumerate(rows(), start=1):
            yield {"id": number, **{key: row[key] for key in ("file_name", "width", "height")}}

    def annotations() -> Iterator[Entry]:
        ids = count(1)
        for number, row in enumerate(rows(), start=1):
            for entry in row["annotations"]:
                yield {"id": next(ids), "image_id": number, **entry}

    tables = {"images": images(), "annotations": annotations()}
    return {**tables, "categories": wanted_categories(plan, classes)}


def wanted_categories(plan: Prediction, classes: Sequence[str]) -> list[Entry]:
    """COCO's table of the classes that are labelled.

    Raises:
        ValueError: a class is none of the model's.
    """
    categories = _categories(plan.model)
    names = {category["name"] for category in categories}
    if strange := [name for name in classes if name not in names]:
        raise ValueError(
            f"classes: the model has none called {strange[0]!r}, only {', '.join(sorted(names))}"
        )
    return [category for category in categories if not classes or category["name"] in classes]


def _entries(found: Any, image_id: int, min_score: float, unsure: float) -> list[Entry]:
    """The annotations of one image, best first."""
    found = found[found.scores >= unsure]
    if not len(found):
        return []
    sure = found.scores >= min_score
    rows = found.to_coco(image_id)
    kinds = np.array([row["category_id"] for row in rows])
    same = (overlaps(found.boxes, found.boxes) >= SAME) & (kinds[:, None] == kinds)
    kept = sure | ~(same & sure[None]).any(axis=1)
    entries = []
    for i in np.flatnonzero(kept):
        x1, y1, x2, y2 = (round(float(value), 2) for value in found.boxes[i])
        box = [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)]
        if min(box[2:]) <= 0:  # nothing to be seen, and no reader would take it
            continue
        shape = {"bbox": box, "area": round(box[2] * box[3], 2), "iscrowd": int(not sure[i])}
        entries.append({**rows[i], **shape, **_joints(rows[i])})
    return entries


def _joints(row: Entry) -> Entry:
    """COCO's triples of x, y and visibility, for those that have joints."""
    if "keypoints" not in row:
        return {}
    triples = np.reshape(row["keypoints"], (-1, 3))
    seen = triples[:, 2] >= KEYPOINT_DRAWN_FROM
    triples = np.where(seen[:, None], np.stack([*triples[:, :2].T, np.full(len(seen), 2.0)], axis=1), 0.0)
    return {"keypoints": triples.reshape(-1).tolist(), "num_keypoints": int(seen.sum())}


def _categories(model: Any) -> list[Entry]:
    """COCO's table of what a model finds."""
    if hasattr(model, "skeleton"):
        return [person_category(model.skeleton)]
    pairs = zip(model.categories.ids, model.categories.names, strict=True)
    return [{"id": int(id_), "name": name} for id_, name in pairs]
