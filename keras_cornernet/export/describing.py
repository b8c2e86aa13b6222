"""The description inside of an exported file, changed in place."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.export.description import KEY, Description
from keras_cornernet.export.runtimes import DESCRIPTION_ASSET, open_runtime
from keras_cornernet.extras import import_extra


def change_description(path: str | Path, *, trust: bool = False, **changes: Any) -> Description:
    """Writes a changed description into an exported file; what the file computes stays as it is.

    Args:
        path: a `.tflite`, `.onnx` or `.xml` file, or the folder of a version of a SavedModel.
        trust: see `export.load`.
        changes: new values by field of `Description`.

    Returns:
        The new description.

    Raises:
        ValueError: the file is none of these, or a value is out of its range.
        ImportError: what reads the format is not installed.
    """
    path = Path(path)
    changed = Description.from_json(open_runtime(path, trust=trust).description._replace(**changes).to_json())
    writer = _in_saved_model if path.is_dir() else WRITERS[path.suffix]
    writer(path, changed.to_json())
    return changed


def _in_saved_model(path: Path, text: str) -> None:
    files.write_text(path / DESCRIPTION_ASSET, text)


def _in_tflite(path: Path, text: str) -> None:
    from keras_cornernet.export.flatbuffer import packed, parsed, with_text
    from keras_cornernet.export.tflite_metadata import files_of, with_files

    data = path.read_bytes()
    changed = packed(with_text(parsed(data), KEY, text))
    if associated := files_of(data):
        changed = with_files(changed, associated)
    files.write_bytes(path, changed)


def _in_onnx(path: Path, text: str) -> None:
    onnx = import_extra("onnx", "onnx", "an ONNX model")
    proto = onnx.load(str(path))
    for entry in proto.metadata_props:
        if entry.key == KEY:
            entry.value = text
    files.write_with(path, lambda aside: onnx.save(proto, str(aside)))


def _in_openvino(path: Path, text: str) -> None:
    openvino = import_extra("openvino", "openvino", "an OpenVINO model")
    model = openvino.Core().read_model(path)
    model.set_rt_info(text, KEY)
    with files.write_aside(path) as aside:
        openvino.save_model(model, aside, compress_to_fp16=False)
        del model  # it holds the old weights' file open
        os.replace(aside.with_suffix(".bin"), path.with_suffix(".bin"))


WRITERS: dict[str, Callable[[Path, str], None]] = {
    ".tflite": _in_tflite,
    ".onnx": _in_onnx,
    ".xml": _in_openvino,
}
