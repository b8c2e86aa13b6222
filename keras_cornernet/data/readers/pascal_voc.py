"""Reads Pascal VOC annotations: a folder with one xml file per image."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from keras_cornernet import files
from keras_cornernet.data.readers.checks import are_numbers, image_size, is_true, shown
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.labelled import LabelledImage, dataset_of
from keras_cornernet.structures import Categories, DetectionDataset, Problem


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

    found: list[LabelledImage] = []
    ids: list[int] = []
    problems: list[Problem] = []
    for image_id, stem in enumerate(stems, start=1):
        path = root / f"{stem}.xml"
        try:
            image, its_problems = _image(files.inside(root, f"{stem}.xml"), folder, known)
            found.append(image)
            ids.append(image_id)
            problems += its_problems
        except ElementTree.ParseError as error:
            problems.append(Problem(str(path), "", f"not xml: {error}", costs_image=True))
        except (ValueError, OSError) as error:
            reason = str(error).removeprefix(f"{path}: ")
            problems.append(Problem(str(path), "", reason, costs_image=True))

    return dataset_of(found, problems, names=names, ids=ids, strict=strict)


def _stems(split: Path) -> list[str]:
    """The names in a split file, without the second column that VOC's files per class have."""
    stems = []
    for line in files.decoded(split).splitlines():
        words = line.rsplit(maxsplit=1)
        if words:
            stems.append(words[0] if len(words) == 2 and words[1] in ("1", "0", "-1") else line.strip())
    return stems


def _image(path: Path, folder: ImageFolder, known: set[str] | None) -> tuple[LabelledImage, list[Problem]]:
    """Reads one xml file.

    Returns:
        What it holds, and the problems of single boxes.

    Raises:
        ValueError: the reason why the whole image is left out.
    """
    files.check_is_file(path)
    parser = ElementTree.XMLParser(target=_NoDocumentType())
    annotation = ElementTree.fromstring(path.read_bytes(), parser)
    for element in annotation.iter():  # some tools set a namespace, or capitals
        element.tag = element.tag.rpartition("}")[2].lower()
    size = image_size(*_numbers(annotation.find("size"), ("height", "width")))
    image = LabelledImage(_image_path(annotation, path.stem, folder), size)
    problems = []
    for number, entry in enumerate(annotation.findall("object"), start=1):
        name = entry.findtext("name", "").strip()
        try:
            corners = _corners(entry, name, known)
            image.add(corners, name, ignore=_is_difficult(entry))
        except ValueError as error:
            problems.append(Problem(str(path), f"object {number} ({name!r})", str(error)))
    return image, problems


def _is_difficult(entry: ElementTree.Element) -> bool:
    try:
        return is_true(entry.findtext("difficult"))
    except ValueError as error:
        raise ValueError(f"difficult: {error}") from None


def _corners(entry: ElementTree.Element, name: str, known: set[str] | None) -> list[float]:
    """The corners of a box in pixels that count from 0; a `ValueError` has the reason why there are none."""
    if not name:
        raise ValueError("it has no name")
    if known is not None and name not in known:
        raise ValueError(f"the class {name!r} is not among the names")
    numbers = _numbers(entry.find("bndbox"), ("xmin", "ymin", "xmax", "ymax"))
    if not are_numbers(numbers):
        raise ValueError(f"bndbox {shown(numbers)} is not four finite numbers")
    return [numbers[0] - 1, numbers[1] - 1, numbers[2], numbers[3]]


def _image_path(annotation: ElementTree.Element, stem: str, folder: ImageFolder) -> str:
    """The image's file: by the `filename` of the xml, else by the stem of the xml."""
    stated = annotation.findtext("filename", "").strip()
    try:
        return folder.find(stated)
    except ValueError as error:
        for suffix in files.IMAGE_SUFFIXES:
            if not folder.unusable(stem + suffix):
                return folder.path(stem + suffix)
        raise ValueError(f"image {stated!r}: {error}") from None


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
