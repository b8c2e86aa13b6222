"""Ranges for 8-bit numbers that hold nearly all values of a tensor.

The converter takes the whole range of the values that it sees. Sums of pre-activation residuals have rare
values a hundred times larger than all others, which leaves a handful of the 256 levels for the rest. Here the
ranges of such tensors are narrowed, which cuts off their outliers. In trained pose networks outliers are
noise; in detectors they are the corners, and the ranges stay.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

OUTLIERS = 0.05  # percent of all values that may lie beyond the range, at each end
WIDE = 2.0  # ranges are narrowed if they are this many times wider than those without outliers
SAMPLED = 4096  # values that are examined of each tensor on each image

_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
# The last operation of a layer. TFLite fuses it with the bias or ReLU after it.
_ENDS = {*_CONVOLUTIONS, "AddV2", "BiasAdd", "Mul", "Relu"}


def without_outliers(function: Any, samples: Sequence[np.ndarray]) -> Any:
    """A function that rounds its tensors with outliers to 8 bits in narrow ranges, which the converter keeps.

    Args:
        function: of one tensor, frozen, see `export.fixed.frozen`.
        samples: `(height, width, 3)` images, passed one by one.
    """
    tensors = _ends(function)
    part = function.prune(function.inputs[0], tensors)
    rng = np.random.default_rng(0)
    drawn: list[list[np.ndarray]] = [[] for _ in tensors]
    whole: list[list[float]] = [[] for _ in tensors]
    for sample in samples:
        for i, value in enumerate(part(tf.constant(sample[None], tf.float32))):
            value = value.numpy().ravel()
            whole[i] += [value.min(), value.max()]
            drawn[i].append(value if value.size <= SAMPLED else rng.choice(value, SAMPLED))
    ranges = {}
    for tensor, ends, values in zip(tensors, whole, drawn, strict=True):
        low, high = np.percentile(np.concatenate(values), [OUTLIERS, 100 - OUTLIERS])
        if max(ends) - min(ends) > WIDE * (high - low) > 0:
            ranges[tensor.op.name] = float(min(low, 0.0)), float(max(high, 0.0))
    return _rounded(function, ranges) if ranges else function


def _ends(function: Any) -> list[Any]:
    """The outputs of layers, except those of the function, whose rare values are the answer."""
    answers = {_source(output).name for output in function.outputs}
    return [
        operation.outputs[0]
        for operation in function.graph.get_operations()
        if operation.type in _ENDS
        and operation.outputs[0].dtype == tf.float32
        and operation.outputs[0].shape.rank == 4
        and operation.name not in answers
        and not _is_fused(operation)
    ]


def _source(tensor: Any) -> Any:
    """The operation that computes a tensor, before operations that only pass it on."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _is_fused(operation: Any) -> bool:
    """Whether TFLite fuses an operation with the only one that takes its output."""
    consumers = operation.outputs[0].consumers()
    if len(consumers) != 1:
        return False
    (consumer,) = consumers
    if operation.type in _CONVOLUTIONS and consumer.type == "AddV2":
        return any(source.op.type == "Const" for source in consumer.inputs)  # a bias too
    return str(consumer.type) in ("BiasAdd", "Relu") and str(operation.type) != "Mul"


def _rounded(function: Any, ranges: dict[str, tuple[float, float]]) -> Any:
    """The function with a rounding to 256 levels after each operation that `ranges` names."""
    graph = tf.compat.v1.GraphDef()
    graph.CopyFrom(function.graph.as_graph_def())
    renamed = {name: f"{name}/rounded" for name in ranges}
    for node in graph.node:
        for i, source in enumerate(node.input):
            node.input[i] = renamed.get(source.removesuffix(":0"), source)
    for name, (low, high) in ranges.items():
        node = graph.node.add(name=renamed[name], op="FakeQuantWithMinMaxArgs", input=[name])
        node.attr["min"].f, node.attr["max"].f = low, high
        node.attr["num_bits"].i, node.attr["narrow_range"].b = 8, False
    image, outputs = function.inputs[0], [output.name for output in function.outputs]

    def run(images: Any) -> Any:
        return tf.graph_util.import_graph_def(
            graph, input_map={image.name: images}, return_elements=outputs, name=""
        )

    signature = tf.TensorSpec(image.shape, image.dtype, "images")
    return tf.function(run, autograph=False).get_concrete_function(signature)
