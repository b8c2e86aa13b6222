"""COCO's json of boxes and of people."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.writers.layout import WrittenSet
from keras_cornernet.preprocessing import read_image_size
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import DetectionDataset, Person, PoseDataset

PERSON = "person"  # the category of people, where a data set does not say another
DIGITS = 2  # of coordinates
Entry = dict[str, Any]


def coco_of_boxes(dataset: DetectionDataset, root: str | Path) -> Entry:
    """The content of a COCO file with the boxes of a data set.

    Ignored boxes have `iscrowd` 1. That some classes are not labelled on some images cannot be said in the
    form and is lost.

    Args:
        dataset: what a reader returned.
        root: the folder that file names are relative to.

    Returns:
        `images`, `annotations`, `categories`.

    Raises:
        ValueError: an image lies outside of `root`.
        OSError: an image whose size is not known cannot be read.
    """
    numbers = itertools.count(1)
    images, annotations = [], []
    for sample in dataset.samples:
        images.append(_image(sample.image_id, sample.path, sample.size, root))
        boxes = sample.boxes
        for row in range(len(boxes)):
            shape = _shape(boxes.xyxy[row], None if boxes.areas is None else float(boxes.areas[row]))
            annotations.append(
                {
                    "id": next(numbers),
                    "image_id": int(sample.image_id),
                    "category_id": int(dataset.categories.ids[int(boxes.labels[row])]),
                    **shape,
                    "iscrowd": int(boxes.ignore[row]),
                }
            )
    pairs = zip(dataset.categories.ids, dataset.categories.names, strict=True)
    categories = [{"id": int(id_), "name": name} for id_, name in pairs]
    return {"images": images, "annotations": annotations, "categories": categories}


def coco_of_people(dataset: PoseDataset, root: str | Path) -> Entry:
    """The content of a COCO file with the people of a data set and their joints.

    A person without a box gets one that gives the same square when it is read with the usual padding.

    Args:
        dataset, root: see `coco_of_boxes`.
    """
    numbers: dict[str, int] = {}
    sizes: dict[str, tuple[int, int] | None] = {}
    for person in dataset.people:
        numbers.setdefault(person.path, len(numbers) + 1)
        sizes.setdefault(person.path, person.image_size)
    names = list(dict.fromkeys(person.category or PERSON for person in dataset.people)) or [PERSON]
    ids = {name: i for i, name in enumerate(names, start=1)}
    images = [_image(number, path, sizes[path], root) for path, number in numbers.items()]
    annotations = [
        {
            "id": i,
            "image_id": numbers[person.path],
            "category_id": ids[person.category or PERSON],
            "iscrowd": 0,
            **_person(person),
        }
        for i, person in enumerate(dataset.people, start=1)
    ]
    categories = [{**person_category(dataset.skeleton), "id": i, "name": name} for name, i in ids.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def person_category(skeleton: Skeleton) -> Entry:
    """COCO's category of people with these joints; it counts joints from 1."""
    limbs = [[a + 1, b + 1] for a, b in skeleton.limbs]
    return {"id": 1, "name": PERSON, "keypoints": list(skeleton.joints), "skeleton": limbs}


def coco_files_of_boxes(parts: Mapping[str, DetectionDataset], names: Mapping[str, str]) -> WrittenSet:
    """The files of data sets with boxes, see `coco_of_boxes`.

    Args:
        parts: the data sets by part.
        names: of the image files, by their paths.
    """
    return _files(parts, names, coco_of_boxes, "instances")


def coco_files_of_people(parts: Mapping[str, PoseDataset], names: Mapping[str, str]) -> WrittenSet:
    """The files of data sets of people, see `coco_of_people`.

    Args:
        parts, names: see `coco_files_of_boxes`.
    """
    return _files(parts, names, coco_of_people, "person_keypoints")


def _files(
    parts: Mapping[str, Any], names: Mapping[str, str], content_of: Callable[..., Entry], prefix: str
) -> WrittenSet:
    texts = {}
    for part, dataset in parts.items():
        root = files.common_folder(dataset.paths)
        content = content_of(dataset, root)
        for entry in content["images"]:
            entry["file_name"] = names[str(root / entry["file_name"])]
        texts[f"{prefix}_{part}.json"] = json.dumps(content)
    return WrittenSet({part: part for part in parts}, texts)


def _image(number: int, path: str, size: tuple[int, int] | None, root: str | Path) -> Entry:
    height, width = read_image_size(path) if size is None else size
    return {
        "id": int(number),
        "file_name": files.relative_to(root, path),
        "width": int(width),
        "height": int(height),
    }


def _person(person: Person) -> Entry:
    points = np.concatenate([person.keypoints, person.visibility[:, None]], axis=1).astype(np.float64)
    points[person.visibility == 0] = 0
    return {
        **_shape(person.annotated_box, person.area),
        "keypoints": list(_rounded(points.ravel())),
        "num_keypoints": int((person.visibility > 0).sum()),
    }


def _shape(xyxy: np.ndarray, area: float | None) -> Entry:
    x1, y1, x2, y2 = np.asarray(xyxy, np.float64).tolist()
    box = list(_rounded((x1, y1, x2 - x1, y2 - y1)))
    return {"bbox": box, "area": round(box[2] * box[3] if area is None else area, DIGITS)}


def _rounded(values: Any) -> Iterator[float | int]:
    """Numbers of so many digits, whole ones without a point."""
    for value in values:
        rounded = round(float(value), DIGITS)
        yield int(rounded) if rounded == int(rounded) else rounded
