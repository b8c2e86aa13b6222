"""Reads people with keypoints from a COCO json file."""

import math
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.coco import ParsedCoco, check_coco
from keras_cornernet.data.readers.problems import are_numbers, refuse, shown
from keras_cornernet.data.readers.squares import PADDING, square_around
from keras_cornernet.skeletons import SKELETONS, Skeleton
from keras_cornernet.structures import Person, PoseDataset

SIDES = (("left", "right"), ("l", "r"))


@files.collector_paused()
def read_coco_people(
    annotations: str | Path,
    images: str | Path,
    *,
    skeleton: Skeleton | None = None,
    padding: float = PADDING,
    strict: bool = False,
) -> PoseDataset:
    """Reads the annotations of the category that defines keypoints.

    What `read_coco` would leave out is left out and named. Crowds and annotations without any annotated
    keypoint, of which COCO has many, are no faults: they are passed over. Coordinates count from 0 and are
    taken as they stand.

    Args:
        annotations: the json file, such as `person_keypoints_train2017.json`.
        images: the folder that the `file_name`s count from; none may lead outside it.
        skeleton: of the keypoints, or None to find it by their names: a known skeleton with the same
            names in the same order, else one made of the category's `keypoints` and `skeleton`, in which
            names that differ in `left` and `right` (or `l` and `r`) trade places in a mirrored image.
        padding: the side of the square crop as a multiple of the box's longer side.
        strict: raise at the first fault.

    Returns:
        The people in the order of the images, and within an image in the order of the file. `area` is
        the annotation's, or that of the box where it states none.

    Raises:
        ValueError: the file is not COCO json, not exactly one category defines keypoints or does so in
            a way that cannot be read, `skeleton` has another number of joints, or `strict` and a fault.
        NotADirectoryError: `images` is not a folder.
    """
    if not are_numbers([padding]) or padding <= 0:
        raise ValueError(f"padding: expected a number above 0, got {padding!r}")
    path = Path(annotations)
    checked = check_coco(path, images)
    category = _category(checked, path)
    skeleton = _skeleton(category, path, skeleton)

    label = checked.categories.ids.index(category["id"])
    posed = (checked.labels == label) & ~checked.ignore & (checked.keypoints[..., 2] > 0).any(axis=1)
    people = []
    for i in checked.order[posed[checked.order]]:
        visibility = checked.keypoints[i, :, 2].astype(np.int32)
        box = checked.xyxy[i]
        center, side = square_around(box[:2], box[2:], padding)
        people.append(
            Person(
                path=checked.images.paths[checked.owners[i]],
                image_id=checked.images.ids[checked.owners[i]],
                center=center,
                side=side,
                keypoints=np.where(visibility[:, None] > 0, checked.keypoints[i, :, :2], 0).astype(
                    np.float32
                ),
                visibility=visibility,
                box=box,
                area=_area(checked.entries[i].get("area"), box),
                image_size=checked.images.sizes[checked.owners[i]],
            )
        )
    return refuse(PoseDataset(tuple(people), skeleton, checked.problems), strict)


def _area(stated: object, box: np.ndarray) -> float:
    if are_numbers([stated]) and stated > 0:
        return float(stated)
    return math.prod((box[2:] - box[:2]).tolist())


def _category(checked: ParsedCoco, path: Path) -> dict:
    """The one category with keypoints, its names checked."""
    posed = [entry for entry in checked.category_entries if entry.get("keypoints")]
    if len(posed) != 1:
        names = ", ".join(repr(entry["name"]) for entry in posed) or "none"
        raise ValueError(f"{path}: expected exactly one category with 'keypoints', found {names}")
    names = posed[0]["keypoints"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"{path}: the category {posed[0]['name']!r}: its keypoints {shown(names)} are not texts"
        )
    return posed[0]


def _skeleton(category: dict, path: Path, given: Skeleton | None) -> Skeleton:
    """The given skeleton, or the known one of the same joint names, or one made of the category."""
    names = tuple(name.strip().lower().replace(" ", "_").replace("-", "_") for name in category["keypoints"])
    where = f"the category {category['name']!r} of {path}"
    if given is not None:
        if len(given.joints) != len(names):
            raise ValueError(
                f"skeleton: {given.name!r} has {len(given.joints)} joints, but {where} has {len(names)}"
            )
        return given
    for known in SKELETONS.values():
        if known.joints == names:
            return known
    if len(set(names)) != len(names):
        raise ValueError(
            f"{path}: the category {category['name']!r} has a keypoint name twice: {shown(names)}"
        )
    limbs = category.get("skeleton") or []
    numbers = range(1, len(names) + 1)
    if not isinstance(limbs, list) or not all(
        are_numbers(limb) and len(limb) == 2 and set(limb) <= set(numbers) for limb in limbs
    ):
        raise ValueError(
            f"{path}: the category {category['name']!r}: its skeleton {shown(limbs)} is not a list of pairs "
            f"of keypoint numbers from 1 to {len(names)}"
        )
    return Skeleton(
        name=category["name"],
        joints=names,
        limbs=tuple((int(a) - 1, int(b) - 1) for a, b in limbs),
        flip_pairs=_flip_pairs(names),
    )


def _flip_pairs(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The indices of `left_hip` and `right_hip`, `l_hip` and `r_hip`, `hip_left` and `hip_right`."""
    places = {name: place for place, name in enumerate(names)}
    pairs = []
    for name, place in places.items():
        for left, right in SIDES:
            if name.startswith(f"{left}_"):
                other = f"{right}_{name.removeprefix(f'{left}_')}"
            elif name.endswith(f"_{left}"):
                other = f"{name.removesuffix(f'_{left}')}_{right}"
            else:
                continue
            if other in places:
                pairs.append((place, places[other]))
    return tuple(pairs)
