"""People whose crop is stated as a centre and a scale, as in the files of MPII and FLIC."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.data.readers.checks import are_numbers, shown
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.squares import mpii_square
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, Problem


@dataclass(frozen=True)
class Entry:
    """One person as the file states it, not yet checked; pixels count from 1.

    Attributes:
        where: the position in the file, such as `row 3`.
        name: the image's file name.
        image_id: the data set's own id of the image.
        center: a list of x and y, or None.
        scale: in units of 200 pixels, or None.
        joints: one `[x, y, visible flag]` for each joint, or None.
        head_size: 0.6 of the head box's diagonal, pixels, or None.
        labelled: False for someone of a test set, whose joints were not published.
        unusable: the reason that the file's reader found, or None.
    """

    where: str
    name: Any
    image_id: int
    center: Any
    scale: Any
    joints: Any
    head_size: float | None = None
    labelled: bool = True
    unusable: str | None = None


def people_of(
    entries: Iterable[Entry], path: Path, folder: ImageFolder, skeleton: Skeleton, *, adjusted: bool
) -> tuple[tuple[Person, ...], tuple[Problem, ...]]:
    """Checks entries and turns them into people, in pixels that count from 0.

    Args:
        entries: the people of a file.
        path: the file.
        folder: the images.
        skeleton: of the joints.
        adjusted: whether centre and scale have been adjusted as in `mpii_square`.

    Returns:
        The people who can be used, in their order, and the problems of the others.
    """
    people, problems = [], []
    for entry in entries:
        reason = entry.unusable or _unusable(entry, folder, skeleton)
        if reason is None:
            people.append(_person(entry, folder, skeleton, adjusted))
        else:
            where = f"{entry.where} (image {entry.name!r})"
            problems.append(Problem(str(path), where, reason, costs_image=True))
    return tuple(people), tuple(problems)


def _unusable(entry: Entry, folder: ImageFolder, skeleton: Skeleton) -> str | None:
    """The reason why a person cannot be used, or None."""
    reason = folder.unusable(entry.name)
    if reason:
        return reason
    if not are_numbers(entry.center) or len(entry.center) != 2:
        return f"the centre {shown(entry.center)} is not two finite numbers"
    if entry.center[0] == entry.center[1] == -1:
        return "the centre is missing (-1, -1)"
    if not are_numbers([entry.scale]) or entry.scale <= 0:
        return f"the scale {shown(entry.scale)} is not a number above 0"
    if entry.joints is None:
        return "the joints are missing" if entry.labelled else None
    if not isinstance(entry.joints, list) or len(entry.joints) != len(skeleton.joints):
        return f"the joints {shown(entry.joints)} are not a list of {len(skeleton.joints)}"
    for i, (joint, name) in enumerate(zip(entry.joints, skeleton.joints, strict=True)):
        if not are_numbers(joint) or len(joint) != 3:
            return f"joint {i} ({name}): {shown(joint)} is not three finite numbers x, y, visible"
    if entry.labelled and not _visibility(np.array(entry.joints, np.float64)).any():
        return "no joint is annotated"
    return None


def _person(entry: Entry, folder: ImageFolder, skeleton: Skeleton, adjusted: bool) -> Person:
    joints = np.zeros((len(skeleton.joints), 3))
    if entry.joints is not None:
        joints = np.array(entry.joints, np.float64)
    visibility = _visibility(joints)
    center, side = mpii_square(entry.center, entry.scale, adjusted=adjusted)
    keypoints = np.where(visibility[:, None] > 0, joints[:, :2] - 1, 0).astype(np.float32)
    head = entry.head_size
    if head is None or not are_numbers([head]) or head <= 0:
        head = None
    path = folder.path(entry.name)
    return Person(path, entry.image_id, center, side, keypoints, visibility, head_size=head)


def _visibility(joints: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for each row of x, y and flag.

    Pixels count from 1, so 0, 0 and -1, -1 are no position in an image: files put them where a joint was not
    annotated. A flag of 0 beside a position in the image says that the joint is hidden.
    """
    hidden = joints[:, 2] <= 0
    absent = hidden & (joints[:, :2] <= 0).all(axis=1)
    return np.where(absent, 0, np.where(hidden, 1, 2)).astype(np.int32)
