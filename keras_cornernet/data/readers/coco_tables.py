"""The tables of a COCO json file, checked row by row: images, categories and boxes."""

import logging
import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.box_units import corners_for_sizes, fractions_for_pixels
from keras_cornernet.data.readers.checks import are_numbers, image_size, is_true, shown, unusable_boxes
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.preprocessing import Size
from keras_cornernet.structures import Categories, Problem

log = logging.getLogger(__name__)
UNKNOWN, LEFT_OUT = -1, -2
Entry = dict[str, Any]


@dataclass
class UsableImages:
    """The images that can be used; `index_of` maps image ids to indices, other images to `LEFT_OUT`."""

    ids: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    sizes: list[Size | None] = field(default_factory=list)
    index_of: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CocoTables:
    """The `n` annotations of a COCO file, row by row, and which of them can be used.

    Attributes:
        path: the file.
        images: the images that can be used.
        problems: those of the other images, and of the file as a whole.
        categories: the classes.
        category_entries: the categories as the file has them.
        entries: the annotations as the file has them.
        owners: `(n,)` index of each annotation's image in `images`, `UNKNOWN`, or `LEFT_OUT` if one of
            `problems` covers the annotation.
        labels: `(n,)` int32, `UNKNOWN` for a category id that is not listed.
        xyxy: `(n, 4)` float32, image pixels.
        ignore: `(n,)` bool, crowds and difficult boxes.
        areas: `(n,)` float64, square pixels: the `area` of the row, or that of its box.
        unusable: the reason for each other row that cannot be used.
    """

    path: Path
    images: UsableImages
    problems: list[Problem]
    categories: Categories
    category_entries: list[Entry]
    entries: list[Entry]
    owners: np.ndarray
    labels: np.ndarray
    xyxy: np.ndarray
    ignore: np.ndarray
    areas: np.ndarray
    unusable: dict[int, str]

    def usable_rows(self) -> np.ndarray:
        """The rows that can be used, in the order of the images and then of the file."""
        usable = self.owners != LEFT_OUT
        usable[list(self.unusable)] = False
        rows = np.flatnonzero(usable)
        return rows[np.argsort(self.owners[rows], kind="stable")]

    def problem(self, row: int, reason: str | None = None, *, costs_image: bool = False) -> Problem:
        """The problem of one annotation.

        Args:
            row: its index in the file.
            reason: why it cannot be used; by default the one in `unusable`.
            costs_image: see `Problem`.
        """
        entry = self.entries[row]
        where = f"annotation id {entry['id']}" if "id" in entry else f"annotations[{row}]"
        if self.owners[row] >= 0:
            where += f" (image {self.images.names[self.owners[row]]!r})"
        return Problem(str(self.path), where, reason or self.unusable[row], costs_image)


def read_tables(annotations: str | Path, images: str | Path) -> CocoTables:
    """Reads and checks a COCO json file; see `read_coco` for the errors that it raises."""
    path = Path(annotations)
    content = files.read_json(path, tables=("images", "annotations", "categories"))
    categories = _categories(content["categories"], path)
    usable_images, problems = _images(content["images"], ImageFolder(images), str(path))
    entries = content["annotations"]
    owners = np.array([_find(usable_images.index_of, entry.get("image_id")) for entry in entries], np.int64)
    labels_of_ids = {id_: label for label, id_ in enumerate(categories.ids)}
    labels = np.array([_find(labels_of_ids, entry.get("category_id")) for entry in entries], np.int32)
    xyxy, unusable = _boxes(entries, owners, labels, usable_images)
    unusable = {row: reason for row, reason in unusable.items() if owners[row] != LEFT_OUT}
    tables = CocoTables(
        path=path,
        images=usable_images,
        problems=problems,
        categories=categories,
        category_entries=content["categories"],
        entries=entries,
        owners=owners,
        labels=labels,
        xyxy=xyxy,
        ignore=np.array(
            [row not in unusable and is_ignored(entry) for row, entry in enumerate(entries)], bool
        ),
        areas=np.array([_area(entry) for entry in entries], np.float64),
        unusable=unusable,
    )
    _leave_out_misread(tables)
    return tables


def without_unused_groups(tables: CocoTables) -> CocoTables:
    """The tables without categories that have no box and are the `supercategory` of others."""
    groups = {
        entry.get("supercategory")
        for entry in tables.category_entries
        if isinstance(entry.get("supercategory"), str) and entry["supercategory"] != entry["name"]
    }
    used = np.bincount(tables.labels[tables.labels >= 0], minlength=len(tables.categories)) > 0
    kept = np.array([used[i] or name not in groups for i, name in enumerate(tables.categories.names)])
    if kept.all():
        return tables
    names, ids = (np.array(v, object) for v in (tables.categories.names, tables.categories.ids))
    log.info(
        "%s: left out, since it is a group of classes without a box: %s", tables.path, ", ".join(names[~kept])
    )
    new = np.append(np.cumsum(kept) - 1, [LEFT_OUT, UNKNOWN]).astype(np.int32)
    categories = Categories(tuple(names[kept]), tuple(ids[kept]))
    return replace(tables, labels=new[tables.labels], categories=categories)


def _categories(entries: list[Entry], path: Path) -> Categories:
    """The classes in increasing order of their ids."""
    found: dict[int, str] = {}
    for i, entry in enumerate(entries):
        id_, name = _id(entry.get("id")), entry.get("name")
        if type(id_) is not int or not isinstance(name, str):
            raise ValueError(
                f"{path}: categories[{i}] needs a whole number 'id' and a text 'name', got {shown(entry)}"
            )
        if id_ in found:
            raise ValueError(f"{path}: categories[{i}]: another category has the id {id_}, too")
        found[id_] = name
    if not found:
        raise ValueError(f"{path}: 'categories' is empty")
    ids = tuple(sorted(found))
    return Categories(tuple(found[id_] for id_ in ids), ids)


def _images(entries: list[Entry], folder: ImageFolder, path: str) -> tuple[UsableImages, list[Problem]]:
    """The images that can be used and the problems of the others."""
    found, problems = UsableImages(), []
    for i, entry in enumerate(entries):
        id_, name = _id(entry.get("id")), entry.get("file_name")
        if type(id_) is not int:
            reason = f"the id {shown(id_)} is not a whole number"
            problems.append(Problem(path, f"images[{i}] ({name!r})", reason, costs_image=True))
            continue
        where = f"image id {id_} ({name!r})"
        if id_ in found.index_of:
            reason = "another image has the same id; the first one is kept"
            problems.append(Problem(path, where, reason, costs_image=True))
            continue
        found.index_of[id_] = LEFT_OUT
        unusable, file = None, ""
        try:
            file = folder.find(name)
            size = image_size(entry.get("height"), entry.get("width"))
        except ValueError as error:
            unusable = str(error)
        if unusable:
            problems.append(Problem(path, where, unusable, costs_image=True))
            continue
        found.index_of[id_] = len(found.ids)
        found.ids.append(id_)
        found.names.append(str(name))
        found.paths.append(file)
        found.sizes.append(size)
    return found, problems


def _id(value: object) -> object:
    """An id; whole numbers that a program wrote as `1.0` or `"1"` as the numbers that they are."""
    if type(value) is float and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}(\.0*)?", value.strip()):
        return int(float(value)) if "." in value else int(value)
    return value


def _find(table: dict[int, int], key: object) -> int:
    key = _id(key)
    return table.get(key, UNKNOWN) if type(key) is int else UNKNOWN


def _boxes(
    entries: list[Entry], owners: np.ndarray, labels: np.ndarray, images: UsableImages
) -> tuple[np.ndarray, dict[int, str]]:
    """All boxes, `(n, 4)` float32 `xyxy`, and the reason why some cannot be used, by row."""
    unusable, rows = {}, []
    for i, entry in enumerate(entries):
        box = entry.get("bbox")
        if not are_numbers(box) or len(box) != 4:
            unusable[i] = f"bbox {shown(box)} is not four finite numbers"
            box = [0, 0, 1, 1]
        if entry.get("iscrowd") not in (None, 0, 1):
            unusable[i] = f"iscrowd {shown(entry['iscrowd'])} is neither 0 nor 1"
        try:
            is_true(entry.get("difficult"))
        except ValueError as error:
            unusable[i] = f"difficult: {error}"
        rows.append(box)
    xyxy = np.array(rows, np.float64).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    # The last row serves owners of -1 and -2: no size is known for them.
    sizes = np.array([size or (np.nan, np.nan) for size in images.sizes] + [(np.nan, np.nan)], np.float64)
    unusable = unusable_boxes(xyxy, sizes[np.maximum(owners, -1)]) | unusable
    for row in np.flatnonzero(labels == UNKNOWN).tolist():
        category = shown(entries[row].get("category_id"))
        unusable[row] = f"the category id {category} is not among the categories"
    for row in np.flatnonzero(owners == UNKNOWN).tolist():
        unusable[row] = f"the image id {shown(entries[row].get('image_id'))} is not among the images"
    return xyxy.astype(np.float32), unusable


def _area(entry: Entry) -> float:
    """The area that a row states or else that of its box, NaN where the box is unusable."""
    stated, box = entry.get("area"), entry.get("bbox")
    if stated is not None and are_numbers([stated]):
        return float(stated)
    return float(box[2] * box[3]) if are_numbers(box) and len(box) == 4 else math.nan


def is_ignored(entry: Entry) -> bool:
    """Whether a row is a crowd, or difficult as in Pascal VOC."""
    return entry.get("iscrowd") == 1 or is_true(entry.get("difficult"))


def _leave_out_misread(tables: CocoTables) -> None:
    """Leaves out the boxes that are in fractions, and all if they are corners, as other tools write them."""
    rows = tables.usable_rows()
    known = [tables.images.sizes[owner] or (math.nan, math.nan) for owner in tables.owners[rows]]
    sizes = np.array(known, np.float64).reshape(-1, 2)
    xyxy = tables.xyxy[rows].astype(np.float64)
    misread = fractions_for_pixels(xyxy) or corners_for_sizes(xyxy, sizes)
    if misread is not None:
        tables.owners[rows[misread.rows]] = LEFT_OUT
        tables.problems.append(Problem(str(tables.path), "annotations", f"bbox: {misread.reason}"))
