"""Reads YOLO's text files, as Ultralytics, Roboflow, CVAT and Label Studio write them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.checks import raise_if_strict, shown
from keras_cornernet.data.readers.labelled import LabelledImage, dataset_of
from keras_cornernet.data.readers.squares import square_around
from keras_cornernet.data.readers.yolo_set import yolo_set
from keras_cornernet.structures import DetectionDataset, Person, PoseDataset, Problem
from keras_cornernet.structures.datasets import PADDING

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
    plan = yolo_set(annotations, images, split)
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
    plan = yolo_set(annotations, images, split)
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
