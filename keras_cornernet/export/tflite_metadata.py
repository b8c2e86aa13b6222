"""`TFLITE_METADATA` of a detector: what MediaPipe reads of names, normalisation and labels in a TFLite file.

A FlatBuffer by `metadata_schema.fbs` of MediaPipe (`mediapipe/tasks/metadata`), version 1.5.0, written field
by field since no package with its Python classes installs beside current ones. The label file is appended to
the TFLite file as a zip archive, as that schema asks.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flatbuffers

NAME = "TFLITE_METADATA"
LABELS = "labels.txt"
LARGEST_FILE, MOST_FILES = 2**20, 16  # bytes of an associated file, and how many are read
OUTPUTS = ("location", "category", "score", "number of detections")
_IMAGE, _BOX, _NORMALISATION = 2, 3, 1  # kinds of the unions `ContentProperties` and `ProcessUnitOptions`
_FEATURE, _VALUE_LABELS, _BOUNDARIES, _RGB = 1, 3, 1, 1
_CLEAN = (1980, 1, 1, 0, 0, 0)  # the archive's time, so that equal models give equal files


class Scalar(NamedTuple):
    """A number of one of FlatBuffers' types: `Int8`, `Int32`, `Uint32` or `Float32`."""

    type: str
    value: float


class Numbers(NamedTuple):
    """A vector of numbers, see `Scalar`."""

    type: str
    values: Sequence[float]


Table = Mapping[int, Any]
"""The fields of a table by their number in the schema: texts, `Scalar`, `Numbers`, tables, or lists."""


def detector_metadata(name: str, *, takes_bytes: bool) -> bytes:
    """The metadata of a detector with the outputs `OUTPUTS`.

    Args:
        name: of the model.
        takes_bytes: whether it takes uint8 images; otherwise float32, which are not normalised (mean 0,
            deviation 1).
    """
    image: dict[int, Any] = {
        0: "image",
        1: "The image, RGB from 0 to 255.",
        3: {0: Scalar("Int8", _IMAGE), 1: {0: Scalar("Int8", _RGB)}},
        5: {0: Numbers("Float32", [255.0]), 1: Numbers("Float32", [0.0])},
    }
    if not takes_bytes:
        options = {0: Numbers("Float32", [0.0]), 1: Numbers("Float32", [1.0])}
        image[4] = [{0: Scalar("Int8", _NORMALISATION), 1: options}]
    labels = {0: LABELS, 1: "Names of the classes.", 2: Scalar("Int8", _VALUE_LABELS)}
    # Ends of boxes come as top, left, bottom, right.
    ends = {0: Numbers("Uint32", [1, 0, 3, 2]), 1: Scalar("Int8", _BOUNDARIES), 2: Scalar("Int8", 0)}
    two = {0: Scalar("Int32", 2), 1: Scalar("Int32", 2)}
    feature = {0: Scalar("Int8", _FEATURE), 1: {}}
    location = {0: OUTPUTS[0], 1: "Boxes.", 3: {0: Scalar("Int8", _BOX), 1: ends, 2: two}}
    category = {0: OUTPUTS[1], 1: "Classes.", 3: {**feature, 2: two}, 6: [labels]}
    score = {0: OUTPUTS[2], 1: "Scores.", 3: {**feature, 2: two}}
    number = {0: OUTPUTS[3], 1: "How many boxes there are.", 3: feature}
    group = {0: "detection_result", 1: list(OUTPUTS[:3])}
    graph = {2: [image], 3: [location, category, score, number], 8: [group]}
    builder = flatbuffers.Builder(1024)
    model = {0: name, 1: "A detector of keras_cornernet.", 3: [graph], 7: "1.2.0"}
    builder.Finish(_write(builder, model), file_identifier=b"M001")
    return bytes(builder.Output())


def _write(builder: Any, value: Any) -> int:
    """Writes a text, a vector or a table; returns its offset."""
    if isinstance(value, str):
        offset: int = builder.CreateString(value)
        return offset
    if isinstance(value, Numbers):
        return _vector(builder, [getattr(builder, f"Prepend{value.type}")] * len(value.values), value.values)
    if isinstance(value, list):
        offsets = [_write(builder, part) for part in value]
        return _vector(builder, [builder.PrependUOffsetTRelative] * len(offsets), offsets)
    parts = {i: _write(builder, part) for i, part in value.items() if not isinstance(part, Scalar)}
    builder.StartObject(max(value, default=-1) + 1)
    for i, part in value.items():
        if isinstance(part, Scalar):
            getattr(builder, f"Prepend{part.type}Slot")(i, part.value, None)
        else:
            builder.PrependUOffsetTRelativeSlot(i, parts[i], 0)
    end: int = builder.EndObject()
    return end


def _vector(builder: Any, prepend: Sequence[Any], values: Sequence[Any]) -> int:
    builder.StartVector(4, len(values), 4)
    for add, value in zip(prepend, reversed(values), strict=True):
        add(value)
    end: int = builder.EndVector()
    return end


def with_files(data: bytes, contents: Mapping[str, str]) -> bytes:
    """A TFLite file with associated files appended."""
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _CLEAN), text)
    return file.getvalue()


def files_of(data: bytes) -> dict[str, str]:
    """The associated files of a TFLite file, as far as they are small and few."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        small = [info for info in archive.infolist() if info.file_size < LARGEST_FILE]
        return {info.filename: archive.read(info).decode() for info in small[:MOST_FILES]}
