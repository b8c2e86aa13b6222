"""Reads object-detection sets of TensorFlow Datasets, by writing their images to a folder."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_cornernet import files
from keras_cornernet.data.readers.checks import raise_if_strict, shown, unusable_boxes
from keras_cornernet.extras import import_extra
from keras_cornernet.preprocessing import Size, open_image
from keras_cornernet.preprocessing.reading import ORIENTATION
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Problem, Sample

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "BMP": ".bmp", "WEBP": ".webp"}
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
UNREADABLE = (ValueError, TypeError, OSError)


def read_tfds(
    name: str, split: str, folder: str | Path, *, data_dir: str | Path | None = None, strict: bool = False
) -> DetectionDataset:
    """Reads an object-detection set of TensorFlow Datasets, such as `bccd`, `voc/2007`, `coco/2017`.

    The set is downloaded and prepared if it is not yet. Its images are written to `folder` without encoding
    them again; images that are there already are not written again.

    Args:
        name: the set, with its configuration: `"bccd"`, `"voc/2007"`.
        split: the split, as TensorFlow Datasets spells it: `"train"`, `"validation[:50%]"`.
        folder: the images are written to it.
        data_dir: the folder of TensorFlow Datasets, or None for its default.
        strict: raise at the first problem.

    Returns:
        The images in the order of the set; see `convert_examples`.

    Raises:
        ImportError: `tensorflow_datasets` is not installed.
        ValueError: the set has no boxes, or `strict` and a problem.
    """
    tensorflow_datasets = import_extra("tensorflow_datasets", "tfds", "read_tfds")
    builder = tensorflow_datasets.builder(name, data_dir=None if data_dir is None else str(data_dir))
    names = class_names(builder.info.features, name)
    builder.download_and_prepare()
    encoded = {"image": tensorflow_datasets.decode.SkipDecoding()}
    examples = tensorflow_datasets.as_numpy(builder.as_dataset(split=split, decoders=encoded))
    return convert_examples(examples, names, folder, source=f"{name} {split}", strict=strict)


def class_names(features: Mapping[str, Any], source: str = "the set") -> tuple[str, ...]:
    """The class names that the features of a set state under `objects/label`.

    Raises:
        ValueError: the features are not those of an object-detection set.
    """
    try:
        _, _ = features["image"], features["objects"]["bbox"]
        return tuple(features["objects"]["label"].names)
    except (KeyError, AttributeError, TypeError):
        raise ValueError(
            f"{source}: expected the features image, objects/bbox and objects/label (with names), "
            f"got {', '.join(features)}"
        ) from None


def convert_examples(
    examples: Iterable[Mapping[str, Any]],
    names: Sequence[str],
    folder: str | Path,
    *,
    source: str = "examples",
    strict: bool = False,
) -> DetectionDataset:
    """Writes the images of examples to a folder and gathers their boxes.

    Args:
        examples: each with `image` (the bytes of an image file, or `(height, width, channels)` uint8),
            `objects` with `bbox` `(n, 4)` as `ymin, xmin, ymax, xmax` in 0..1 and `label` `(n,)`, and
            where the set has them `image/filename`, `image/id`, and in `objects` `is_crowd` or
            `is_difficult`, which become `ignore`.
        names: the class names.
        folder: the images are written to it; no name may lead outside of it.
        source: what problems call the examples.
        strict: raise at the first problem.

    Returns:
        The images in the order of the examples. Image ids are `image/id` where it is a whole number, else the
        number of the example, from 1; category ids are the labels. Boxes are in pixels of the image as
        stored: an EXIF rotation, which TensorFlow does not apply, is removed from the file.

    Raises:
        ValueError: `names` is not a list of different names, or `strict` and a problem.
    """
    categories = Categories(Categories.of(names, argument="names").names, tuple(range(len(names))))
    samples: list[Sample] = []
    problems: list[Problem] = []
    ids: set[int] = set()
    paths: set[Path] = set()
    for number, example in enumerate(examples, start=1):
        name = _file_name(example, number)
        where = f"example {number} ({name!r})"
        image_id = int(example["image/id"]) if _is_whole(example.get("image/id")) else number
        try:
            content, suffix, size = _image_file(example["image"])
            path = _with_suffix(files.inside(folder, name), suffix)
            if image_id in ids or path in paths:
                raise ValueError("another example has the same image id or file name; the first one is kept")
            if not (path.is_file() and path.read_bytes() == content):
                files.write_bytes(path, content)
        except UNREADABLE as error:
            problems.append(Problem(source, where, str(error), costs_image=True))
            continue
        ids.add(image_id)
        paths.add(path)
        boxes, unusable = _boxes(example["objects"], size, len(names))
        problems += [Problem(source, f"{where}, object {i}", unusable[i]) for i in sorted(unusable)]
        samples.append(Sample(str(path), image_id, size, boxes))
    return raise_if_strict(DetectionDataset(tuple(samples), categories, tuple(problems)), strict)


def _is_whole(value: Any) -> bool:
    return np.ndim(value) == 0 and np.issubdtype(np.asarray(value).dtype, np.integer)


def _file_name(example: Mapping[str, Any], number: int) -> str:
    stated = example.get("image/filename", "")
    text = stated.decode("utf-8", "replace") if isinstance(stated, bytes) else str(stated)
    return text or f"{number:08d}"


def _image_file(image: bytes | np.ndarray) -> tuple[bytes, str, Size]:
    """The content of an image file, the suffix that fits it, and `(height, width)`."""
    if not isinstance(image, bytes):
        pixels = Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
        return _png(pixels), ".png", pixels.size[::-1]
    with open_image(io.BytesIO(image)) as opened:
        size, suffix = opened.size[::-1], SUFFIXES.get(opened.format or "")
        if suffix is None or opened.getexif().get(ORIENTATION, 1) != 1:
            return _png(opened), ".png", size
        return image, suffix, size


def _with_suffix(path: Path, suffix: str) -> Path:
    fits = path.suffix.lower().replace(".jpeg", ".jpg") == suffix
    return path if fits else path.with_name(path.name + suffix)


def _png(image: Image.Image) -> bytes:
    """The pixels alone, without metadata."""
    pixels = image if image.mode in PNG_MODES else image.convert("RGB")
    pixels.load()
    pixels.info = {}
    buffer = io.BytesIO()
    pixels.save(buffer, format="PNG", exif=b"")
    return buffer.getvalue()


def _boxes(objects: Mapping[str, Any], size: Size, classes: int) -> tuple[Boxes, dict[int, str]]:
    """The usable boxes in pixels, and the reason why others cannot be used, by index."""
    relative = np.asarray(objects["bbox"], np.float64).reshape(-1, 4)
    labels = np.asarray(objects["label"], np.int64).reshape(-1)
    flags = objects.get("is_crowd", objects.get("is_difficult", np.zeros(len(labels), bool)))
    finite = np.asarray(np.isfinite(relative).all(axis=1))
    height, width = size
    xyxy = np.where(finite[:, None], relative, (0, 0, 1, 1))[:, [1, 0, 3, 2]] * (width, height, width, height)
    unusable = unusable_boxes(xyxy, np.full((len(xyxy), 2), size, np.float64))
    for i in np.flatnonzero(~finite):
        unusable[int(i)] = f"bbox {shown(relative[i].tolist())} is not four finite numbers"
    for i in np.flatnonzero((labels < 0) | (labels >= classes)):
        unusable[int(i)] = f"the label {labels[i]} is not among the {classes} classes"
    keep = np.setdiff1d(np.arange(len(xyxy)), list(unusable)).astype(int)
    boxes = Boxes(
        xyxy[keep].astype(np.float32),
        labels[keep].astype(np.int32),
        np.asarray(flags, bool).reshape(-1)[keep],
    )
    return boxes, unusable
