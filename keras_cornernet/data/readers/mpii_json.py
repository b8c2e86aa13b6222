"""The json files of MPII: pytorch-pose's and HRNet's."""

from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.data.readers.center_scale import Entry
from keras_cornernet.data.readers.checks import shown


def mpii_json_entries(path: Path, split: str) -> list[Entry]:
    """The people of a split.

    Args:
        path: the json file, a list with one object for each person.
        split: `"train"`, `"val"` or `"all"` of pytorch-pose's file, which marks the first two; HRNet's is
            read whole, and `"test"` says that its joints were not published.

    Raises:
        ValueError: the file is neither of the two, or does not mark the split.
    """
    content = files.read_json(path)
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise ValueError(f"{path}: expected a list with one object for each person, got {shown(content)}")
    keys = set(content[0]) if content else set()
    if "joint_self" in keys:
        if split == "test":
            raise ValueError(f"split: {path} marks train, val, all, not 'test'")
        return _pytorch_pose(content, split)
    if {"image", "center", "scale"} <= keys:
        return _hrnet(content, split)
    raise ValueError(
        f"{path}: expected objects with 'joint_self' (pytorch-pose) or with 'image', 'center' and 'scale' "
        f"(HRNet), the first has: {', '.join(sorted(keys)) or 'nothing'}"
    )


def _pytorch_pose(content: list[dict[str, Any]], split: str) -> list[Entry]:
    """The people of pytorch-pose's file, in which visible is the joint's third number."""
    entries, numbers = [], _ImageNumbers()
    for i, person in enumerate(content):
        held_out = bool(person.get("isValidation"))
        if split != "all" and held_out != (split == "val"):
            continue
        name, index = person.get("img_paths"), person.get("annolist_index")
        entries.append(
            Entry(
                where=f"[{i}]",
                name=name,
                image_id=index - 1 if type(index) is int else numbers.of(name),  # MATLAB's index
                center=person.get("objpos"),
                scale=person.get("scale_provided"),
                joints=person.get("joint_self"),
            )
        )
    return entries


def _hrnet(content: list[dict[str, Any]], split: str) -> list[Entry]:
    """The people of HRNet's file, in which the visible flags are a list of their own."""
    entries, numbers = [], _ImageNumbers()
    for i, person in enumerate(content):
        joints, visible = person.get("joints"), person.get("joints_vis")
        unusable = None
        if isinstance(joints, list):
            if not isinstance(visible, list) or len(visible) != len(joints):
                unusable = f"joints_vis {shown(visible)} is not one flag for each of the {len(joints)} joints"
            else:
                pairs = zip(joints, visible, strict=True)
                joints = [[*joint, flag] if isinstance(joint, list) else joint for joint, flag in pairs]
        entries.append(
            Entry(
                where=f"[{i}]",
                name=person.get("image"),
                image_id=numbers.of(person.get("image")),
                center=person.get("center"),
                scale=person.get("scale"),
                joints=joints,
                labelled=split != "test",
                unusable=unusable,
            )
        )
    return entries


class _ImageNumbers:
    """Numbers images in the order in which they first occur."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, name: object) -> int:
        return self._numbers.setdefault(repr(name), len(self._numbers))
