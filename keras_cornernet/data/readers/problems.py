"""What can be wrong with an annotated data set, in words: the checks that all readers share."""

import os
import reprlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.structures import DetectionDataset

LARGEST = 1e9  # pixels; beyond it a number is taken for damage


class ImageFolder:
    """The files below a folder; each subfolder is listed once, when a name first asks for it."""

    def __init__(self, root: str | Path):
        """Takes the folder.

        Raises:
            NotADirectoryError: `root` is not a folder.
        """
        self.root = Path(root)
        if not self.root.is_dir():
            raise NotADirectoryError(f"images: {self.root} is not a folder")
        self._listings: dict[str, dict[str, bool]] = {}

    def path(self, name: str) -> str:
        """The file of that name."""
        return os.path.join(self.root, name)

    def fault(self, name: object) -> str | None:
        """What is wrong with a file name that an annotation gave, or None."""
        if not isinstance(name, str) or not name:
            return f"the file name is {name!r}, expected a text"
        folder, base = os.path.split(name)
        try:
            if folder not in self._listings:
                self._listings[folder] = self._list(folder)
            if self._listings[folder].get(base):  # a symbolic link may point out of the folder
                files.inside(self.root, name)
        except ValueError as error:
            return str(error)
        return None if base in self._listings[folder] else self._why_not_listed(name)

    def _list(self, folder: str) -> dict[str, bool]:
        """The regular files of a subfolder, and whether each is a symbolic link."""
        path = files.inside(self.root, folder)
        try:
            with os.scandir(path) as entries:
                return {entry.name: entry.is_symlink() for entry in entries if _is_file(entry)}
        except OSError:
            return {}

    def _why_not_listed(self, name: str) -> str | None:
        path = self.path(name)
        try:
            files.check_is_file(path)
            files.inside(self.root, name)
        except (FileNotFoundError, IsADirectoryError):
            return f"there is no such file in {self.root}"
        except (OSError, ValueError) as error:
            return str(error).removeprefix(f"{path}: ")
        return None  # in a folder that may be entered but not listed


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a symbolic link that leads to itself
        return False


def are_numbers(values: object) -> bool:
    """Whether `values` is a list of finite numbers of a sound magnitude (texts and booleans are not)."""
    return isinstance(values, list) and all(
        (type(v) is float or type(v) is int) and -LARGEST < v < LARGEST for v in values
    )


def size_fault(height: object, width: object) -> str | None:
    """What is wrong with a stated image size, or None; both None means that none is stated."""
    if height is None and width is None:
        return None
    for name, value in (("width", width), ("height", height)):
        if not are_numbers([value]) or value != int(value) or value < 1:
            return f"the {name} {value!r} is not a whole number of at least 1"
    return None


def box_faults(xyxy: np.ndarray, sizes: np.ndarray) -> dict[int, str]:
    """Finds boxes that cannot be used.

    Args:
        xyxy: `(n, 4)` float64, finite, image pixels.
        sizes: `(n, 2)` float64 height and width of each box's image, NaN where not known.

    Returns:
        For each unusable box, by its index: what is wrong with it.
    """
    corners = xyxy.astype(np.float32)  # as stored: a box can be too thin for float32
    found = {}
    for name, low, high in (("width", 0, 2), ("height", 1, 3)):
        for i in np.flatnonzero(corners[:, high] <= corners[:, low]):
            extent = xyxy[i, high] - xyxy[i, low]
            words = f"negative {name} {extent:g}" if extent < 0 else f"zero {name}"
            found.setdefault(int(i), f"bbox has {words}")
    outside = (xyxy[:, 2:] <= 0).any(axis=1) | (xyxy[:, :2] >= sizes[:, ::-1]).any(axis=1)
    for i in np.flatnonzero(outside):
        numbers = ", ".join(f"{v:g}" for v in xyxy[i])
        height, width = sizes[i]
        frame = "" if np.isnan(height) else f" of width {width:g} and height {height:g}"
        found.setdefault(int(i), f"bbox (corners {numbers}) lies entirely outside the image{frame}")
    return found


def shown(value: object) -> str:
    """`value` as a fault quotes it: on one line and never long."""
    return reprlib.repr(value)


def refuse(dataset: DetectionDataset, strict: bool) -> DetectionDataset:
    """The data set itself, unless `strict` and something was wrong.

    Raises:
        ValueError: the first fault.
    """
    if strict and dataset.problems:
        raise ValueError(dataset.problems[0])
    return dataset


def label_table(names: Sequence[str]) -> dict[str, int]:
    """The label of each class name.

    Raises:
        ValueError: a name is not a text or stands twice.
    """
    labels = {}
    for name in names:
        if not isinstance(name, str) or name in labels:
            raise ValueError(f"names: expected different texts, got {name!r} in {shown(list(names))}")
        labels[name] = len(labels)
    return labels
