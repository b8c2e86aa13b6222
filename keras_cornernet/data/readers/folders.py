"""Finds what a folder, an archive or a file of data holds: its parts for training and validation."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_cornernet.checks import check_choice
from keras_cornernet.data.archives import unpacked
from keras_cornernet.data.readers.csv_boxes import has_csv_part
from keras_cornernet.data.readers.layouts import LAYOUTS, PARTS, FoundPart, of_file
from keras_cornernet.data.readers.table import READERS
from keras_cornernet.data.readers.yolo_set import has_part

EXPECTED = (
    "expected COCO (instances_train.json beside train/ or in annotations/), Roboflow's "
    "train/_annotations.coco.json, YOLO (data.yaml), Pascal VOC (Annotations/ and JPEGImages/), one file of "
    "CreateML, Label Studio, CSV or TFRecord, json files of LabelMe, or LSP (train/joints.mat with "
    "train/images/); poses: COCO's *keypoints_train.json, YOLO with kpt_shape, or LSP"
)


def read_dataset(source: str | Path, task: str = "detection", part: str = "train", **options: Any) -> Any:
    """Reads one part of a data set, whose format and layout are found.

    Args:
        source: a folder, a zip file or a file of labels, see `find_part`.
        task: `"detection"` or `"pose"`.
        part: `"train"` or `"val"`.
        options: further arguments of the reader, such as `strict`.

    Returns:
        What the reader returns, or None if there is no such part.

    Raises:
        ValueError: as `find_part`, or the reader's own.

    Example:
        >>> read_dataset("voc_animals", part="val")  # doctest: +SKIP
    """
    found = find_part(source, task, part)
    return None if found is None else found.read(READERS[task], part=part, **options)


def find_part(source: str | Path, task: str, part: str) -> FoundPart | None:
    """Finds the training or the validation part of a data set.

    Known layouts are those of `layouts.LAYOUTS`: with `PART` one of `train`, `val` and their usual spellings,

    - COCO: `instances_PART*.json` (for poses `*keypoints_PART*.json`) in the folder or in its `annotations`,
      with the images in `PART*`, `images/PART*` or `images`; Roboflow's `PART/_annotations.coco.json`; or one
      json file, as CVAT and Label Studio export it;
    - YOLO: `data.yaml`, or `classes.txt` with `images` and `labels`;
    - Pascal VOC: `Annotations`, `JPEGImages` and `ImageSets/Main/PART.txt`, or `PART` with xml files;
    - `PART/*` or one file in the folder: CreateML, Label Studio's json, CSV, TFRecord (sharded too);
    - LabelMe: a json file for each image;
    - LSP: `PART/joints.mat` with `PART/images`.

    Args:
        source: a folder; a zip file, which is unpacked into the cache; or a file of labels with its images
            beside it. A set without parts counts as one for training.
        task: whose formats are looked for, a key of `LAYOUTS`.
        part: `"train"` or `"val"`.

    Returns:
        The part, or None if there is only the other one.

    Raises:
        ValueError: there is no such folder or file, nothing in it is of a known layout, or there are several
            files of labels for the part.
    """
    check_choice("part", part, PARTS)
    root = _opened(source)
    if root.is_file():
        found = of_file(root, task)
        if found is None or (found.format == "yolo" and has_part(root, part)):
            return found
        parted = found.format == "csv" and any(has_csv_part(root, name) for name in PARTS)
        there = has_csv_part(root, part) if parted else part == "train" and found.format != "yolo"
        return found if there else None
    found = next(_candidates(root, task, PARTS[part]), None)
    if found is not None or _any_part(root, task) is not None:
        return found
    whole = _whole(root, task)
    if whole is None:
        raise ValueError(f"data: {source} is of no known layout; {EXPECTED}")
    return whole if part == "train" else None


def formats_of_folder(source: str | Path) -> dict[str, str]:
    """The format that each task finds in a data set, by its name; tasks that find nothing are left out.

    Raises:
        ValueError: as `find_part`.
    """
    root = _opened(source)
    if root.is_file():
        found = {task: of_file(root, task) for task in LAYOUTS}
    else:
        found = {task: _any_part(root, task) for task in LAYOUTS}
        if not any(found.values()):  # a task may find parts where another finds several sets without
            found = {task: _whole(root, task) for task in LAYOUTS}
    return {task: part.format for task, part in found.items() if part is not None}


def _opened(source: str | Path) -> Path:
    """The folder or file; of a zip file, and of a folder that holds one folder alone, what is inside."""
    root = Path(source)
    if root.is_file() and root.suffix.lower() == ".zip":
        root = unpacked(root)
    if not root.exists():
        raise ValueError(f"data: there is no folder or file {root}")
    while root.is_dir():
        inside = [path for path in root.iterdir() if not path.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].name in ("train", "val", "annotations"):
            break
        root = inside[0]
    return root


def _candidates(root: Path, task: str, names: Sequence[str]) -> Iterator[FoundPart]:
    """What the formats of a task find of a part, in their order."""
    for layout in LAYOUTS[task].values():
        for name in names:
            found = layout.part(root, name)
            if found is not None:
                yield found


def _any_part(root: Path, task: str) -> FoundPart | None:
    """The first part of any name that a task finds."""
    found = (next(_candidates(root, task, names), None) for names in PARTS.values())
    return next((part for part in found if part is not None), None)


def _whole(root: Path, task: str) -> FoundPart | None:
    """What the formats of a task find of a set without parts."""
    found = (layout.whole(root) for layout in LAYOUTS[task].values())
    return next((part for part in found if part is not None), None)
