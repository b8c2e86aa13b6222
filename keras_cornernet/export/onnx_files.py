"""ONNX and OpenVINO: the fastest float32 on a CPU."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cornernet import files
from keras_cornernet.export.description import KEY
from keras_cornernet.export.exported import describe
from keras_cornernet.export.fixed import FixedGraph, frozen
from keras_cornernet.export.graphs import build_graph
from keras_cornernet.export.raw import RawGraph, check_no_image_size
from keras_cornernet.export.written import ExportedFile, written
from keras_cornernet.extras import import_extra
from keras_cornernet.preprocessing import Size

OPSET = 17


def to_onnx(
    model: Any,
    path: str | Path,
    *,
    image_size: Size | None = None,
    raw: bool = False,
    self_test: bool = True,
) -> ExportedFile:
    """Writes an ONNX file of opset 17 that takes one image and returns final answers, as `to_tflite` does.

    The description is in the metadata of the model, under `keras_cornernet`.

    Args:
        model, path, image_size, self_test: see `to_tflite`.
        raw: give the maps of the network alone, of any number of images, see `export.raw`.

    Raises:
        ImportError: tf2onnx is not installed.
        ValueError: as for `export.graphs.build_graph`.
    """
    onnx, tf2onnx = (import_extra(name, "onnx", "export to ONNX") for name in ("onnx", "tf2onnx"))
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    answer, names, signature, description = _parts(model, image_size, raw=raw)

    def by_name(images: Any) -> dict[str, Any]:
        return dict(zip(names, answer(images), strict=True))

    proto, _ = tf2onnx.convert.from_function(tf.function(by_name, autograph=False), [signature], opset=OPSET)
    entry = proto.metadata_props.add()
    entry.key, entry.value = KEY, description
    return written(files.write_with(path, lambda aside: onnx.save(proto, str(aside))), self_test=self_test)


def _parts(
    model: Any, image_size: Size | None, *, raw: bool
) -> tuple[Callable[[Any], list[Any]], list[str], tf.TensorSpec, str]:
    """The function of a file, the names of what it returns, the type of its images, and the description."""
    if raw:
        maps = RawGraph(model)
        check_no_image_size(image_size, maps.graph.input_size)
        description = describe(model, maps.graph.input_size, raw=maps.settings)
        return maps.maps_of, maps.names, maps.signature(), description.to_json()
    fixed = FixedGraph(build_graph(model), image_size)
    return fixed.all_of, list(fixed.answers), fixed.signature, describe(model, fixed.image_size).to_json()


def to_openvino(
    model: Any,
    path: str | Path,
    *,
    image_size: Size | None = None,
    raw: bool = False,
    self_test: bool = True,
) -> ExportedFile:
    """Writes an OpenVINO model, an `.xml` file and a `.bin` file beside it, in float32.

    It takes one image and returns final answers, as a file of `to_tflite` does. The description is in its
    runtime information, under `keras_cornernet`.

    Args:
        model, image_size, self_test: see `to_tflite`.
        raw: see `to_onnx`.
        path: of the `.xml` file.

    Raises:
        ImportError: openvino is not installed.
        ValueError: as for `export.graphs.build_graph`, or `path` does not end in `.xml`.
    """
    path = Path(path)
    if path.suffix != ".xml":
        raise ValueError(f"path must end in .xml, not {path.name}")
    openvino = import_extra("openvino", "openvino", "export to OpenVINO")
    answer, outputs, signature, description = _parts(model, image_size, raw=raw)
    function = frozen(answer, [signature])
    with files.write_aside(path) as aside:
        # Not through ONNX, whose loops OpenVINO 2026.4 cannot read, nor from the function, which is slow.
        graph = aside.with_suffix(".pb")
        graph.write_bytes(function.graph.as_graph_def().SerializeToString())
        converted = openvino.convert_model(graph)
        names = dict(zip((output.name for output in function.outputs), outputs, strict=True))
        for port in converted.outputs:
            (name,) = port.get_names() & names.keys()
            port.get_tensor().set_names({names[name]})
        converted.set_rt_info(description, KEY)
        openvino.save_model(converted, aside, compress_to_fp16=False)
        # Two files cannot be moved at once, and new weights must not lie beside an old graph.
        path.unlink(missing_ok=True)
        os.replace(aside.with_suffix(".bin"), path.with_suffix(".bin"))
    return written(path, self_test=self_test)
