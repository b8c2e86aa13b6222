"""COCO's json of boxes and of people."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.squares import PADDING
from keras_cornernet.preprocessing import read_image_size
from keras_cornernet.structures import DetectionDataset, Person, PoseDataset

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
    images = [_image(number, path, sizes[path], root) for path, number in numbers.items()]
    annotations = [
        {"id": i, "image_id": numbers[person.path], "category_id": 1, "iscrowd": 0, **_person(person)}
        for i, person in enumerate(dataset.people, start=1)
    ]
    skeleton = dataset.skeleton
    limbs = [[a + 1, b + 1] for a, b in skeleton.limbs]
    category = {"id": 1, "name": "person", "keypoints": list(skeleton.joints), "skeleton": limbs}
    return {"images": images, "annotations": annotations, "categories": [category]}


def _image(number: int, path: str, size: tuple[int, int] | None, root: str | Path) -> Entry:
    height, width = read_image_size(path) if size is None else size
    return {
        "id": int(number),
        "file_name": files.relative_to(root, path),
        "width": int(width),
        "height": int(height),
    }


def _person(person: Person) -> Entry:
    box = person.box
    if box is None:
        half = person.side / PADDING / 2
        box = np.concatenate([person.center - half, person.center + half])
    points = np.concatenate([person.keypoints, person.visibility[:, None]], axis=1).astype(np.float64)
    points[person.visibility == 0] = 0
    return {
        **_shape(box, person.area),
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
