"""ONNX and OpenVINO: the fastest float32 on a CPU."""

import logging
import os
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cornernet import files
from keras_cornernet.export.description import KEY
from keras_cornernet.export.exported import describe
from keras_cornernet.export.fixed import FixedGraph, frozen
from keras_cornernet.export.graphs import build_graph
from keras_cornernet.export.written import ExportedFile
from keras_cornernet.extras import import_extra
from keras_cornernet.preprocessing import Size

OPSET = 17


def to_onnx(model: Any, path: str | Path, *, image_size: Size | None = None) -> ExportedFile:
    """Writes an ONNX file of opset 17 that takes one image and returns final answers, as `to_tflite` does.

    The description is in the metadata of the model, under `keras_cornernet`.

    Args:
        model, path, image_size: see `to_tflite`.

    Raises:
        ImportError: tf2onnx is not installed.
        ValueError: as for `export.graphs.build_graph`.
    """
    onnx, tf2onnx = (import_extra(name, "onnx", "export to ONNX") for name in ("onnx", "tf2onnx"))
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    fixed = FixedGraph(build_graph(model), image_size)

    def answer(images: Any) -> dict[str, Any]:
        return dict(zip(fixed.answers, fixed.all_of(images), strict=True))

    proto, _ = tf2onnx.convert.from_function(
        tf.function(answer, autograph=False), [fixed.signature], opset=OPSET
    )
    entry = proto.metadata_props.add()
    entry.key, entry.value = KEY, describe(model, fixed.image_size).to_json()
    return ExportedFile(files.write_with(path, lambda aside: onnx.save(proto, str(aside))))


def to_openvino(model: Any, path: str | Path, *, image_size: Size | None = None) -> ExportedFile:
    """Writes an OpenVINO model, an `.xml` file and a `.bin` file beside it, in float32.

    It takes one image and returns final answers, as a file of `to_tflite` does. The description is in its
    runtime information, under `keras_cornernet`.

    Args:
        model, image_size: see `to_tflite`.
        path: of the `.xml` file.

    Raises:
        ImportError: openvino is not installed.
        ValueError: as for `export.graphs.build_graph`, or `path` does not end in `.xml`.
    """
    path = Path(path)
    if path.suffix != ".xml":
        raise ValueError(f"path must end in .xml, not {path.name}")
    openvino = import_extra("openvino", "openvino", "export to OpenVINO")
    fixed = FixedGraph(build_graph(model), image_size)
    function = frozen(fixed.all_of, [fixed.signature])
    with files.write_aside(path) as aside:
        # Not through ONNX, whose loops OpenVINO 2026.4 cannot read, nor from the function, which is slow.
        graph = aside.with_suffix(".pb")
        graph.write_bytes(function.graph.as_graph_def().SerializeToString())
        converted = openvino.convert_model(graph)
        names = dict(zip((output.name for output in function.outputs), fixed.answers, strict=True))
        for port in converted.outputs:
            (name,) = port.get_names() & names.keys()
            port.get_tensor().set_names({names[name]})
        converted.set_rt_info(describe(model, fixed.image_size).to_json(), KEY)
        openvino.save_model(converted, aside, compress_to_fp16=False)
        # Two files cannot be moved at once, and new weights must not lie beside an old graph.
        path.unlink(missing_ok=True)
        os.replace(aside.with_suffix(".bin"), path.with_suffix(".bin"))
    return ExportedFile(path)
