"""Reads boxes from CSV files: with a header, as keras-retinanet has them, or as AutoML has them."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from keras_cornernet import files
from keras_cornernet.data.readers.checks import shown
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.labelled import LabelledImage, dataset_of
from keras_cornernet.structures import DetectionDataset, Problem

COLUMNS = {
    "path": ("path", "filename", "file_name", "file", "image", "image_path", "image_name", "imageid"),
    "x1": ("x1", "xmin", "x_min", "left"),
    "y1": ("y1", "ymin", "y_min", "top"),
    "x2": ("x2", "xmax", "x_max", "right"),
    "y2": ("y2", "ymax", "y_max", "bottom"),
    "class": ("class", "label", "class_name", "category", "name", "labelname"),
}
"""What the columns of files with a header are called."""
RETINANET = ("path", "x1", "y1", "x2", "y2", "class")
AUTOML = ("part", "path", "class", "x1", "y1", "", "", "x2", "y2", "", "")
AUTOML_PARTS = {
    "train": ("TRAIN", "TRAINING", "UNASSIGNED"),
    "val": ("VALIDATE", "VALIDATION"),
    "test": ("TEST",),
}
SIDES = ("x1", "y1", "x2", "y2")


def read_csv(
    annotations: str | Path, images: str | Path, *, split: str = "all", strict: bool = False
) -> DetectionDataset:
    """Reads a CSV file with one box in each line.

    Forms:

    - with a header that names path, x1, y1, x2, y2 and class, in any order and by the usual other names
      (`filename, xmin, .., class`); other columns are not read;
    - keras-retinanet's `path,x1,y1,x2,y2,class`; `path,,,,,` is an image without boxes;
    - AutoML's `SET,path,class,xmin,ymin,,,xmax,ymax,,`, in fractions of the image, with the sets TRAIN,
      VALIDATION, TEST and UNASSIGNED, which counts as TRAIN.

    Coordinates are in pixels that count from 0, or all in 0..1, fractions of the image.

    Args:
        annotations: the file.
        images: the folder that paths are relative to.
        split: `"train"`, `"val"`, `"test"` or `"all"`, of AutoML's files alone.
        strict: raise at the first problem.

    Returns:
        The images in the order of the file; the classes are sorted by name.

    Raises:
        ValueError: the file is of none of these forms, or `strict` and a problem.
    """
    path = Path(annotations)
    lines = _lines(path)
    if not lines:
        raise ValueError(f"{path}: it is empty")
    columns, first = _columns(lines[0], path)
    rows = [(i, _named(columns, line)) for i, line in enumerate(lines[first:], start=first + 1)]
    if "part" in columns and split != "all":
        rows = [(i, row) for i, row in rows if row.get("part", "").upper() in AUTOML_PARTS[split]]
    folder = ImageFolder(images)
    found: dict[str, LabelledImage] = {}
    refused: set[str] = set()
    problems: list[Problem] = []
    fractions = _are_fractions(rows)
    for number, row in rows:
        name, where = row.get("path", ""), (str(path), f"line {number}")
        if name in refused:
            continue
        try:
            if name not in found:
                found[name] = LabelledImage(folder.find(name))
                found[name].known_size()
        except ValueError as error:
            refused.add(name)
            found.pop(name, None)
            problems.append(Problem(*where, f"image {name!r}: {error}", costs_image=True))
            continue
        if not any(row.get(side) for side in SIDES):
            continue  # an image without boxes
        try:
            found[name].add(_corners(row, found[name], fractions), row.get("class", ""))
        except ValueError as error:
            problems.append(Problem(*where, str(error)))
    return dataset_of(list(found.values()), problems, strict=strict)


def has_csv_part(path: Path, part: str) -> bool:
    """Whether a CSV file of AutoML's form has lines of a part.

    Raises:
        ValueError: the file cannot be read.
    """
    lines = _lines(path)
    if not lines or _columns(lines[0], path)[0] != AUTOML:
        return False
    return any(line[0].strip().upper() in AUTOML_PARTS[part] for line in lines)


def _lines(path: Path) -> list[list[str]]:
    """The lines that hold something."""
    reader = csv.reader(io.StringIO(files.decoded(path), newline=""))
    try:
        return [line for line in reader if any(map(str.strip, line))]
    except csv.Error as error:
        raise ValueError(f"{path}: line {reader.line_num}: {error}") from None


def _columns(line: list[str], path: Path) -> tuple[tuple[str, ...], int]:
    """The meaning of each column, and the number of header lines."""
    words = [word.strip().lower() for word in line]
    columns = tuple(next((key for key, names in COLUMNS.items() if word in names), "") for word in words)
    if {"path", *SIDES} <= set(columns):
        doubled = [key for key in (*SIDES, "path", "class") if columns.count(key) > 1]
        if doubled:
            raise ValueError(f"{path}: two columns of the header mean {doubled[0]}: {shown(line)}")
        return columns, 1
    if len(line) == len(AUTOML) or (words[0].upper() in sum(AUTOML_PARTS.values(), ()) and len(line) >= 9):
        return AUTOML, 0
    if len(line) == len(RETINANET):
        return RETINANET, 0
    raise ValueError(
        f"{path}: expected a header with path, x1, y1, x2, y2 and class, or lines of path,x1,y1,x2,y2,class, "
        f"got {shown(line)}"
    )


def _named(columns: tuple[str, ...], line: list[str]) -> Mapping[str, str]:
    return {name: value.strip() for name, value in zip(columns, line, strict=False) if name}


def _are_fractions(rows: list[tuple[int, Mapping[str, str]]]) -> bool:
    """Whether all coordinates lie in 0..1."""
    largest = 0.0
    for _, row in rows:
        for side in SIDES:
            try:
                largest = max(largest, abs(float(row.get(side) or 0)))
            except ValueError:
                continue
    return 0 < largest <= 1


def _corners(row: Mapping[str, str], image: LabelledImage, fractions: bool) -> list[float]:
    try:
        corners = [float(row.get(side, "")) for side in SIDES]
    except ValueError:
        given = [row.get(side, "") for side in SIDES]
        raise ValueError(f"the box {shown(given)} is not four numbers") from None
    if fractions:
        height, width = image.known_size()
        corners = [v * s for v, s in zip(corners, (width, height, width, height), strict=True)]
    return corners
