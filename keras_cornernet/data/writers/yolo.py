"""YOLO's text files of boxes and of people."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_cornernet.data.writers.layout import WrittenSet
from keras_cornernet.preprocessing import Size, read_image_size
from keras_cornernet.structures import DetectionDataset, Person, PoseDataset

DIGITS = 6  # of fractions


def yolo_of_boxes(parts: Mapping[str, DetectionDataset], names: Mapping[str, str]) -> WrittenSet:
    """The files of data sets with boxes; ignored boxes, which the form does not know, are left out.

    Args:
        parts: the data sets by part, with the same classes.
        names: of the image files, by their paths.
    """
    texts: dict[str, str] = {}
    for part, dataset in parts.items():
        for sample in dataset.samples:
            size = sample.size or read_image_size(sample.path)
            boxes = sample.boxes
            kept = np.flatnonzero(~boxes.ignore)
            lines = [_line(int(boxes.labels[i]), _box(boxes.xyxy[i], size)) for i in kept]
            texts[_label_file(part, names[sample.path])] = "".join(lines)
    classes = next(iter(parts.values())).names
    return _described(parts, texts, {"names": dict(enumerate(classes))})


def yolo_of_people(parts: Mapping[str, PoseDataset], names: Mapping[str, str]) -> WrittenSet:
    """The files of data sets of people, with `x y visibility` for each joint.

    Args:
        parts: the data sets by part, with the same joints.
        names: see `yolo_of_boxes`.
    """
    texts: dict[str, str] = {}
    for part, dataset in parts.items():
        for person in dataset.people:
            file = _label_file(part, names[person.path])
            texts[file] = texts.get(file, "") + _person(person)
    skeleton = next(iter(parts.values())).skeleton
    mirrored = list(range(len(skeleton.joints)))
    for a, b in skeleton.flip_pairs:
        mirrored[a], mirrored[b] = b, a
    joints = {"kpt_shape": [len(mirrored), 3], "flip_idx": mirrored, "kpt_names": {0: list(skeleton.joints)}}
    return _described(parts, texts, {"names": {0: "person"}, **joints})


def _label_file(part: str, name: str) -> str:
    return f"labels/{part}/{name.rpartition('.')[0]}.txt"


def _described(parts: Mapping[str, Any], texts: dict[str, str], content: Mapping[str, Any]) -> WrittenSet:
    """With `data.yaml`; json is yaml too."""
    folders = {part: f"images/{part}" for part in parts}
    given = {**folders, **content}
    lines = []
    for key, value in given.items():
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {number}: {json.dumps(name, ensure_ascii=False)}" for number, name in value.items()]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return WrittenSet(folders, {**texts, "data.yaml": "\n".join([*lines, ""])})


def _line(label: int, numbers: Sequence[float], more: Sequence[str] = ()) -> str:
    return " ".join([str(label), *(f"{value:.{DIGITS}f}" for value in numbers), *more]) + "\n"


def _box(xyxy: np.ndarray, size: Size) -> list[float]:
    """Centre, width and height of the part inside the image, as fractions."""
    height, width = size
    x1, y1, x2, y2 = np.clip(np.asarray(xyxy, np.float64) / [width, height, width, height], 0, 1).tolist()
    return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]


def _person(person: Person) -> str:
    height, width = size = person.image_size or read_image_size(person.path)
    box = person.annotated_box
    joints = []
    for (x, y), seen in zip(person.keypoints.tolist(), person.visibility.tolist(), strict=True):
        joints += [f"{x / width:.{DIGITS}f} {y / height:.{DIGITS}f} {seen}" if seen else "0 0 0"]
    return _line(0, _box(box, size), joints)
