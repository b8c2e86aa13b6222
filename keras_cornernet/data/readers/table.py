"""Which reader reads which format, and the one function that calls them."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_cornernet.data.readers.coco import read_coco
from keras_cornernet.data.readers.coco_people import read_coco_people
from keras_cornernet.data.readers.csv_boxes import read_csv
from keras_cornernet.data.readers.flic import read_flic
from keras_cornernet.data.readers.json_boxes import read_createml, read_label_studio, read_labelme
from keras_cornernet.data.readers.lsp import read_lsp
from keras_cornernet.data.readers.mpii import read_mpii
from keras_cornernet.data.readers.pascal_voc import read_pascal_voc
from keras_cornernet.data.readers.people_boxes import read_lsp_boxes
from keras_cornernet.data.readers.tfrecord import read_tfrecord
from keras_cornernet.data.readers.yolo import read_yolo, read_yolo_people
from keras_cornernet.structures import PoseDataset

Reader = Callable[..., Any]
"""A function of `annotations` and `images` that returns a data set; its further arguments are its options."""

READERS: dict[str, Mapping[str, Reader]] = {
    "detection": {
        "coco": read_coco,
        "voc": read_pascal_voc,
        "yolo": read_yolo,
        "csv": read_csv,
        "createml": read_createml,
        "labelme": read_labelme,
        "label-studio": read_label_studio,
        "tfrecord": read_tfrecord,
        "lsp": read_lsp_boxes,
    },
    "pose": {
        "coco": read_coco_people,
        "lsp": read_lsp,
        "mpii": read_mpii,
        "flic": read_flic,
        "yolo": read_yolo_people,
    },
}
"""The reader of each annotation format, for each task; first the formats that are made for it."""

PARTED = ("lsp", "mpii", "yolo", "csv")
"""Formats whose files may hold several parts, of which the option `split` names one."""


def read_annotations(
    readers: Mapping[str, Reader],
    annotations: str | Path,
    images: str | Path,
    format: str = "coco",
    *,
    part: str | None = None,
    **options: Any,
) -> Any:
    """Reads an annotated data set.

    Args:
        readers: the readers of a task by format, such as `READERS["pose"]`.
        annotations: the annotation file, or the folder of annotation files.
        images: the folder of the images.
        format: of the annotations.
        part: the part of a file with several (`"train"`, `"val"`) that is wanted if the option `split` does
            not name one; formats without parts ignore it.
        options: further arguments of the reader of that format, such as `split` or `strict`; None counts as
            not given.

    Returns:
        The task's data set, such as a `DetectionDataset` or a `PoseDataset`, with the problems that were
        found.

    Raises:
        ValueError: the format is not one of `readers`, the reader has no such option, or the reader's own.

    Example:
        >>> read_annotations(READERS["pose"], "joints.mat", "images", "lsp", split="train")  # doctest: +SKIP
    """
    if format not in readers:
        known = ", ".join(readers)
        tasks = " and ".join(task for task, table in READERS.items() if format in table)
        elsewhere = f"; {format} is a format of {tasks}" if tasks else ""
        raise ValueError(f"format: expected one of {known}, got {format!r}{elsewhere}")
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        takers = [other for other, reader in readers.items() if name in inspect.signature(reader).parameters]
        if format not in takers:
            if not takers:
                raise ValueError(f"{name} is not an option of any of the formats {', '.join(readers)}")
            plural = "s" if len(takers) > 1 else ""
            raise ValueError(
                f"{name} is an option of the format{plural} {' and '.join(takers)}, not of {format}"
            )
    if part is not None and format in PARTED:
        given.setdefault("split", part)
    return readers[format](annotations, images, **given)


def read_people(annotations: str | Path, images: str | Path, format: str, **options: Any) -> PoseDataset:
    """Reads the annotated people of a data set.

    Args:
        annotations: the annotation file.
        images: the folder of the images.
        format: `"coco"`, `"lsp"`, `"mpii"` or `"flic"`.
        options: further arguments of the reader of that format, such as `split` or `strict`.

    Returns:
        The people with their skeleton, and the problems that were found.

    Raises:
        ValueError: the format is not known, it has no such option, or the reader's own.
    """
    dataset: PoseDataset = read_annotations(READERS["pose"], annotations, images, format, **options)
    return dataset
