"""Reads boxes from TFRecord files of the TensorFlow Object Detection API."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.data.archives import cache_folder
from keras_cornernet.data.readers.checks import shown
from keras_cornernet.data.readers.labelled import LabelledImage, dataset_of
from keras_cornernet.structures import DetectionDataset, Problem

SIDES = ("xmin", "ymin", "xmax", "ymax")
SUFFIXES = {"jpeg": ".jpg", "jpg": ".jpg", "png": ".png", "gif": ".gif", "bmp": ".bmp"}


def read_tfrecord(
    annotations: str | Path, images: str | Path | None = None, *, strict: bool = False
) -> DetectionDataset:
    """Reads the examples of TFRecord files, whose images are written to the cache, see `data.archives`.

    Features: `image/encoded`, `image/object/bbox/{xmin,ymin,xmax,ymax}` in fractions,
    `image/object/class/text` or `../label` with a label map (a `.pbtxt` beside the file or above it), and
    `image/object/{difficult,group_of,is_crowd}`, which become `ignore`.

    Args:
        annotations: a file; of shards (`name.tfrecord-00000-of-00010`) any one, or a pattern with `*`.
        images: not used; the images are in the file.
        strict: raise at the first problem.

    Raises:
        ValueError: the file is damaged, or `strict` and a problem.
        ImportError: TensorFlow is not installed.

    Source: `research/object_detection/dataset_tools` and `data_decoders/tf_example_decoder.py` of
    tensorflow/models.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError("TFRecord files need TensorFlow: pip install 'keras_cornernet[tf-cpu]'") from error
    path = Path(annotations)
    shards = shards_of(path)
    names = _label_map(path.parent)
    found: list[LabelledImage] = []
    problems: list[Problem] = []
    for shard in shards:
        folder = cache_folder(shard, "images")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for number, record in enumerate(tf.data.TFRecordDataset(str(shard)).as_numpy_iterator()):
                where = (str(shard), f"example {number}")
                features = tf.train.Example.FromString(record).features.feature
                try:
                    image = LabelledImage(str(_write_image(features, folder, number)))
                    image.known_size()
                except ValueError as error:
                    problems.append(Problem(*where, str(error), costs_image=True))
                    continue
                found.append(image)
                problems += _add_boxes(features, image, names, where)
        except (tf.errors.DataLossError, ValueError) as error:
            raise ValueError(f"{shard}: not a TFRecord file, or damaged: {_first_line(error)}") from None
        except Exception as error:
            if type(error).__name__ != "DecodeError":  # of protobuf, whose home differs by version
                raise
            raise ValueError(f"{shard}: holds something else than tf.train.Example") from None
    classes = None if not names else [names[number] for number in sorted(names)]
    if classes is not None:
        classes += sorted({name for image in found for name in image.classes} - set(classes))
    return dataset_of(found, problems, names=classes, strict=strict)


def shards_of(path: Path) -> list[Path]:
    """The files that belong together: those of a pattern, the other shards, or the one alone.

    Raises:
        ValueError: a shard is missing.
        OSError: there is no such file.
    """
    if "*" in path.name:
        found = sorted(path.parent.glob(path.name))
        if not found:
            raise ValueError(f"{path}: no file has such a name")
        return found
    files.check_is_file(path)
    match = re.search(r"-(\d{5})-of-(\d{5})", path.name)
    if match is None:
        return [path]
    before, after = path.name[: match.start()], path.name[match.end() :]
    wanted = [f"{before}-{i:05d}-of-{match[2]}{after}" for i in range(int(match[2]))]
    missing = [name for name in wanted if not (path.parent / name).is_file()]
    if missing:
        raise ValueError(
            f"{path}: of {len(wanted)} shards {len(missing)} are missing, the first: {missing[0]}"
        )
    return [path.parent / name for name in wanted]


def _label_map(folder: Path) -> dict[int, str]:
    """The names of the class numbers, from the one `.pbtxt` beside the file or above it; empty without."""
    maps = next((maps for place in (folder, folder.parent) if (maps := list(place.glob("*.pbtxt")))), [])
    names: dict[int, str] = {}
    if len(maps) == 1:
        for item in re.findall(r"item\s*\{(.*?)\}", files.decoded(maps[0]), re.S):
            number = re.search(r"\bid\s*:\s*(\d+)", item)
            name = re.search(r"\bname\s*:\s*['\"](.*?)['\"]", item)
            display = re.search(r"\bdisplay_name\s*:\s*['\"](.*?)['\"]", item)
            text = name or display
            if number and text:
                names[int(number[1])] = text[1]
    return names


def _values(feature: Any) -> Sequence[Any]:
    """The values of a feature of any type."""
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def _write_image(features: Any, folder: Path, number: int) -> Path:
    encoded = _values(features["image/encoded"])
    if len(encoded) != 1:
        raise ValueError("it has no image/encoded")
    given = b"".join(_values(features["image/format"])).decode("ascii", "replace").lower()
    path = folder / f"{number:06d}{SUFFIXES.get(given, '.jpg')}"
    if not path.is_file():
        files.write_bytes(path, encoded[0])
    return path


def _add_boxes(
    features: Any, image: LabelledImage, names: dict[int, str], where: tuple[str, str]
) -> Iterator[Problem]:
    """Adds the boxes of an example; gives the problems of those that cannot be used."""
    height, width = image.known_size()
    columns = [_values(features[f"image/object/bbox/{side}"]) for side in SIDES]
    texts = [text.decode("utf-8", "replace") for text in _values(features["image/object/class/text"])]
    numbers = _values(features["image/object/class/label"])
    count = len(columns[0])
    if any(len(column) != count for column in columns) or max(len(texts), len(numbers)) != count:
        lengths = [*map(len, columns), len(texts), len(numbers)]
        yield Problem(*where, f"its boxes, class texts and labels differ in number: {shown(lengths)}")
        return
    flags = [_values(features[f"image/object/{name}"]) for name in ("difficult", "group_of", "is_crowd")]
    for i, corners in enumerate(zip(*columns, strict=True)):
        name = texts[i] if texts else names.get(numbers[i], f"class {numbers[i]}")
        ignore = any(i < len(flag) and bool(flag[i]) for flag in flags)
        try:
            scaled = [float(v) * s for v, s in zip(corners, (width, height, width, height), strict=True)]
            image.add(scaled, name, ignore=ignore)
        except ValueError as error:
            yield Problem(*where, f"object {i + 1}: {error}")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
