"""One door to the writers of all formats."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_cornernet.export.onnx_files import to_onnx, to_openvino
from keras_cornernet.export.saved_model import to_saved_model
from keras_cornernet.export.tflite import to_tflite
from keras_cornernet.export.written import ExportedFile


def _saved_model(model: Any, path: Path, **options: Any) -> ExportedFile:
    return to_saved_model(model, path.parent, path.name, **options)


WRITERS: dict[str, Callable[..., ExportedFile]] = {
    "savedmodel": _saved_model,
    "tflite": to_tflite,
    "onnx": to_onnx,
    "openvino": to_openvino,
}
SUFFIXES = {".tflite": "tflite", ".onnx": "onnx", ".xml": "openvino", "": "savedmodel"}


def write(model: Any, path: str | Path, format: str | None = None, **options: Any) -> ExportedFile:
    """Writes a model in one of the formats.

    Args:
        model: with trained weights.
        path: of the file, or of the folder that holds the versions of a SavedModel.
        format: a key of `WRITERS`; None decides by the suffix of `path`.
        options: of the writer.

    Raises:
        ValueError: the format is unknown, or the writer's own.
    """
    path = Path(path)
    format = format or SUFFIXES.get(path.suffix)
    if format not in WRITERS:
        raise ValueError(f"format must be one of {', '.join(WRITERS)}, not {format!r} ({path})")
    return WRITERS[format](model, path, **options)
