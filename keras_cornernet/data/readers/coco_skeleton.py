"""The skeleton that a COCO category with keypoints describes."""

import re
from pathlib import Path

from keras_cornernet.data.readers.checks import are_numbers, shown
from keras_cornernet.data.readers.coco_tables import Entry
from keras_cornernet.skeletons import SKELETONS, Skeleton

OPPOSITE = {"left": "right", "l": "r"}


def keypoint_categories(entries: list[Entry], path: Path) -> list[Entry]:
    """The categories that define keypoints, their names checked: one, or several with the same keypoints.

    Args:
        entries: the categories as the file has them.
        path: the file, for the message of an error.

    Raises:
        ValueError: there is no such category, two of them have other keypoints, or `keypoints` are not texts.
    """
    posed = [entry for entry in entries if entry.get("keypoints")]
    if not posed:
        raise ValueError(f"{path}: expected a category with 'keypoints', found none")
    for entry in posed:
        names = entry["keypoints"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(
                f"{path}: the category {entry['name']!r}: its keypoints {shown(names)} are not texts"
            )
        if names != posed[0]["keypoints"]:
            raise ValueError(
                f"{path}: expected the same 'keypoints' in all categories that have some, but those of "
                f"{posed[0]['name']!r} and {entry['name']!r} differ"
            )
    return posed


def skeleton_of(category: Entry, path: Path, given: Skeleton | None = None) -> Skeleton:
    """The skeleton of a category.

    Args:
        category: one of what `keypoint_categories` returned.
        path: the file, for the message of an error.
        given: the skeleton to take; only the number of its joints is checked.

    Returns:
        `given`; else the known skeleton of the same joint names; else one made of the category. In the last,
        joints whose names differ in `left` and `right`, or in `l` and `r`, are a flip pair, however the name
        is
        written: `left_eye`, `eyeLeft`, `front_left_paw`, `L-eye`, `lefteye`, `leye`.

    Raises:
        ValueError: the numbers of joints differ, a name occurs twice, or the limbs are not pairs of joint
            numbers.
    """
    names = tuple(map(_joint_name, category["keypoints"]))
    where = f"{path}: the category {category['name']!r}"
    if given is not None:
        if len(given.joints) != len(names):
            raise ValueError(
                f"skeleton: {given.name!r} has {len(given.joints)} joints, but the category "
                f"{category['name']!r} of {path} has {len(names)}"
            )
        return given
    for known in SKELETONS.values():
        if known.joints == names:
            return known
    if len(set(names)) != len(names):
        raise ValueError(f"{where}: a keypoint name occurs twice: {shown(names)}")
    limbs = category.get("skeleton") or []
    numbers = set(range(1, len(names) + 1))
    if not isinstance(limbs, list) or not all(
        are_numbers(limb) and len(limb) == len(set(limb)) == 2 and set(limb) <= numbers for limb in limbs
    ):
        raise ValueError(
            f"{where}: its skeleton {shown(limbs)} is not a list of pairs of keypoint numbers from 1 to "
            f"{len(names)}"
        )
    return Skeleton(
        name=category["name"],
        joints=names,
        limbs=tuple((int(a) - 1, int(b) - 1) for a, b in limbs),
        flip_pairs=_flip_pairs(names),
    )


def _joint_name(name: str) -> str:
    """The words of a name in lower case, joined by underscores: `leftEye` becomes `left_eye`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[\W_]+", "_", words).strip("_").lower() or name


def pairs_by_name(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The index pairs of left and right joints, by their names in any usual spelling."""
    return _flip_pairs(tuple(map(_joint_name, names)))


def _flip_pairs(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """The index pairs of joints that trade places in a mirrored image."""
    indices = {name: i for i, name in enumerate(names)}
    pairs: list[tuple[int, int]] = []
    paired: set[int] = set()
    for i, name in enumerate(names):
        for other in _mirrored_names(name):
            j = indices.get(other, i)
            if i != j and not {i, j} & paired:
                pairs.append((i, j))
                paired |= {i, j}
    return tuple(pairs)


def _mirrored_names(name: str) -> list[str]:
    """The names that the same joint on the right may have, if this is one on the left."""
    words = name.split("_")
    found = [
        "_".join([*words[:i], OPPOSITE[word], *words[i + 1 :]])
        for i, word in enumerate(words)
        if word in OPPOSITE
    ]
    if "left" in name:
        found.append(name.replace("left", "right"))
    if name.startswith("l"):
        found.append(f"r{name[1:]}")
    if name.endswith("l"):
        found.append(f"{name[:-1]}r")
    return found
