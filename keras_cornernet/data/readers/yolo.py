"""Reads YOLO's text files, as Ultralytics, Roboflow, CVAT and Label Studio write them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.checks import raise_if_strict, shown
from keras_cornernet.data.readers.coco_skeleton import pairs_by_name
from keras_cornernet.data.readers.labelled import LabelledImage, dataset_of
from keras_cornernet.data.readers.squares import square_around
from keras_cornernet.skeletons import SKELETONS, Skeleton
from keras_cornernet.structures import DetectionDataset, Person, PoseDataset, Problem
from keras_cornernet.structures.datasets import PADDING

PART_KEYS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
CORNERS = 4


def read_yolo(
    annotations: str | Path, images: str | Path, *, split: str = "train", strict: bool = False
) -> DetectionDataset:
    """Reads the boxes of a data set in YOLO's form.

    Each image of `.../images/...` has a text file of the same name in `.../labels/...`, or beside it, with a
    line for each object: the number of the class, then the centre, width and height of the box as fractions
    of the image as it is shown. Of polygons the extent is taken, of poses the box. An image without a file,
    or with an empty one, is background. Sizes are those of the image files.

    Args:
        annotations: `data.yaml`, with `names` and for each part a folder of images, a list of folders, or a
            text file that lists images; or `classes.txt`, a name in each line, with one part, `"train"`.
        images: the folder that holds all of it; nothing outside of it is read.
        split: `"train"`, `"val"` or `"test"`.
        strict: raise at the first problem.

    Returns:
        The images by name. What cannot be used is named in `problems`.

    Raises:
        ValueError: the yaml has no names or no such part, or `strict` and a problem.
        ImportError: PyYAML is not installed.

    Source: the data sets' documentation of ultralytics.
    """
    plan = _plan(annotations, images, split)
    problems: list[Problem] = []
    found = []
    for path in plan.images(problems):
        image = LabelledImage(str(path))
        try:
            image.known_size()
        except ValueError as error:
            problems.append(Problem(str(path), "", str(error), costs_image=True))
            continue
        for where, values in _rows(plan.labels_of(path), problems):
            try:
                corners = _corners(values, image.known_size(), posed="kpt_shape" in plan.content)
                image.add(corners, plan.name_of(values[0]))
            except ValueError as error:
                problems.append(Problem(*where, str(error)))
        found.append(image)
    return dataset_of(found, problems, names=list(plan.names.values()), strict=strict)


def read_yolo_people(
    annotations: str | Path, images: str | Path, *, split: str = "train", strict: bool = False
) -> PoseDataset:
    """Reads the people of a data set in YOLO's pose form: the box is followed by `x y` or `x y visibility`.

    Args:
        annotations: `data.yaml` with `kpt_shape`, and with `flip_idx` for the pairs of left and right and
            `kpt_names` for the names of joints, as far as it has them. 17 joints without names are COCO's.
        images, split, strict: see `read_yolo`.

    Returns:
        The people; the square of each is that around the box. Of points without visibility, those at 0, 0
        are not annotated.

    Raises:
        ValueError: as `read_yolo`, or the yaml has no `kpt_shape`.
    """
    plan = _plan(annotations, images, split)
    count, numbers = plan.keypoints()
    skeleton = plan.skeleton(count)
    problems: list[Problem] = []
    people = []
    for image_id, path in enumerate(plan.images(problems), start=1):
        image = LabelledImage(str(path))
        try:
            size = image.known_size()
        except ValueError as error:
            problems.append(Problem(str(path), "", str(error), costs_image=True))
            continue
        for where, values in _rows(plan.labels_of(path), problems):
            try:
                if len(values) != 1 + CORNERS + count * numbers:
                    raise ValueError(
                        f"expected a class, a box and {count} joints of {numbers} numbers, got {len(values)} "
                        "numbers"
                    )
                image.add(_corners(values, size, posed=True), plan.name_of(values[0]))
            except ValueError as error:
                problems.append(Problem(*where, str(error), costs_image=True))
                continue
            person = _person(image, image_id, values, (count, numbers))
            if (person.visibility > 0).any():
                people.append(person)
    return raise_if_strict(PoseDataset(tuple(people), skeleton, tuple(problems)), strict)


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
    files.check_is_file(path)
    try:
        content = yaml.safe_load(files.decoded(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ValueError(f"{path}: not yaml{place}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a table with 'names', got {shown(content)}")
    return content


@dataclass(frozen=True)
class _Plan:
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
        for name in (f"{base}/{source}" if base else source, source, climbed):
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
        for start in (folder, self.path.parent, self.root):
            place = files.inside(self.root, str(Path(start.absolute(), name.replace("\\", "/"))))
            if place.is_file():
                return place
        raise ValueError(f"there is no image {name!r} in {self.root}")


def _digits(count: int) -> list[str]:
    return sorted(map(str, range(count)))


def _plan(annotations: str | Path, images: str | Path, split: str) -> _Plan:
    path, root = Path(annotations), Path(images)
    if not root.is_dir():
        raise NotADirectoryError(f"images: {root} is not a folder")
    if path.suffix not in (".yaml", ".yml"):
        names = dict(enumerate(line.strip() for line in files.decoded(path).splitlines() if line.strip()))
        source = "images" if (root / "images").is_dir() else "."
        return _Plan(path, root, _checked_names(names, path), (source,) if split == "train" else (), {})
    content = read_yaml(path)
    names = _checked_names(content.get("names"), path)
    for key in PART_KEYS.get(split, (split,)):
        value = content.get(key)
        if value:
            sources = value if isinstance(value, list) else [value]
            return _Plan(path, root, names, tuple(map(str, sources)), content)
    raise ValueError(f"{path}: it names no images for {split}; expected one of the keys train, val, test")


def has_part(path: Path, split: str) -> bool:
    """Whether a description of a data set in YOLO's form has a part."""
    if path.suffix not in (".yaml", ".yml"):
        return split == "train"
    content = read_yaml(path)
    return any(content.get(key) for key in PART_KEYS[split])


def part_exists(path: Path, root: Path, split: str) -> bool:
    """Whether a folder or file of a part is there that a description names."""
    plan = _plan(path, root, split)
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


def _rows(path: Path, problems: list[Problem]) -> Iterator[tuple[tuple[str, str], list[float]]]:
    """The lines of a label file: where each stands, and its numbers."""
    if not path.is_file():
        return
    try:
        text = files.decoded(path)
    except ValueError as error:
        problems.append(Problem(str(path), "", str(error).removeprefix(f"{path}: "), costs_image=True))
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(word) for word in line.split()]
            if len(values) < 1 + CORNERS or not np.isfinite(values).all():
                raise ValueError
        except ValueError:
            reason = f"expected a class and at least four numbers, got {shown(line.strip())}"
            problems.append(Problem(str(path), f"line {number}", reason))
            continue
        yield (str(path), f"line {number}"), values


def _corners(values: list[float], size: tuple[int, int], *, posed: bool) -> list[float]:
    """The corners of a box, or of a polygon's extent, in pixels.

    Args:
        values: the class, then a box and what belongs to it (a confidence, joints), or a polygon.
        size: `(height, width)` of the image.
        posed: joints follow the box, so that a long row is no polygon.
    """
    height, width = size
    numbers = np.array(values[1:])
    if not posed and len(numbers) >= 6 and len(numbers) % 2 == 0:
        points = numbers.reshape(-1, 2)
        box = [*points.min(axis=0), *points.max(axis=0)]
    else:
        x, y, w, h = numbers[:4]
        box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    if max(map(abs, box)) > 2:
        raise ValueError(f"the box {shown(values[1:5])} is not in fractions of the image size")
    return [float(v) * s for v, s in zip(box, (width, height, width, height), strict=True)]


def _person(image: LabelledImage, image_id: int, values: list[float], shape: tuple[int, int]) -> Person:
    height, width = image.known_size()
    table = np.array(values[1 + CORNERS :]).reshape(shape)
    visibility = table[:, 2] if shape[1] == 3 else np.where((table > 0).any(axis=1), 2, 0)
    seen = np.clip(np.rint(visibility), 0, 2).astype(np.int32)
    box = image.xyxy[-1]
    center, side = square_around(box[:2], box[2:], PADDING)
    keypoints = np.where(seen[:, None] > 0, table[:, :2] * [width, height], 0).astype(np.float32)
    area = float(np.prod(box[2:] - box[:2]))
    return Person(
        image.path,
        image_id,
        center,
        side,
        keypoints,
        seen,
        box.astype(np.float32),
        area,
        image_size=image.size,
    )
