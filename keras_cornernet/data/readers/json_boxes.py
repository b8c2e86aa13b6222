"""Reads boxes from the json files of CreateML, LabelMe and Label Studio."""

import math
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.data.readers.checks import are_numbers, image_size, shown
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.labelled import LabelledImage, dataset_of
from keras_cornernet.structures import DetectionDataset, Problem

Entry = dict[str, Any]


def read_createml(annotations: str | Path, images: str | Path, *, strict: bool = False) -> DetectionDataset:
    """Reads CreateML's json: a list of `image` and `annotations`, each of a `label` and `coordinates`.

    The coordinates `x`, `y` are the centre of the box, in pixels.

    Args:
        annotations: the file.
        images: the folder that the names are relative to.
        strict: raise at the first problem.

    Raises:
        ValueError: the file is of another form, or `strict` and a problem.
    """
    path = Path(annotations)
    folder, problems = ImageFolder(images), list[Problem]()
    found = []
    for i, entry in enumerate(_entries(path)):
        name = entry.get("image", entry.get("imagefilename"))
        image = _image(folder, name, (str(path), f"[{i}] ({name!r})"), problems)
        if image is None:
            continue
        found.append(image)
        for j, box in enumerate(_list(entry.get("annotations", entry.get("annotation")))):
            try:
                image.add(_around_centre(box.get("coordinates")), box.get("label"))
            except ValueError as error:
                problems.append(Problem(str(path), f"[{i}].annotations[{j}] ({name!r})", str(error)))
    return dataset_of(found, problems, strict=strict)


def read_labelme(annotations: str | Path, images: str | Path, *, strict: bool = False) -> DetectionDataset:
    """Reads LabelMe's json files, one for each image: rectangles, and the extents of polygons and circles.

    Points and lines are no objects with an extent and are left out without a word. The image is the one that
    `imagePath` names, else the one with the stem of the json file.

    Args:
        annotations: the folder of json files.
        images: the folder of the images.
        strict: raise at the first problem.

    Raises:
        ValueError: there is no json file, or `strict` and a problem.
        NotADirectoryError: one of the folders is none.
    """
    root = Path(annotations)
    if not root.is_dir():
        raise NotADirectoryError(f"annotations: {root} is not a folder")
    folder, problems = ImageFolder(images), list[Problem]()
    paths = sorted(root.glob("*.json"))
    if not paths:
        raise ValueError(f"{root}: found no json file to read")
    found = []
    for path in paths:
        try:
            content = files.read_json(path, tables=("shapes",))
            size = image_size(content.get("imageHeight"), content.get("imageWidth"))
        except (ValueError, OSError) as error:
            reason = str(error).removeprefix(f"{path}: ")
            problems.append(Problem(str(path), "", reason, costs_image=True))
            continue
        name = content.get("imagePath")
        image = _labelme_image(folder, name, path.stem, size)
        if image is None:
            reason = f"image {name!r}: there is no such file in {folder.root}"
            problems.append(Problem(str(path), "", reason, costs_image=True))
            continue
        found.append(image)
        for j, shape in enumerate(content["shapes"]):
            try:
                corners = _extent(shape)
                if corners is not None:
                    image.add(corners, shape.get("label"))
            except ValueError as error:
                problems.append(Problem(str(path), f"shapes[{j}]", str(error)))
    return dataset_of(found, problems, strict=strict)


def read_label_studio(
    annotations: str | Path, images: str | Path, *, strict: bool = False
) -> DetectionDataset:
    """Reads Label Studio's json: a list of tasks, each with the image under `data` and `annotations`.

    Rectangles are in per cent of the image. Of a rectangle that is turned the extent is taken. Of several
    annotations of a task the last that was not cancelled counts. Paths of uploads and of local storage are
    found by their names, see `ImageFolder.find`.

    Args:
        annotations: the file.
        images: the folder of the images.
        strict: raise at the first problem.

    Raises:
        ValueError: the file is of another form, or `strict` and a problem.
    """
    path = Path(annotations)
    folder, problems = ImageFolder(images), list[Problem]()
    found = []
    for i, task in enumerate(_entries(path)):
        given = task.get("data")
        data = given if isinstance(given, dict) else {}
        name = next((v for v in data.values() if isinstance(v, str) and _looks_like_image(v)), None)
        image = _image(folder, name, (str(path), f"[{i}] ({name!r})"), problems)
        if image is None:
            continue
        found.append(image)
        kept = [a for a in _list(task.get("annotations")) if not a.get("was_cancelled")]
        for j, result in enumerate(_list(kept[-1].get("result")) if kept else ()):
            value = result.get("value")
            labels = value.get("rectanglelabels") if isinstance(value, dict) else None
            if not isinstance(value, dict) or not labels:
                continue
            try:
                stated = image_size(result.get("original_height"), result.get("original_width"))
                corners = _turned(value, stated or image.known_size())
                image.add(corners, labels[0] if isinstance(labels, list) else labels)
            except ValueError as error:
                problems.append(Problem(str(path), f"[{i}].result[{j}] ({name!r})", str(error)))
    return dataset_of(found, problems, strict=strict)


def _entries(path: Path) -> list[Entry]:
    content = files.read_json(path)
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise ValueError(f"{path}: expected a list of objects, got {shown(content)}")
    return content


def _list(value: object) -> list[Entry]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _image(
    folder: ImageFolder, name: object, where: tuple[str, str], problems: list[Problem]
) -> LabelledImage | None:
    """The image of that name; None, and a problem, if there is none."""
    try:
        image = LabelledImage(folder.find(name))
        image.known_size()
        return image
    except ValueError as error:
        problems.append(Problem(*where, str(error), costs_image=True))
        return None


def _labelme_image(folder: ImageFolder, name: object, stem: str, size: Any) -> LabelledImage | None:
    """By `imagePath`, by its last part, or by the stem of the json file."""
    last = str(name).replace("\\", "/").rsplit("/", 1)[-1]
    for candidate in (name, last, *(stem + suffix for suffix in files.IMAGE_SUFFIXES)):
        try:
            return LabelledImage(folder.find(candidate), size)
        except ValueError:
            continue
    return None


def _around_centre(coordinates: object) -> list[float]:
    keys = ("x", "y", "width", "height")
    values: list[Any] = [coordinates.get(key) for key in keys] if isinstance(coordinates, dict) else []
    if len(values) != len(keys) or not are_numbers(values):
        raise ValueError(f"coordinates {shown(coordinates)} are not x, y, width and height")
    x, y, width, height = values
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def _extent(shape: Entry) -> list[float] | None:
    """The corners of a shape; None for points and lines."""
    kind, points = shape.get("shape_type", "polygon"), shape.get("points")
    if kind in ("point", "points", "line", "linestrip"):
        return None
    try:
        pairs = [(float(x), float(y)) for x, y in points or ()]
    except (TypeError, ValueError):
        raise ValueError(f"points {shown(points)} are not pairs of numbers") from None
    if len(pairs) < 2:
        raise ValueError(f"points {shown(points)}: expected at least two")
    if kind == "circle":
        (x, y), edge = pairs[0], pairs[1]
        radius = math.dist((x, y), edge)
        return [x - radius, y - radius, x + radius, y + radius]
    xs, ys = zip(*pairs, strict=True)
    return [min(xs), min(ys), max(xs), max(ys)]


def _looks_like_image(text: str) -> bool:
    return text.split("?d=")[-1].split("?")[0].lower().endswith(files.IMAGE_SUFFIXES)


def _turned(value: Entry, size: tuple[int, int]) -> list[float]:
    """The extent of a rectangle in per cent that is turned about its first corner by degrees, clockwise."""
    numbers = [value.get(key, 0) for key in ("x", "y", "width", "height", "rotation")]
    if not are_numbers(numbers):
        raise ValueError(f"the rectangle {shown(value)} has no numbers")
    height, width = size
    x, y = numbers[0] / 100 * width, numbers[1] / 100 * height
    w, h = numbers[2] / 100 * width, numbers[3] / 100 * height
    angle = math.radians(numbers[4])
    across = (w * math.cos(angle), w * math.sin(angle))
    down = (-h * math.sin(angle), h * math.cos(angle))
    xs = [x + a * across[0] + b * down[0] for a in (0, 1) for b in (0, 1)]
    ys = [y + a * across[1] + b * down[1] for a in (0, 1) for b in (0, 1)]
    return [min(xs), min(ys), max(xs), max(ys)]
