"""The json forms of MPII: pytorch-pose's and HRNet's."""

from pathlib import Path

from keras_cornernet import files
from keras_cornernet.data.readers.center_scale import Entry
from keras_cornernet.data.readers.problems import shown


def mpii_json_entries(path: Path, split: str) -> list[Entry]:
    """The people of a split.

    Args:
        path: the json file, a list with one object per person.
        split: `"train"`, `"val"` or `"all"` of pytorch-pose's file, which marks the first two; HRNet's is
            read whole, and `"test"` says that its joints were not published.

    Raises:
        ValueError: the file is neither form, or does not mark the split.
    """
    content = files.read_json(path)
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise ValueError(f"{path}: expected a list with one object per person, got {shown(content)}")
    keys = set(content[0]) if content else set()
    if "joint_self" in keys:
        if split == "test":
            raise ValueError(f"split: {path} marks train, val, all, not 'test'")
        return _pytorch_pose(content, path.name, split)
    if {"image", "center", "scale"} <= keys:
        return _hrnet(content, path.name, split)
    raise ValueError(
        f"{path}: expected objects with 'joint_self' (pytorch-pose) or with 'image', 'center' and 'scale' "
        f"(HRNet), the first has: {', '.join(sorted(keys)) or 'nothing'}"
    )


def _pytorch_pose(content: list[dict], source: str, split: str) -> list[Entry]:
    """Pictures, centres and scales go by other names, and visible is the joint's third number."""
    entries, count = [], _Counter()
    for place, person in enumerate(content):
        held_out = bool(person.get("isValidation"))
        if split != "all" and held_out != (split == "val"):
            continue
        name, index = person.get("img_paths"), person.get("annolist_index")
        entries.append(
            Entry(
                place=f"{source}: [{place}]",
                name=name,
                image_id=index - 1 if type(index) is int else count.of(name),  # MATLAB's index
                center=person.get("objpos"),
                scale=person.get("scale_provided"),
                joints=person.get("joint_self"),
            )
        )
    return entries


def _hrnet(content: list[dict], source: str, split: str) -> list[Entry]:
    entries, count = [], _Counter()
    for place, person in enumerate(content):
        joints, visible = person.get("joints"), person.get("joints_vis")
        fault = None
        if isinstance(joints, list):
            if not isinstance(visible, list) or len(visible) != len(joints):
                fault = f"joints_vis {shown(visible)} is not one flag for each of the {len(joints)} joints"
            else:
                pairs = zip(joints, visible, strict=True)
                joints = [[*joint, flag] if isinstance(joint, list) else joint for joint, flag in pairs]
        entries.append(
            Entry(
                place=f"{source}: [{place}]",
                name=person.get("image"),
                image_id=count.of(person.get("image")),
                center=person.get("center"),
                scale=person.get("scale"),
                joints=joints,
                labelled=split != "test",
                fault=fault,
            )
        )
    return entries


class _Counter:
    """Numbers images in the order they first occur."""

    def __init__(self):
        self._places: dict[str, int] = {}

    def of(self, name: object) -> int:
        return self._places.setdefault(repr(name), len(self._places))
