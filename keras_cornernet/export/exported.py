"""Exported files, opened and described."""

from pathlib import Path
from typing import Any

from keras_cornernet.export.decoding.decoded_maps import DecodedMaps
from keras_cornernet.export.decoding.for_mediapipe import ForMediaPipe
from keras_cornernet.export.description import Description
from keras_cornernet.export.exported_detector import ExportedDetector
from keras_cornernet.export.exported_pose import ExportedPoseEstimator
from keras_cornernet.export.runtimes import open_runtime
from keras_cornernet.preprocessing import Size

__all__ = ["EXPORTED", "ExportedDetector", "ExportedPoseEstimator", "describe", "load"]

# The class of the models of each task, by the name that files state; `tasks.register` adds to it.
EXPORTED: dict[str, Any] = {"detection": ExportedDetector, "pose": ExportedPoseEstimator}


def load(path: str | Path, *, threads: int | None = None, trust: bool = False, xnnpack: bool = True) -> Any:
    """Opens an exported file with the runtime that it is made for.

    Args:
        path: a `.tflite`, `.onnx` or OpenVINO `.xml` file, or the folder of a version of a SavedModel.
        threads, trust, xnnpack: see `open_runtime`.

    Returns:
        An `ExportedDetector`, an `ExportedPoseEstimator`, or what else `EXPORTED` holds for the task of the
        file.

    Raises:
        ValueError: there is no such file, it is not an export of this package, or see `trust`.
        ImportError: the runtime is not installed; the message names the extra.

    Example:
        >>> model = keras_cornernet.export.load("people_int8.tflite")
        >>> model.predict("street.jpg")[0].save("found.jpg")
        PosixPath('found.jpg')
    """
    runtime = open_runtime(path, threads=threads, trust=trust, xnnpack=xnnpack)
    if runtime.description.raw:
        runtime = runtime.read_by(DecodedMaps)
    elif runtime.description.consumer:
        runtime = runtime.read_by(ForMediaPipe)
    task = runtime.description.task
    if task not in EXPORTED:
        raise ValueError(f"{path}: a model for {task!r}, and only {', '.join(EXPORTED)} are known")
    return EXPORTED[task](runtime)


def describe(
    model: Any, image_size: Size | None = None, precision: str = "float32", **fields: Any
) -> Description:
    """The description of a model for the file that it is exported to.

    Args:
        model: has `task` and `settings`.
        image_size, precision, fields: see `Description`.
    """
    return Description(
        model.task,
        **EXPORTED[model.task].described(model),
        image_size=image_size,
        precision=precision,
        input_size=model.settings.input_size,
        provenance=model.provenance.to_json() if hasattr(model, "provenance") else {},
        **fields,
    )
