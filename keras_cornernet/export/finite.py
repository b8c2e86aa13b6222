"""Weights of exported files that are not numbers: with them a model finds nothing, and says nothing of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.extras import import_extra

Named = tuple[str, np.ndarray]


def check_numbers_of(path: Path, arrays: Iterable[Named]) -> None:
    """Raises `ValueError` for an array that holds NaN, or for a kernel that holds infinite numbers.

    Single infinite constants are sound: graphs compare with them.
    """
    for name, array in arrays:
        if array.dtype.kind != "f" or not array.size:
            continue
        sound = np.isfinite(array) if array.ndim > 1 else ~np.isnan(array)
        if not sound.all():
            raise ValueError(f"{path}: the weight {name} holds numbers that are not finite")


def tflite_arrays(data: bytes) -> Iterator[Named]:
    """The constant arrays of floating point in a TFLite file."""
    schema = import_extra("ai_edge_litert.schema_py_generated", "tflite", "a TensorFlow Lite model")
    types = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
    model = schema.Model.GetRootAs(data, 0)
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            content = model.Buffers(tensor.Buffer()).DataAsNumpy() if tensor.Type() in types else 0
            if isinstance(content, np.ndarray):
                shape = tensor.ShapeAsNumpy()
                shape = tuple(shape) if isinstance(shape, np.ndarray) else ()
                array = np.frombuffer(content.tobytes(), types[tensor.Type()])
                yield tensor.Name().decode(), array.reshape(shape if np.prod(shape) == array.size else (-1,))


def onnx_arrays(tensors: Iterable[Any]) -> Iterator[Named]:
    """Tensors of an ONNX file as arrays."""
    numpy_helper = import_extra("onnx.numpy_helper", "onnx", "an ONNX model")
    for tensor in tensors:
        if not tensor.data_type:  # of attributes of another kind
            continue
        yield tensor.name, numpy_helper.to_array(tensor)


def openvino_arrays(model: Any) -> Iterator[Named]:
    """The constants of an OpenVINO model."""
    for operation in model.get_ops():
        if operation.get_type_name() == "Constant":
            yield operation.get_friendly_name(), operation.data
