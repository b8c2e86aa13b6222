"""Reads Pascal VOC annotations: a folder with one xml file per image."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.problems import (
    ImageFolder,
    are_numbers,
    box_faults,
    label_table,
    refuse,
    shown,
    size_fault,
)
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample


class _Image(NamedTuple):
    """One xml file, read: `classes` are the names of the boxes."""

    path: str
    image_id: int
    size: tuple[int, int] | None
    xyxy: list[np.ndarray]
    classes: list[str]
    difficult: list[bool]


class _NoDocumentType(ElementTree.TreeBuilder):
    """Refuses a DOCTYPE: with it an untrusted file could define entities that grow without end."""

    def doctype(self, *_):
        raise ValueError("it has a DOCTYPE, which is refused")


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
    the stem of the xml file. What is faulty is left out and named in `DetectionDataset.faults`.

    Args:
        annotations: the folder of xml files.
        images: the folder of the images.
        split: a text file with the stem of one xml file per line (`ImageSets/Main/train.txt`; a second
            column of 1, 0 and -1 is passed over), or None for all xml files by name.
        names: the classes in the order of their labels, or None for all that occur, sorted.
        strict: raise at the first fault.

    Returns:
        The images in the order of the split. Image ids count the xml files from 1; category ids are
        label + 1.

    Raises:
        ValueError: there is no xml file, `names` has a name twice, or `strict` and a fault.
        NotADirectoryError: `annotations` or `images` is not a folder.
    """
    root = Path(annotations)
    if not root.is_dir():
        raise NotADirectoryError(f"annotations: {root} is not a folder")
    stems = sorted(path.stem for path in root.glob("*.xml")) if split is None else _stems(Path(split))
    if not stems:
        raise ValueError(f"{root if split is None else split}: found no xml file to read")
    folder = ImageFolder(images)
    known = None if names is None else label_table(names)

    read, problems = [], []
    for image_id, stem in enumerate(stems, start=1):
        try:
            image, wrong = _image(files.inside(root, f"{stem}.xml"), image_id, folder, known)
            read.append(image)
            problems += [f"{stem}.xml: {fault}" for fault in wrong]
        except ElementTree.ParseError as error:
            problems.append(f"{stem}.xml: not xml: {error}")
        except FileNotFoundError:
            problems.append(f"{stem}.xml: there is no such file in {root}")
        except (ValueError, OSError) as error:
            problems.append(f"{stem}.xml: {error}")

    known = known or label_table(sorted({name for image in read for name in image.classes}))
    categories = Categories(tuple(known), tuple(range(1, len(known) + 1)))
    samples = tuple(Sample(i.path, i.image_id, i.size, _boxes(i, known)) for i in read)
    return refuse(DetectionDataset(samples, categories, tuple(problems)), strict)


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
    path: Path, image_id: int, folder: ImageFolder, known: dict[str, int] | None
) -> tuple[_Image, list[str]]:
    """Reads one xml file; a `ValueError` says why the whole image is left out."""
    files.check_is_file(path)
    parser = ElementTree.XMLParser(target=_NoDocumentType())
    annotation = ElementTree.fromstring(path.read_bytes(), parser)
    size = _size(annotation)
    image = _Image(_image_path(annotation, path.stem, folder), image_id, size, [], [], [])
    frame = np.array([size or (np.nan, np.nan)], np.float64)
    problems = []
    for place, entry in enumerate(annotation.findall("object"), start=1):
        name = entry.findtext("name", "").strip()
        numbers = _numbers(entry.find("bndbox"), ("xmin", "ymin", "xmax", "ymax"))
        if not name:
            fault = "has no name"
        elif known is not None and name not in known:
            fault = f"the class {name!r} is not among the names"
        elif not are_numbers(numbers):
            fault = f"bndbox {shown(numbers)} is not four finite numbers"
        else:
            xyxy = np.array([numbers], np.float64) - (1, 1, 0, 0)
            fault = box_faults(xyxy, frame).get(0)
        if fault:
            problems.append(f"object {place} ({name!r}): {fault}")
            continue
        image.xyxy.append(xyxy[0])
        image.classes.append(name)
        image.difficult.append(entry.findtext("difficult", "0").strip() == "1")
    return image, problems


def _image_path(annotation: ElementTree.Element, stem: str, folder: ImageFolder) -> str:
    """The image's file: by the `filename` of the xml, else by the stem of the xml."""
    stated = annotation.findtext("filename", "").strip()
    fault = folder.fault(stated)
    if not fault:
        return folder.path(stated)
    for suffix in files.IMAGE_SUFFIXES:
        if not folder.fault(stem + suffix):
            return folder.path(stem + suffix)
    raise ValueError(f"image {stated!r}: {fault}")


def _size(annotation: ElementTree.Element) -> tuple[int, int] | None:
    """The stated `(height, width)`, or None."""
    element = annotation.find("size")
    if element is None:
        return None
    height, width = _numbers(element, ("height", "width"))
    fault = size_fault(height, width)
    if fault:
        raise ValueError(fault)
    return None if height is None else (int(height), int(width))


def _numbers(element: ElementTree.Element | None, tags: tuple[str, ...]) -> list:
    """The numbers in the children of those tags; the text where it is no number, None where missing."""
    values = []
    for tag in tags:
        text = None if element is None else element.findtext(tag)
        try:
            values.append(None if text is None else float(text))
        except ValueError:
            values.append(text)
    return values


def _boxes(image: _Image, labels: dict[str, int]) -> Boxes:
    return Boxes(
        np.array(image.xyxy, np.float32).reshape(-1, 4),
        np.array([labels[name] for name in image.classes], np.int32),
        np.array(image.difficult, bool),
    )
