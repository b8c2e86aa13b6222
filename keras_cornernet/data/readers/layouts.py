"""How tools lay out data sets on disk: for each format the functions that find its files in a folder."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from keras_cornernet import files
from keras_cornernet.data.readers.csv_boxes import has_csv_part
from keras_cornernet.data.readers.formats import detect_format
from keras_cornernet.data.readers.table import Reader, read_annotations
from keras_cornernet.data.readers.yolo_set import has_part, has_people, part_exists, read_yaml

log = logging.getLogger(__name__)
IMAGE_FOLDERS = ("images", "images/default", "images/train", "JPEGImages", "data", ".")
WHOLE = ("default", "all")  # how a set without parts is called


# The names that parts have in the folders of data sets.
PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation")}


def _part_called(name: str) -> str:
    return next(part for part, names in PARTS.items() if name in names)


class FoundPart(NamedTuple):
    """One part of a data set on disk.

    Attributes:
        annotations: the file or folder of labels.
        images: the folder of the images.
        format: of the annotations, a key of `READERS`.
        options: further arguments of the reader.
    """

    annotations: Path
    images: Path
    format: str
    options: Mapping[str, Any] = {}

    def read(self, readers: Mapping[str, Reader], *, part: str, **options: Any) -> Any:
        """Reads it; see `read_annotations`."""
        given = {name: value for name, value in options.items() if value is not None}
        return read_annotations(
            readers, self.annotations, self.images, self.format, part=part, **{**self.options, **given}
        )


class Layout(NamedTuple):
    """What finds a format.

    Attributes:
        part: of a folder and the name of a part; None where that part is not there.
        whole: of a folder whose set has no parts.
    """

    part: Callable[[Path, str], FoundPart | None]
    whole: Callable[[Path], FoundPart | None]


def _only(root: Path, paths: Sequence[Path], what: str) -> Path | None:
    """The one path; None where there is none."""
    if len(paths) > 1:
        listed = ", ".join(str(path.relative_to(root)) for path in paths[:4])
        raise ValueError(
            f"data: {root} has several files of labels for {what} ({listed}): choose one with --annotations "
            "and --images"
        )
    return paths[0] if paths else None


def _images_beside(annotations: Path, root: Path) -> Path:
    """Where the images of a file lie: in a folder of a usual name that holds some, below or beside it."""
    for start in (annotations.parent, root):
        for name in IMAGE_FOLDERS:
            folder = start / name
            if folder.is_dir() and any(
                path.suffix.lower() in files.IMAGE_SUFFIXES for path in folder.iterdir()
            ):
                return folder
    return next((root / name for name in IMAGE_FOLDERS if (root / name).is_dir()), root)


# COCO: its own names, Roboflow's, CVAT's and Label Studio's.


def _coco_part(root: Path, name: str, *, patterns: Sequence[str], posed: bool) -> FoundPart | None:
    for pattern in patterns:
        places = (root, root / "annotations")
        found = [path for place in places for path in sorted(place.glob(pattern.format(name)))]
        path = _only(root, found, name)
        if path is not None:
            return FoundPart(path, _coco_images(root, path, name), "coco")
    roboflow = root / name / "_annotations.coco.json"
    if roboflow.is_file() and (not posed or _has_keypoints(roboflow)):
        return FoundPart(roboflow, roboflow.parent, "coco")
    return None


def _coco_images(root: Path, annotations: Path, name: str) -> Path:
    """The folder of the images that belong to `.._NAME*.json`."""
    full = annotations.stem[annotations.stem.rindex(name) :]  # such as train2017
    images = root / "images"
    for folder in (root / full, images / full, root / name, images / name, images):
        if folder.is_dir():
            return folder
    raise ValueError(f"data: {annotations} has no folder of images: expected {root / full} or {images}")


def _coco_whole(root: Path, *, posed: bool) -> FoundPart | None:
    places = (root, root / "annotations")
    found = [path for place in places for path in sorted(place.glob("*.json")) if _is(path, "coco")]
    if posed:
        found = [path for path in found if _has_keypoints(path)]
    path = _only(root, found, "training")
    return None if path is None else FoundPart(path, _images_of_coco(path, root), "coco")


def _images_of_coco(path: Path, root: Path) -> Path:
    """The folder in which the first images that a file names are found."""
    images = files.read_json(path, tables=("images",))["images"][:20]
    names = [str(entry.get("file_name")) for entry in images]
    for folder in (root, *(root / name for name in IMAGE_FOLDERS), path.parent):
        if folder.is_dir() and any((folder / name).is_file() for name in names):
            return folder
    return _images_beside(path, root)


def _has_keypoints(path: Path) -> bool:
    categories = files.read_json(path, tables=("categories",))["categories"]
    return any(category.get("keypoints") for category in categories)


def _is(path: Path, format_: str) -> bool:
    """Whether a file is of a format."""
    try:
        return detect_format(path) == format_
    except (ValueError, OSError):
        return False


# LSP.


def _lsp_part(root: Path, name: str) -> FoundPart | None:
    annotations, images = root / name / "joints.mat", root / name / "images"
    if not annotations.is_file():
        return None
    if not images.is_dir():
        raise ValueError(f"data: {annotations} has no folder of images: expected {images}")
    return FoundPart(annotations, images, "lsp")


# YOLO: data.yaml, or classes.txt beside images/ and labels/.


def _yolo_part(root: Path, name: str, *, posed: bool) -> FoundPart | None:
    path = _yolo_yaml(root)
    part = _part_called(name)
    if path is None or not has_part(path, part) or (posed and not has_people(path)):
        return None
    if part == "val" and not part_exists(path, root, part):
        log.warning("%s: it names images for validation that are not there", path)
        return None
    return FoundPart(path, root, "yolo", {"split": part})


def _yolo_yaml(root: Path) -> Path | None:
    found = [path for suffix in ("yaml", "yml") for path in sorted(root.glob(f"*.{suffix}"))]
    named = [path for path in found if path.stem in ("data", "dataset")] or found
    described = [path for path in named if "names" in read_yaml(path)]
    return _only(root, described, "YOLO")


def _yolo_whole(root: Path, *, posed: bool) -> FoundPart | None:
    classes = root / "classes.txt"
    is_there = not posed and classes.is_file() and (root / "labels").is_dir()
    return FoundPart(classes, root, "yolo") if is_there else None


# Pascal VOC, with and without ImageSets; Roboflow keeps xml files and images together.


def _voc_part(root: Path, name: str) -> FoundPart | None:
    folder, split = root / "Annotations", root / "ImageSets" / "Main" / f"{name}.txt"
    if split.is_file() and folder.is_dir():
        return FoundPart(folder, _images_beside(folder / "x", root), "voc", {"split": split})
    part = root / name
    for folder in (part, part / "Annotations", part / "annotations"):
        if folder.is_dir() and next(folder.glob("*.xml"), None):
            images = next((part / n for n in ("JPEGImages", "images") if (part / n).is_dir()), part)
            return FoundPart(folder, images, "voc")
    return None


def _voc_whole(root: Path) -> FoundPart | None:
    for name in ("Annotations", "annotations", "labels", "."):
        folder = root / name
        if folder.is_dir() and next(folder.glob("*.xml"), None):
            splits = [root / "ImageSets" / "Main" / f"{whole}.txt" for whole in WHOLE]
            split = next((path for path in splits if path.is_file()), None)
            options = {} if split is None else {"split": split}
            return FoundPart(folder, _images_beside(folder / "x", root), "voc", options)
    return None


# Formats of one file for a part, beside its images or with the name of the part.


def _file_part(root: Path, name: str, *, format_: str, patterns: Sequence[str]) -> FoundPart | None:
    for place in (root / name, root, root / "annotations"):
        if not place.is_dir():
            continue
        wanted = patterns if place == root / name else [f"*{name}*{Path(p).suffix}" for p in patterns]
        found = [path for pattern in wanted for path in sorted(place.glob(pattern)) if _is(path, format_)]
        path = _first_shard(root, found, name) if format_ == "tfrecord" else _only(root, found, name)
        if path is not None:
            images = root / name if (root / name).is_dir() else _images_beside(path, root)
            return FoundPart(path, images, format_)
    return None


def _file_whole(root: Path, *, format_: str, patterns: Sequence[str]) -> FoundPart | None:
    found = [path for pattern in patterns for path in sorted(root.glob(pattern)) if _is(path, format_)]
    path = _first_shard(root, found, "training") if format_ == "tfrecord" else _only(root, found, "training")
    return None if path is None else FoundPart(path, _images_beside(path, root), format_)


def _csv_part(root: Path, name: str) -> FoundPart | None:
    """A file of the part, or the one file that names the part of each line."""
    found = _file_part(root, name, format_="csv", patterns=("*.csv",))
    if found is not None:
        return found
    whole = _file_whole(root, format_="csv", patterns=("*.csv",))
    part = _part_called(name)
    if whole is None or not has_csv_part(whole.annotations, part):
        return None
    return whole._replace(options={"split": part})


def _first_shard(root: Path, paths: Sequence[Path], what: str) -> Path | None:
    """The first of the shards of one file."""
    first = [path for path in paths if not re.search(r"-(?!00000)\d{5}-of-", path.name)]
    return _only(root, sorted(set(first)), what)


# LabelMe: a json file for each image.


def _labelme_part(root: Path, name: str) -> FoundPart | None:
    return _labelme_whole(root / name)


def _labelme_whole(root: Path) -> FoundPart | None:
    for folder in (root, root / "annotations", root / "labels", root / "json"):
        first = next(iter(sorted(folder.glob("*.json"))), None) if folder.is_dir() else None
        if first is not None and _is(first, "labelme"):
            return FoundPart(folder, _images_beside(first, root), "labelme")
    return None


def _layout(part: Callable[..., Any], whole: Callable[..., Any], **options: Any) -> Layout:
    return Layout(partial(part, **options), partial(whole, **options))


def _nothing(root: Path) -> None:
    """Sets of this format always have parts."""


BOXES, KEYPOINTS = "instances_{}*.json", "*keypoints_{}*.json"
TFRECORDS = ("*.tfrecord*", "*.record*")
LAYOUTS: dict[str, Mapping[str, Layout]] = {
    "detection": {
        "coco": Layout(
            partial(_coco_part, patterns=(BOXES, KEYPOINTS), posed=False), partial(_coco_whole, posed=False)
        ),
        "lsp": Layout(_lsp_part, _nothing),
        "yolo": _layout(_yolo_part, _yolo_whole, posed=False),
        "voc": Layout(_voc_part, _voc_whole),
        "createml": _layout(_file_part, _file_whole, format_="createml", patterns=("*.json",)),
        "label-studio": _layout(_file_part, _file_whole, format_="label-studio", patterns=("*.json",)),
        "labelme": Layout(_labelme_part, _labelme_whole),
        "csv": Layout(_csv_part, partial(_file_whole, format_="csv", patterns=("*.csv",))),
        "tfrecord": _layout(_file_part, _file_whole, format_="tfrecord", patterns=TFRECORDS),
    },
    "pose": {
        "coco": Layout(
            partial(_coco_part, patterns=(KEYPOINTS,), posed=True), partial(_coco_whole, posed=True)
        ),
        "lsp": Layout(_lsp_part, _nothing),
        "yolo": _layout(_yolo_part, _yolo_whole, posed=True),
    },
}
"""For each task and format what finds it, in the order in which they are tried."""


def of_file(path: Path, task: str) -> FoundPart | None:
    """The set that one file of labels describes, without parts; None if the task does not read its format.

    Raises:
        ValueError: the format is not known.
    """
    format_ = detect_format(path)
    if format_ == "yolo":
        return None if task == "pose" and not has_people(path) else FoundPart(path, path.parent, "yolo")
    if format_ == "coco":
        if task == "pose" and not _has_keypoints(path):
            return None
        return FoundPart(path, _images_of_coco(path, path.parent), "coco")
    if format_ not in LAYOUTS[task]:
        return None
    if format_ == "labelme":
        return FoundPart(path.parent, path.parent, "labelme")
    return FoundPart(path, _images_beside(path, path.parent), format_)
