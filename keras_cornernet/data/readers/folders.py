"""Finds what a folder of data holds: its parts for training and validation, and their format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from keras_cornernet.checks import check_choice
from keras_cornernet.data.readers.table import READERS, read_dataset

# The names that parts have in the folders of data sets.
PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation")}


class FoundPart(NamedTuple):
    """One part of a data set on disk.

    Attributes:
        annotations: the file of labels.
        images: the folder of the images.
        format: of the annotations, a key of `READERS`.
    """

    annotations: Path
    images: Path
    format: str


def read_folder(folder: str | Path, task: str = "detection", part: str = "train", **options: Any) -> Any:
    """Reads one part of a folder of data, whose format and layout are found.

    Args:
        folder: see `find_part`.
        task: `"detection"` or `"pose"`.
        part: `"train"` or `"val"`.
        options: further arguments of the reader, such as `strict`.

    Returns:
        What the reader returns, or None if the folder has no such part.

    Raises:
        ValueError: as `find_part`, or the reader's own.

    Example:
        >>> read_folder("voc_animals", part="val")  # doctest: +SKIP
    """
    found = find_part(folder, task, part)
    if found is None:
        return None
    return read_dataset(READERS[task], *found, part=part, **options)


def find_part(folder: str | Path, task: str, part: str) -> FoundPart | None:
    """Finds the training or the validation part of a folder of data.

    Known layouts, with `PART` one of `train`, `val` and their usual spellings:

    - COCO: `instances_PART*.json` (for poses `*keypoints_PART*.json`) in the folder or in its `annotations`,
      with the images in `PART*`, `images/PART*` or `images`;
    - LSP: `PART/joints.mat` with `PART/images`.

    Args:
        folder: of the data set.
        task: whose formats are looked for, a key of `FINDERS`.
        part: `"train"` or `"val"`.

    Returns:
        The part, or None if the folder has only the other one.

    Raises:
        ValueError: there is no such folder, nothing in it is of a known layout, or there are several files
            of labels for the part.
    """
    check_choice("part", part, PARTS)
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"data: there is no folder {root}")
    found = next(_candidates(root, task, PARTS[part]), None)
    if found is None and not any(next(_candidates(root, task, names), None) for names in PARTS.values()):
        raise ValueError(
            f"data: {root} is of no known layout; expected instances_train.json (poses: "
            "*keypoints_train.json) beside train/ or in annotations/ (COCO), or train/joints.mat with "
            "train/images/ (LSP)"
        )
    return found


def formats_of_folder(folder: str | Path) -> dict[str, str]:
    """The format that each task finds in a folder of data, by its name; tasks that find nothing are left out.

    Raises:
        ValueError: as `find_part`.
    """
    root, found = Path(folder), {}
    for task in FINDERS:
        parts = (next(_candidates(root, task, names), None) for names in PARTS.values())
        part = next((part for part in parts if part is not None), None)
        if part is not None:
            found[task] = part.format
    return found


def _candidates(root: Path, task: str, names: Sequence[str]) -> Iterator[FoundPart]:
    """What the formats of a task find of a part, by the order of `FINDERS`."""
    for format_, finder in FINDERS[task].items():
        for name in names:
            found = finder(root, name)
            if found is not None:
                yield FoundPart(*found, format_)


def _find_coco(root: Path, name: str, *, patterns: Sequence[str]) -> tuple[Path, Path] | None:
    """A json file with the name of the part in it, and the folder of its images."""
    for pattern in patterns:
        places = (root, root / "annotations")
        found = [path for place in places for path in sorted(place.glob(pattern.format(name)))]
        if len(found) > 1:
            listed = ", ".join(str(path.relative_to(root)) for path in found)
            raise ValueError(
                f"data: {root} has several files of labels for {name} ({listed}): choose one with "
                "--annotations and --images"
            )
        if found:
            return found[0], _coco_images(root, found[0], name)
    return None


def _coco_images(root: Path, annotations: Path, name: str) -> Path:
    """The folder of the images that belong to `.._NAME*.json`."""
    full = annotations.stem[annotations.stem.rindex(name) :]  # such as train2017
    images = root / "images"
    for folder in (root / full, images / full, root / name, images / name, images):
        if folder.is_dir():
            return folder
    raise ValueError(f"data: {annotations} has no folder of images: expected {root / full} or {images}")


def _find_lsp(root: Path, name: str) -> tuple[Path, Path] | None:
    """A table of joints and the folder of images beside it."""
    annotations, images = root / name / "joints.mat", root / name / "images"
    if not annotations.is_file():
        return None
    if not images.is_dir():
        raise ValueError(f"data: {annotations} has no folder of images: expected {images}")
    return annotations, images


BOXES, KEYPOINTS = "instances_{}*.json", "*keypoints_{}*.json"
FINDERS: dict[str, Mapping[str, Callable[[Path, str], tuple[Path, Path] | None]]] = {
    "detection": {"coco": partial(_find_coco, patterns=(BOXES, KEYPOINTS)), "lsp": _find_lsp},
    "pose": {"coco": partial(_find_coco, patterns=(KEYPOINTS,)), "lsp": _find_lsp},
}
"""For each task and format the function that finds a part in a folder."""
