"""What a data set in YOLO's form says of itself: its classes, joints, parts and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.data.readers.checks import shown
from keras_cornernet.data.readers.coco_skeleton import pairs_by_name
from keras_cornernet.data.readers.image_folder import without_drive
from keras_cornernet.skeletons import SKELETONS, Skeleton
from keras_cornernet.structures import Problem

PART_KEYS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}


def has_people(path: Path) -> bool:
    """Whether a yaml file describes poses."""
    return path.suffix in (".yaml", ".yml") and "kpt_shape" in read_yaml(path)


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a yaml file, which may hold data alone.

    Raises:
        ValueError: it is not yaml, or no table.
        ImportError: PyYAML is not installed.
    """
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError("yaml files need PyYAML: pip install pyyaml") from error
    text = files.decoded(path)
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # a date that is none is a ValueError
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ValueError(f"{path}: not yaml{place}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a table with 'names', got {shown(content)}")
    return content


@dataclass(frozen=True)
class YoloSet:
    """What a data set in YOLO's form says of itself.

    Attributes:
        path: the file that says so.
        root: nothing outside of it is read.
        names: of the classes by number.
        sources: of the part: folders of images, or text files that list images.
        content: of the yaml.
    """

    path: Path
    root: Path
    names: dict[int, str]
    sources: tuple[str, ...]
    content: Mapping[str, Any]

    def name_of(self, number: float) -> str:
        """The name of a class, or `ValueError` if there is none of that number."""
        if number != int(number) or int(number) not in self.names:
            raise ValueError(f"the class {number:g} is not one of 0 to {max(self.names)}")
        return self.names[int(number)]

    def images(self, problems: list[Problem]) -> list[Path]:
        """The image files of the part; those that are listed and missing become problems."""
        found: list[Path] = []
        for source in self.sources:
            place = self.resolve(source)
            if place.is_dir():
                listed = (p for p in place.rglob("*") if p.suffix.lower() in files.IMAGE_SUFFIXES)
                found += sorted(path for path in listed if path.is_file())
                continue
            for number, line in enumerate(files.decoded(place).splitlines(), start=1):
                if not line.strip():
                    continue
                try:
                    found.append(self._listed(line.strip(), place.parent))
                except ValueError as error:
                    problems.append(Problem(str(place), f"line {number}", str(error), costs_image=True))
        return found

    def labels_of(self, image: Path) -> Path:
        """The text file of an image."""
        parts = list(image.parts)
        for i in range(len(parts) - 2, 0, -1):
            if parts[i].lower() == "images":
                parts[i] = "labels"
                there = Path(*parts).with_suffix(".txt")
                if there.parent.is_dir():
                    return there
                break
        return image.with_suffix(".txt")

    def keypoints(self) -> tuple[int, int]:
        """How many joints there are, and how many numbers each has."""
        shape = self.content.get("kpt_shape")
        if not isinstance(shape, list) or len(shape) != 2 or not all(type(n) is int for n in shape):
            raise ValueError(f"{self.path}: expected kpt_shape: [joints, 2 or 3], got {shown(shape)}")
        count, numbers = shape
        if count < 1 or numbers not in (2, 3):
            raise ValueError(f"{self.path}: expected kpt_shape: [joints, 2 or 3], got {shown(shape)}")
        return count, numbers

    def skeleton(self, count: int) -> Skeleton:
        """The skeleton of the joints."""
        given = self.content.get("kpt_names")
        if isinstance(given, dict):
            given = next(iter(given.values()), None)
        coco = SKELETONS["coco"]
        if given is None and count == len(coco.joints):
            return coco
        names = given if isinstance(given, list) else [f"joint_{i}" for i in range(count)]
        if len(names) != count or len(set(map(str, names))) != count:
            raise ValueError(f"{self.path}: kpt_names should be {count} different names, got {shown(names)}")
        mirrored = self.content.get("flip_idx") or []
        if mirrored and (not isinstance(mirrored, list) or sorted(map(str, mirrored)) != _digits(count)):
            raise ValueError(
                f"{self.path}: flip_idx should list the joints 0 to {count - 1} once each, got "
                f"{shown(mirrored)}"
            )
        pairs = tuple((i, int(j)) for i, j in enumerate(mirrored) if i < int(j))
        joints = tuple(map(str, names))
        return Skeleton("yolo", joints, (), pairs or pairs_by_name(joints))

    def resolve(self, source: str) -> Path:
        """The folder or file of a part, which tools state from different places."""
        base = str(self.content.get("path") or "")
        climbed = "/".join(part for part in source.replace("\\", "/").split("/") if part not in ("..", "."))
        whole = f"{base}/{source}" if base else source
        for name in (whole, source, climbed, *without_drive(source), *without_drive(whole)):
            for start in (self.path.parent, self.root):
                try:
                    place = files.inside(self.root, str(Path(start.absolute(), name)))
                except ValueError:
                    continue
                if place.exists():
                    return place
        raise ValueError(f"{self.path}: there is no {source!r} in {self.root}")

    def _listed(self, name: str, folder: Path) -> Path:
        """An image that a text file lists."""
        for spelling in (name.replace("\\", "/"), *without_drive(name)):
            for start in (folder, self.path.parent, self.root):
                place = files.inside(self.root, str(Path(start.absolute(), spelling)))
                if place.is_file():
                    return place
        raise ValueError(f"there is no image {name!r} in {self.root}")


def _digits(count: int) -> list[str]:
    return sorted(map(str, range(count)))


def yolo_set(annotations: str | Path, images: str | Path, split: str) -> YoloSet:
    path, root = Path(annotations), Path(images)
    if not root.is_dir():
        raise NotADirectoryError(f"images: {root} is not a folder")
    if path.suffix not in (".yaml", ".yml"):
        names = dict(enumerate(line.strip() for line in files.decoded(path).splitlines() if line.strip()))
        source = "images" if (root / "images").is_dir() else "."
        return YoloSet(path, root, _checked_names(names, path), (source,) if split == "train" else (), {})
    content = read_yaml(path)
    names = _checked_names(content.get("names"), path)
    for key in PART_KEYS.get(split, (split,)):
        value = content.get(key)
        if value:
            sources = value if isinstance(value, list) else [value]
            return YoloSet(path, root, names, tuple(map(str, sources)), content)
    raise ValueError(f"{path}: it names no images for {split}; expected one of the keys train, val, test")


def has_part(path: Path, split: str) -> bool:
    """Whether a description of a data set in YOLO's form has a part."""
    if path.suffix not in (".yaml", ".yml"):
        return split == "train"
    content = read_yaml(path)
    return any(content.get(key) for key in PART_KEYS[split])


def part_exists(path: Path, root: Path, split: str) -> bool:
    """Whether a folder or file of a part is there that a description names."""
    plan = yolo_set(path, root, split)
    try:
        return all(plan.resolve(source) for source in plan.sources)
    except ValueError:
        return False


def _checked_names(names: object, path: Path) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or not all(type(key) is int for key in names):
        raise ValueError(f"{path}: expected 'names' with a name for each class number, got {shown(names)}")
    listed = [str(names[key]).strip() for key in sorted(names)]
    if len(set(listed)) != len(listed):
        raise ValueError(f"{path}: a class name occurs twice in {shown(listed)}")
    return dict(zip(sorted(names), listed, strict=True))
