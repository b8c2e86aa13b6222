"""The official file of MPII, `mpii_human_pose_v1_u12_1.mat`."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.data.readers.center_scale import Entry
from keras_cornernet.data.readers.checks import shown
from keras_cornernet.data.readers.matlab import number, read_mat, structs
from keras_cornernet.evaluation.pck import head_size_from_boxes
from keras_cornernet.skeletons import MPII


def mpii_matlab_entries(path: Path, split: str) -> list[Entry]:
    """The people of a split.

    Args:
        path: the file, with a struct `RELEASE` of `annolist` (one element for each image) and `img_train` (1
            or 0).
        split: `"train"`, `"test"` or `"all"`.

    Raises:
        ImportError: SciPy is not installed.
        ValueError: the file is another one.
    """
    release = structs(read_mat(path, "RELEASE"))
    keys = set(release[0]) if len(release) == 1 else set()
    if not {"annolist", "img_train"} <= keys:
        raise ValueError(
            f"{path}: the field 'RELEASE' should be a struct with 'annolist' and 'img_train', it has: "
            f"{', '.join(sorted(keys)) or 'none'}"
        )
    images, marks = structs(release[0]["annolist"]), np.ravel(release[0]["img_train"])
    if len(images) != len(marks):
        raise ValueError(f"{path}: 'annolist' has {len(images)} images, but 'img_train' {len(marks)} flags")
    entries = []
    for index, (image, mark) in enumerate(zip(images, marks, strict=True)):
        train = bool(mark)
        if split != "all" and train != (split == "train"):
            continue
        name = next((holder.get("name") for holder in structs(image.get("image"))), None)
        for i, rect in enumerate(structs(image.get("annorect")), start=1):
            entry = _entry(f"annolist({index + 1}).annorect({i})", name, index, rect, train)
            if entry is not None:
                entries.append(entry)
    return entries


def _entry(where: str, name: object, index: int, rect: dict[str, Any], train: bool) -> Entry | None:
    """One person, or None for someone whom MPII does not use.

    Bystanders of training images have a head box and no joints; people of test images who are not
    evaluated have neither position nor scale.
    """
    points = [point for holder in structs(rect.get("annopoints")) for point in structs(holder.get("point"))]
    position = next(iter(structs(rect.get("objpos"))), None)
    scale = number(rect.get("scale"))
    if not points and (train or (position is None and scale is None)):
        return None
    joints, unusable = _joints(points)
    return Entry(
        where=where,
        name=name,
        image_id=index,
        center=None if position is None else [number(position.get("x")), number(position.get("y"))],
        scale=scale,
        joints=joints if points else None,
        head_size=_head_size(rect),
        labelled=train,
        unusable=unusable,
    )


def _joints(points: list[dict[str, Any]]) -> tuple[list[list[float | None]], str | None]:
    """`x, y, visible` of all joints, zeros where there is no point; and the reason if they cannot be used."""
    joints: list[list[float | None]] = [[0.0, 0.0, 0.0] for _ in MPII.joints]
    for point in points:
        joint = number(point.get("id"))
        if joint is None or not 0 <= joint < len(joints) or joint != int(joint):
            return joints, f"a joint's id {shown(joint)} is not a whole number from 0 to {len(joints) - 1}"
        visible = number(point.get("is_visible"))  # a number, a text, or [] where none is stated
        flag = 1.0 if visible is None else visible
        joints[int(joint)] = [number(point.get("x")), number(point.get("y")), flag]
    return joints, None


def _head_size(rect: dict[str, Any]) -> float | None:
    """The unit of PCKh, or None without a head box."""
    box = [number(rect.get(key)) for key in ("x1", "y1", "x2", "y2")]
    return None if None in box else float(head_size_from_boxes(np.array([box], np.float64))[0])
