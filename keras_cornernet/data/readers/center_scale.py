"""People whose crop is stated as a centre and a scale, as in the files of MPII and FLIC."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from keras_cornernet.data.readers.problems import ImageFolder, are_numbers, shown
from keras_cornernet.data.readers.squares import mpii_square
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person


class Entry(NamedTuple):
    """One person as the file states it, not yet checked; pixels count from 1.

    Attributes:
        place: the words that lead a reader to it, such as `row 3`.
        name: the image's file name.
        image_id: the data set's own id of the image.
        center: a list of x and y, or None.
        scale: in units of 200 pixels, or None.
        joints: one `[x, y, visible flag]` per joint, or None.
        head_size: 0.6 of the head box's diagonal, pixels, or None.
        labelled: False for someone of a test set, whose joints were not published.
        fault: what its reader found wrong, or None.
    """

    place: str
    name: object
    image_id: int
    center: list | None
    scale: float | None
    joints: list | None
    head_size: float | None = None
    labelled: bool = True
    fault: str | None = None


def people_of(
    entries: Iterable[Entry], folder: ImageFolder, skeleton: Skeleton, *, adjusted: bool
) -> tuple[list[Person], list[str]]:
    """Checks entries and turns them into people, in pixels that count from 0.

    Args:
        entries: the people of a file.
        folder: the images.
        skeleton: of the joints.
        adjusted: centre and scale hold the shift of `mpii_square` already.

    Returns:
        The sound people in their order, and a sentence on each of the others.
    """
    people, problems = [], []
    for entry in entries:
        fault = entry.fault or _fault(entry, folder, skeleton)
        joints = np.zeros((len(skeleton.joints), 3))
        if not fault and entry.joints is not None:
            joints = np.array(entry.joints, np.float64)
        visibility = _visibility(joints)
        if not fault and entry.labelled and not visibility.any():
            fault = "has no annotated joint"
        if fault:
            problems.append(f"{entry.place} (image {entry.name!r}): {fault}")
            continue
        center, side = mpii_square(entry.center, entry.scale, adjusted=adjusted)
        xy = np.where(visibility[:, None] > 0, joints[:, :2] - 1, 0).astype(np.float32)
        head = entry.head_size if are_numbers([entry.head_size]) and entry.head_size > 0 else None
        path = folder.path(entry.name)
        people.append(Person(path, entry.image_id, center, side, xy, visibility, head_size=head))
    return people, problems


def _fault(entry: Entry, folder: ImageFolder, skeleton: Skeleton) -> str | None:
    """What is wrong with a person, or None."""
    fault = folder.fault(entry.name)
    if fault:
        return fault
    if not are_numbers(entry.center) or len(entry.center) != 2:
        return f"the centre {shown(entry.center)} is not two finite numbers"
    if not are_numbers([entry.scale]) or entry.scale <= 0:
        return f"the scale {shown(entry.scale)} is not a number above 0"
    if entry.joints is None:
        return "the joints are missing" if entry.labelled else None
    if not isinstance(entry.joints, list) or len(entry.joints) != len(skeleton.joints):
        return f"the joints {shown(entry.joints)} are not a list of {len(skeleton.joints)}"
    for place, (joint, name) in enumerate(zip(entry.joints, skeleton.joints, strict=True)):
        if not are_numbers(joint) or len(joint) != 3:
            return f"joint {place} ({name}): {shown(joint)} is not three finite numbers x, y, visible"
    return None


def _visibility(joints: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for each row of x, y and flag.

    Pixels count from 1, so 0, 0 and -1, -1 are no place in an image: files put them where a joint was not
    annotated. A flag of 0 beside a true place says that the joint is hidden.
    """
    hidden = joints[:, 2] <= 0
    absent = hidden & (joints[:, :2] <= 0).all(axis=1)
    return np.where(absent, 0, np.where(hidden, 1, 2)).astype(np.int32)
