"""Reads Leeds Sports Poses (LSP) and its extended training set (LSPET)."""

import os
import re
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.checks import LARGEST, raise_if_strict
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.matlab import read_mat
from keras_cornernet.data.readers.squares import square_around
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Person, PoseDataset, Problem

JOINTS = len(LSP.joints)
HALVES = {"train": slice(0, 1000), "val": slice(1000, 2000), "test": slice(1000, 2000), "all": slice(None)}


def read_lsp(
    annotations: str | Path, images: str | Path, *, split: str = "all", strict: bool = False
) -> PoseDataset:
    """Reads a `joints.mat` of either set; the shape of its table shows which it is.

    LSP is `(3, 14, n)` and its third row marks hidden joints; all are annotated. LSPET is `(14, 3, n)` and
    its third column marks annotated joints; the coordinates of the others mean nothing. Coordinates are used
    as
    the file states them: LSPET has joints at exactly 0, and where its images were cut with equal margins,
    the first joint is as far from 0 as the last is from the width, so they do not count from 1.

    The number in an image's name is its row, so that `im00001.jpg` is the first. Where the numbers do not fit
    the rows but there are as many images as rows, images and rows are paired in their order.

    Args:
        annotations: the `joints.mat`.
        images: the folder of the images.
        split: `"train"`, `"val"`, `"test"` or `"all"`. The first 1,000 of the 2,000 people of LSP are for
            training, the others for testing. Any other file is one part by itself and is read whole.
        strict: raise at the first problem.

    Returns:
        One person for each row, cropped by a square of 1.25 times the longer side of the box of all annotated
        joints. Image ids are the rows, from 1. Joints outside of the image are kept.

    Raises:
        ImportError: SciPy is not installed.
        ValueError: no such split, the file is not MATLAB's or its `joints` have another shape, images and
            rows cannot be paired, or `strict` and a problem.
        NotADirectoryError: `images` is not a folder.
    """
    path = Path(annotations)
    if split not in HALVES:
        raise ValueError(f"split: expected one of {', '.join(HALVES)}, got {split!r}")
    table = read_mat(path, "joints")
    xy, visibility, unusable = _joints(table, path)
    folder = ImageFolder(images)
    people, problems = [], []
    is_lsp = isinstance(table, np.ndarray) and table.shape == (3, JOINTS, 2000)
    for row, name in list(enumerate(_names(folder, len(xy), path)))[HALVES[split if is_lsp else "all"]]:
        annotated = xy[row][visibility[row] > 0]
        reason = unusable.get(row) or _unusable(name, annotated, folder)
        if name is None or reason:
            where = f"row {row + 1}" if name is None else f"row {row + 1} (image {name!r})"
            reason = reason or f"there is no image of this number in {folder.root}"
            problems.append(Problem(str(path), where, reason, costs_image=True))
            continue
        center, side = square_around(annotated.min(axis=0), annotated.max(axis=0))
        keypoints = xy[row].astype(np.float32)
        people.append(Person(folder.path(name), row + 1, center, side, keypoints, visibility[row]))
    return raise_if_strict(PoseDataset(tuple(people), LSP, tuple(problems)), strict)


def _unusable(name: str | None, annotated: np.ndarray, folder: ImageFolder) -> str | None:
    """The reason why a row cannot be used, or None."""
    if name is not None and (reason := folder.unusable(name)):
        return reason
    if not len(annotated):
        return "no joint is annotated"
    if not (annotated.max(axis=0) > annotated.min(axis=0)).any():
        return "all annotated joints are at the same point, so that the crop has no size"
    return None


def _joints(values: object, path: Path) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Points `(n, 14, 2)` float64, visibility `(n, 14)` int32, and the reason for each unusable row."""
    is_array = isinstance(values, np.ndarray) and values.dtype.kind in "fiu"
    array = np.asarray(values) if is_array else np.zeros(())
    if array.ndim == 2:  # MATLAB drops a last axis of 1
        array = array[..., None]
    if array.ndim == 3 and array.shape[:2] == (3, JOINTS):
        table, flag_when_hidden = array.transpose(2, 1, 0), True
    elif array.ndim == 3 and array.shape[:2] == (JOINTS, 3):
        table, flag_when_hidden = array.transpose(2, 0, 1), False
    else:
        found = array.shape if is_array else "no array of numbers"
        raise ValueError(
            f"{path}: the field 'joints' should have the shape (3, {JOINTS}, n) of LSP or ({JOINTS}, 3, n) "
            f"of LSPET, got {found}"
        )
    points, flags = table[..., :2].astype(np.float64), table[..., 2]
    visibility = np.where(flags == 1, 1, 2) if flag_when_hidden else np.where(flags == 1, 2, 0)
    unusable: dict[int, str] = {}
    for row, joint in np.argwhere((visibility > 0) & ~(np.abs(points) < LARGEST).all(axis=-1)):
        x, y = points[row, joint]
        unusable[int(row)] = (
            f"joint {joint} ({LSP.joints[joint]}) is at {x:g}, {y:g}, expected finite numbers"
        )
    for row, joint in np.argwhere((flags != 0) & (flags != 1)):
        unusable[int(row)] = (
            f"joint {joint} ({LSP.joints[joint]}) has the flag {flags[row, joint]:g}, not 0 or 1"
        )
    points = np.where(visibility[..., None] > 0, points, 0)
    return points, visibility.astype(np.int32), unusable


def _names(folder: ImageFolder, rows: int, path: Path) -> list[str | None]:
    """The image of each row; None where its number is missing."""
    found = sorted(name for name in os.listdir(folder.root) if name.lower().endswith(files.IMAGE_SUFFIXES))
    digits = [re.search(r"\d+$", Path(name).stem) for name in found]
    numbers = [int(match[0]) if match else 0 for match in digits]
    if found and len(set(numbers)) == len(found) and all(1 <= number <= rows for number in numbers):
        named = dict(zip(numbers, found, strict=True))
        return [named.get(row + 1) for row in range(rows)]
    if len(found) == rows:
        return [*found]
    raise ValueError(
        f"{path}: its {rows} rows cannot be paired with the {len(found)} images in {folder.root}: expected "
        f"names numbered within 1 to {rows}, or as many images as rows"
    )
