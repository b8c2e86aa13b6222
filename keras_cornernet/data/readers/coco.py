"""Reads COCO instances (and person keypoints) annotations."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.problems import (
    ImageFolder,
    are_numbers,
    box_faults,
    refuse,
    shown,
    size_fault,
)
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Keypoints, Sample

UNKNOWN, LEFT_OUT = -1, -2


class _Images(NamedTuple):
    """The usable images: `places` gives the index of an image id, `LEFT_OUT` for a faulty image."""

    ids: list[int]
    names: list[str]
    paths: list[str]
    sizes: list[tuple[int, int] | None]
    places: dict[int, int]


class ParsedCoco(NamedTuple):
    """The `n` annotations of a COCO file, row by row, and which of them are sound.

    Attributes:
        entries: the annotations as the file has them.
        owners: `(n,)` each one's place among `images`, or `UNKNOWN` or `LEFT_OUT`.
        labels: `(n,)` int32, `UNKNOWN` for a category id that is not listed.
        xyxy: `(n, 4)` float32, image pixels.
        ignore: `(n,)` bool, crowd regions.
        keypoints: `(n, k, 3)` float32 `x, y, visibility`, or None if no category defines any.
        order: the sound rows, sorted by image.
        images: the usable images.
        categories: the classes.
        category_entries: the categories as the file has them.
        problems: one sentence for each thing that was wrong.
    """

    entries: list[dict]
    owners: np.ndarray
    labels: np.ndarray
    xyxy: np.ndarray
    ignore: np.ndarray
    keypoints: np.ndarray | None
    order: np.ndarray
    images: _Images
    categories: Categories
    category_entries: list[dict]
    problems: tuple[str, ...]


@files.collector_paused()
def read_coco(annotations: str | Path, images: str | Path, *, strict: bool = False) -> DetectionDataset:
    """Reads a COCO json file.

    Labels count from 0 in increasing order of category id. `iscrowd` becomes `ignore`. Boxes keep the
    order of the file and are not clipped. Images without annotations are kept. What is faulty is left
    out and named in `DetectionDataset.faults`, an image together with its boxes.

    Args:
        annotations: the json file, with the keys `images`, `annotations` and `categories`.
        images: the folder that the `file_name`s count from; none may lead outside it.
        strict: raise at the first fault.

    Returns:
        The images in the order of the file. `keypoints` is None unless a category defines keypoints; an
        annotation without them has visibility 0.

    Raises:
        ValueError: the file is not COCO json (names the line or the key), or `strict` and a fault.
        NotADirectoryError: `images` is not a folder.

    Example:
        >>> dataset = read_coco("instances_train.json", "train")  # doctest: +SKIP
        >>> print(*dataset.faults, sep="\\n")  # doctest: +SKIP
    """
    checked = check_coco(annotations, images)
    return refuse(DetectionDataset(_samples(checked), checked.categories, checked.problems), strict)


def check_coco(annotations: str | Path, images: str | Path) -> ParsedCoco:
    """Reads a COCO json file and finds its faults; see `read_coco` for what is one."""
    path = Path(annotations)
    content = files.read_json(path, tables=("images", "annotations", "categories"))
    categories = _categories(content["categories"], path)
    listed, problems = _images(content["images"], ImageFolder(images), path.name)

    entries = content["annotations"]
    owners = np.array([_lookup(listed.places, entry.get("image_id")) for entry in entries], np.int64)
    labels_of_ids = {id_: label for label, id_ in enumerate(categories.ids)}
    labels = np.array([_lookup(labels_of_ids, entry.get("category_id")) for entry in entries], np.int32)
    xyxy, wrong = _boxes(entries, owners, labels, listed)
    joints = _joint_counts(content["categories"])
    keypoints, wrong_keypoints = _keypoints(entries, joints)
    wrong = wrong_keypoints | wrong

    sound = owners != LEFT_OUT
    sound[list(wrong)] = False
    for i in sorted(wrong):
        if owners[i] != LEFT_OUT:
            problems.append(f"{path.name}: {_place(entries[i], i, owners[i], listed)}: {wrong[i]}")
    ignore = np.array([entry.get("iscrowd") == 1 for entry in entries], bool)

    order = np.flatnonzero(sound)
    order = order[np.argsort(owners[order], kind="stable")]
    return ParsedCoco(
        entries=entries,
        owners=owners,
        labels=labels,
        xyxy=xyxy,
        ignore=ignore,
        keypoints=keypoints,
        order=order,
        images=listed,
        categories=categories,
        category_entries=content["categories"],
        problems=tuple(problems),
    )


def _categories(entries: list[dict], path: Path) -> Categories:
    """The classes in increasing order of their ids."""
    found = {}
    for place, entry in enumerate(entries):
        id_, name = entry.get("id"), entry.get("name")
        if type(id_) is not int or not isinstance(name, str):
            raise ValueError(
                f"{path}: categories[{place}] needs a whole number 'id' and a text 'name', got {shown(entry)}"
            )
        if id_ in found:
            raise ValueError(f"{path}: categories[{place}]: the category id {id_} stands twice")
        found[id_] = name
    ids = tuple(sorted(found))
    return Categories(tuple(found[id_] for id_ in ids), ids)


def _images(entries: list[dict], folder: ImageFolder, source: str) -> tuple[_Images, list[str]]:
    """The usable images and the faults of the others."""
    listed, problems = _Images([], [], [], [], {}), []
    for place, entry in enumerate(entries):
        id_, name = entry.get("id"), entry.get("file_name")
        height, width = entry.get("height"), entry.get("width")
        if type(id_) is not int:
            problems.append(f"{source}: images[{place}] ({name!r}): the id {id_!r} is not a whole number")
            continue
        if id_ in listed.places:
            fault = "this image id stands twice, the first is kept"
        else:
            fault = folder.fault(name) or size_fault(height, width)
            listed.places[id_] = LEFT_OUT if fault else len(listed.ids)
        if fault:
            problems.append(f"{source}: image id {id_} ({name!r}): {fault}")
            continue
        listed.ids.append(id_)
        listed.names.append(name)
        listed.paths.append(folder.path(name))
        listed.sizes.append(None if height is None else (int(height), int(width)))
    return listed, problems


def _lookup(table: dict[int, int], key: object) -> int:
    return table.get(key, UNKNOWN) if type(key) is int else UNKNOWN


def _place(entry: dict, index: int, owner: int, listed: _Images) -> str:
    """The words that lead a reader to one annotation."""
    place = f"annotation id {entry['id']}" if "id" in entry else f"annotations[{index}]"
    return place if owner == UNKNOWN else f"{place} (image {listed.names[owner]!r})"


def _boxes(
    entries: list[dict], owners: np.ndarray, labels: np.ndarray, listed: _Images
) -> tuple[np.ndarray, dict[int, str]]:
    """All boxes, `(n, 4)` float32 `xyxy`, and what is wrong with some, by index."""
    wrong, rows = {}, []
    for i, entry in enumerate(entries):
        box = entry.get("bbox")
        if not are_numbers(box) or len(box) != 4:
            wrong[i] = f"bbox {shown(box)} is not four finite numbers"
            box = (0, 0, 1, 1)
        if entry.get("iscrowd") not in (None, 0, 1):
            wrong[i] = f"iscrowd {shown(entry['iscrowd'])} is neither 0 nor 1"
        rows.append(box)
    xyxy = np.array(rows, np.float64).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    # The last row serves owners of -1 and -2: no size is known for them.
    sizes = np.array([size or (np.nan, np.nan) for size in listed.sizes] + [(np.nan, np.nan)], np.float64)
    wrong = box_faults(xyxy, sizes[np.maximum(owners, -1)]) | wrong
    for i in np.flatnonzero(labels == UNKNOWN):
        wrong[int(i)] = f"the category id {shown(entries[i].get('category_id'))} is not among the categories"
    for i in np.flatnonzero(owners == UNKNOWN):
        wrong[int(i)] = f"the image id {shown(entries[i].get('image_id'))} is not among the images"
    return xyxy.astype(np.float32), wrong


def _joint_counts(categories: list[dict]) -> dict[int, int]:
    """How many keypoints each category id defines, for those that define any."""
    return {c["id"]: len(c["keypoints"]) for c in categories if isinstance(c.get("keypoints"), list)}


def _keypoints(entries: list[dict], joints: dict[int, int]) -> tuple[np.ndarray | None, dict[int, str]]:
    """All keypoints, `(n, k, 3)` float32 `x, y, visibility`, and what is wrong with some, by index."""
    count = max(joints.values(), default=0)
    if not count:
        return None, {}
    triples, wrong = np.zeros((len(entries), count, 3), np.float32), {}
    for i, entry in enumerate(entries):
        values = entry.get("keypoints")
        if values is None:
            continue
        expected = joints.get(entry.get("category_id"), 0) if type(entry.get("category_id")) is int else 0
        if not are_numbers(values) or len(values) not in (0, 3 * expected):
            wrong[i] = f"keypoints {shown(values)} are not {expected} triples of finite numbers"
        elif not {0, 1, 2}.issuperset(values[2::3]):
            wrong[i] = f"keypoints have a visibility that is not 0, 1 or 2: {shown(values[2::3])}"
        elif values:
            triples[i, :expected] = np.reshape(values, (expected, 3))
    return triples, wrong


def _samples(checked: ParsedCoco) -> tuple[Sample, ...]:
    """One `Sample` per image, with its sound annotations."""
    images, order = checked.images, checked.order
    xyxy, labels, ignore = checked.xyxy[order], checked.labels[order], checked.ignore[order]
    ends = np.cumsum(np.bincount(checked.owners[order], minlength=len(images.ids))).tolist()
    samples, start = [], 0
    for id_, path, size, end in zip(images.ids, images.paths, images.sizes, ends, strict=True):
        boxes = Boxes(xyxy[start:end], labels[start:end], ignore[start:end])
        points = None
        if checked.keypoints is not None:
            own = checked.keypoints[order[start:end]]
            points = Keypoints(own[..., :2], own[..., 2].astype(np.int32))
        samples.append(Sample(path, id_, size, boxes, points))
        start = end
    return tuple(samples)
