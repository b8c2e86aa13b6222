"""Reads people with keypoints from a COCO json file."""

from collections.abc import Container
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.checks import are_numbers, raise_if_strict, shown
from keras_cornernet.data.readers.coco_skeleton import keypoint_categories, skeleton_of
from keras_cornernet.data.readers.coco_tables import UNKNOWN, CocoTables, read_tables
from keras_cornernet.data.readers.squares import square_around
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, PoseDataset, Problem
from keras_cornernet.structures.datasets import PADDING


@files.collector_paused()
def read_coco_people(
    annotations: str | Path,
    images: str | Path,
    *,
    skeleton: Skeleton | None = None,
    padding: float = PADDING,
    strict: bool = False,
) -> PoseDataset:
    """Reads the annotations of the category that defines keypoints, or of all where several define the same.

    What `read_coco` would leave out is left out and named, and so are people whose keypoints cannot be read.
    Crowds and annotations without any annotated keypoint, of which COCO has many, are left out without a
    problem. Coordinates count from 0 and are not changed.

    Args:
        annotations: the json file, such as `person_keypoints_train2017.json`.
        images: the folder that the `file_name`s are relative to; none may lead outside of it.
        skeleton: of the keypoints, or None to find it by their names: a known skeleton with the same names in
            the same order, else one made of the category's `keypoints` and `skeleton`, see `skeleton_of`.
        padding: the side of the square crop as a multiple of the box's longer side.
        strict: raise at the first problem.

    Returns:
        The people in the order of the images, and within an image in the order of the file. `area` is
        the annotation's, or that of the box where it states none.

    Raises:
        ValueError: the file is not COCO json, no category defines keypoints, two define different ones, one
            does so in a way that cannot be read, `skeleton` has another number of joints, or `strict` and a
            problem.
        NotADirectoryError: `images` is not a folder.
    """
    if not are_numbers([padding]) or padding <= 0:
        raise ValueError(f"padding: expected a number above 0, got {padding!r}")
    path = Path(annotations)
    tables = read_tables(path, images)
    categories = keypoint_categories(tables.category_entries, path)
    skeleton = skeleton_of(categories[0], path, skeleton)
    names = {tables.categories.ids.index(entry["id"]): entry["name"] for entry in categories}

    people, unreadable = [], {}
    for row in tables.usable_rows():
        if tables.labels[row] not in names or tables.ignore[row]:
            continue
        try:
            keypoints = _keypoints(tables.entries[row].get("keypoints"), len(skeleton.joints))
        except ValueError as error:
            unreadable[int(row)] = str(error)
            continue
        if (keypoints[:, 2] > 0).any():
            people.append(_person(tables, row, keypoints, padding, names[tables.labels[row]]))
    problems = (*tables.problems, *_problems(tables, names, unreadable))
    return raise_if_strict(PoseDataset(tuple(people), skeleton, problems), strict)


def _problems(tables: CocoTables, posed: Container[int], unreadable: dict[int, str]) -> list[Problem]:
    """Those of all annotations; one costs a person unless its category has no keypoints."""
    reasons = tables.unusable | unreadable
    return [
        tables.problem(
            row, reasons[row], costs_image=tables.labels[row] in posed or tables.labels[row] == UNKNOWN
        )
        for row in sorted(reasons)
    ]


def _keypoints(values: object, count: int) -> np.ndarray:
    """`(count, 3)` float32 x, y, visibility; zeros if an annotation has no keypoints.

    Raises:
        ValueError: the reason why the values cannot be read.
    """
    if values is None or values == []:
        return np.zeros((count, 3), np.float32)
    if not are_numbers(values) or len(values) != 3 * count:
        raise ValueError(f"keypoints {shown(values)} are not {count} triples of finite numbers")
    if not {0, 1, 2}.issuperset(values[2::3]):
        raise ValueError(f"keypoints have a visibility that is not 0, 1 or 2: {shown(values[2::3])}")
    return np.reshape(np.array(values, np.float32), (count, 3))


def _person(tables: CocoTables, row: int, keypoints: np.ndarray, padding: float, category: str) -> Person:
    owner, box = tables.owners[row], tables.xyxy[row]
    center, side = square_around(box[:2], box[2:], padding)
    visibility = keypoints[:, 2].astype(np.int32)
    return Person(
        path=tables.images.paths[owner],
        image_id=tables.images.ids[owner],
        center=center,
        side=side,
        keypoints=np.where(visibility[:, None] > 0, keypoints[:, :2], np.float32(0)),
        visibility=visibility,
        box=box,
        area=_area(tables.entries[row].get("area"), box),
        image_size=tables.images.sizes[owner],
        category=category,
    )


def _area(stated: object, box: np.ndarray) -> float:
    values = [stated]
    if are_numbers(values) and values[0] > 0:
        return float(values[0])
    width, height = (box[2:] - box[:2]).tolist()
    return float(width * height)
