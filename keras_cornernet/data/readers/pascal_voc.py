"""Reads Pascal VOC annotations: a folder with one xml file per image."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.checks import (
    are_numbers,
    image_size,
    is_true,
    raise_if_strict,
    shown,
    unusable_boxes,
)
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.preprocessing import Size
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Problem, Sample


@dataclass
class _Image:
    """What one xml file holds: `classes` are the names of the boxes."""

    path: str
    image_id: int
    size: Size | None
    xyxy: list[np.ndarray] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    difficult: list[bool] = field(default_factory=list)


class _NoDocumentType(ElementTree.TreeBuilder):
    """Accepts no DOCTYPE: in one, an untrusted file could define entities that grow without end."""

    def doctype(self, *_: object) -> None:
        raise ValueError("it has a DOCTYPE, which is not accepted")


def read_pascal_voc(
    annotations: str | Path,
    images: str | Path,
    *,
    split: str | Path | None = None,
    names: Sequence[str] | None = None,
    strict: bool = False,
) -> DetectionDataset:
    """Reads the xml files of a Pascal VOC data set.

    VOC counts pixels from 1 and includes the last one, so that `xmin, ymin, xmax, ymax` becomes
    `xmin - 1, ymin - 1, xmax, ymax`: a box around the first pixel alone, `1, 1, 1, 1`, is 0, 0, 1, 1
    here. `difficult` becomes `ignore`. The image is the one that `filename` names, else the one with
    the stem of the xml file. What cannot be used is left out and named in `DetectionDataset.problems`.

    Args:
        annotations: the folder of xml files.
        images: the folder of the images.
        split: a text file with the stem of one xml file in each line (`ImageSets/Main/train.txt`; a second
            column of 1, 0 and -1 is ignored), or None for all xml files by name.
        names: the classes in the order of their labels, or None for all that occur, sorted.
        strict: raise at the first problem.

    Returns:
        The images in the order of the split. Image ids are the numbers of the xml files, from 1; category ids
        are label + 1.

    Raises:
        ValueError: there is no xml file, `names` is not a list of different names, or `strict` and a problem.
        NotADirectoryError: `annotations` or `images` is not a folder.
    """
    root = Path(annotations)
    if not root.is_dir():
        raise NotADirectoryError(f"annotations: {root} is not a folder")
    stems = sorted(path.stem for path in root.glob("*.xml")) if split is None else _stems(Path(split))
    if not stems:
        raise ValueError(f"{root if split is None else split}: found no xml file to read")
    folder = ImageFolder(images)
    known = None if names is None else set(Categories.of(names, argument="names").names)

    found: list[_Image] = []
    problems: list[Problem] = []
    for image_id, stem in enumerate(stems, start=1):
        path = root / f"{stem}.xml"
        try:
            image, its_problems = _image(files.inside(root, f"{stem}.xml"), image_id, folder, known)
            found.append(image)
            problems += its_problems
        except ElementTree.ParseError as error:
            problems.append(Problem(str(path), "", f"not xml: {error}", costs_image=True))
        except (ValueError, OSError) as error:
            reason = str(error).removeprefix(f"{path}: ")
            problems.append(Problem(str(path), "", reason, costs_image=True))

    if names is None:
        names = sorted({name for image in found for name in image.classes})
    categories = Categories.of(names) if names else Categories((), ())
    samples = tuple(Sample(i.path, i.image_id, i.size, _boxes(i, categories.names)) for i in found)
    return raise_if_strict(DetectionDataset(samples, categories, tuple(problems)), strict)


def _stems(split: Path) -> list[str]:
    """The names in a split file, without the second column that VOC's files per class have."""
    stems = []
    files.check_is_file(split)
    for line in split.read_text(encoding="utf-8-sig").splitlines():  # Windows' editors put a mark first
        words = line.rsplit(maxsplit=1)
        if words:
            stems.append(words[0] if len(words) == 2 and words[1] in ("1", "0", "-1") else line.strip())
    return stems


def _image(
    path: Path, image_id: int, folder: ImageFolder, known: set[str] | None
) -> tuple[_Image, list[Problem]]:
    """Reads one xml file.

    Returns:
        What it holds, and the problems of single boxes.

    Raises:
        ValueError: the reason why the whole image is left out.
    """
    files.check_is_file(path)
    parser = ElementTree.XMLParser(target=_NoDocumentType())
    annotation = ElementTree.fromstring(path.read_bytes(), parser)
    size = image_size(*_numbers(annotation.find("size"), ("height", "width")))
    image = _Image(_image_path(annotation, path.stem, folder), image_id, size)
    problems = []
    for number, entry in enumerate(annotation.findall("object"), start=1):
        name = entry.findtext("name", "").strip()
        try:
            xyxy = _box(entry, name, size, known)
        except ValueError as error:
            problems.append(Problem(str(path), f"object {number} ({name!r})", str(error)))
            continue
        image.xyxy.append(xyxy)
        image.classes.append(name)
        image.difficult.append(is_true(entry.findtext("difficult")))
    return image, problems


def _box(entry: ElementTree.Element, name: str, size: Size | None, known: set[str] | None) -> np.ndarray:
    """`(4,)` float64 `xyxy`; a `ValueError` has the reason why the box cannot be used."""
    if not name:
        raise ValueError("it has no name")
    if known is not None and name not in known:
        raise ValueError(f"the class {name!r} is not among the names")
    numbers = _numbers(entry.find("bndbox"), ("xmin", "ymin", "xmax", "ymax"))
    if not are_numbers(numbers):
        raise ValueError(f"bndbox {shown(numbers)} is not four finite numbers")
    xyxy = np.array([numbers], np.float64) - (1, 1, 0, 0)
    reason = unusable_boxes(xyxy, np.array([size or (np.nan, np.nan)], np.float64)).get(0)
    if reason:
        raise ValueError(reason)
    return np.asarray(xyxy[0])


def _image_path(annotation: ElementTree.Element, stem: str, folder: ImageFolder) -> str:
    """The image's file: by the `filename` of the xml, else by the stem of the xml."""
    stated = annotation.findtext("filename", "").strip()
    reason = folder.unusable(stated)
    if not reason:
        return folder.path(stated)
    for suffix in files.IMAGE_SUFFIXES:
        if not folder.unusable(stem + suffix):
            return folder.path(stem + suffix)
    raise ValueError(f"image {stated!r}: {reason}")


def _numbers(element: ElementTree.Element | None, tags: tuple[str, ...]) -> list[float | str | None]:
    """The numbers in the children of those tags; other texts as they are, None for a missing child."""
    values: list[float | str | None] = []
    for tag in tags:
        text = None if element is None else element.findtext(tag)
        try:
            values.append(None if text is None else float(text))
        except ValueError:
            values.append(text)
    return values


def _boxes(image: _Image, names: tuple[str, ...]) -> Boxes:
    labels = {name: label for label, name in enumerate(names)}
    return Boxes(
        np.array(image.xyxy, np.float32).reshape(-1, 4),
        np.array([labels[name] for name in image.classes], np.int32),
        np.array(image.difficult, bool),
    )
