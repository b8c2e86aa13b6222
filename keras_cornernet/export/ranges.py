"""Ranges for numbers of 8 bits: those that nearly all values of a tensor keep to.

The converter takes the whole range that it sees. Sums of pre-activation residuals have rare values a hundred
times larger than all others, and of 256 levels that leaves a handful for the rest. Here the tails of such
tensors are cut off. In trained pose networks they carry nothing; in detectors they are the corners, and stay.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

TAIL = 0.05  # percent of all values that may lie beyond the range, at each end
WIDE = 2.0  # ranges are narrowed that are so many times wider than those without tails
DRAWN = 4096  # values looked at for each tensor and image

_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
# What a layer may end with. TFLite makes one operator of it and of the bias or ReLU behind it.
_ENDS = {*_CONVOLUTIONS, "AddV2", "BiasAdd", "Mul", "Relu"}


def without_outliers(function, samples: Sequence[np.ndarray]):
    """A function that rounds its heavy-tailed tensors to 8 bits in narrow ranges; the converter keeps those.

    Args:
        function: of one tensor, frozen, see `export.fixed.frozen`.
        samples: `(height, width, 3)` images, each shown alone.
    """
    tensors = _ends(function)
    part = function.prune(function.inputs[0], tensors)
    rng = np.random.default_rng(0)
    drawn, whole = [[] for _ in tensors], [[] for _ in tensors]
    for sample in samples:
        for place, value in enumerate(part(tf.constant(sample[None], tf.float32))):
            value = value.numpy().ravel()
            whole[place] += [value.min(), value.max()]
            drawn[place].append(value if value.size <= DRAWN else rng.choice(value, DRAWN))
    ranges = {}
    for tensor, ends, values in zip(tensors, whole, drawn, strict=True):
        low, high = np.percentile(np.concatenate(values), [TAIL, 100 - TAIL])
        if max(ends) - min(ends) > WIDE * (high - low) > 0:
            ranges[tensor.op.name] = float(min(low, 0.0)), float(max(high, 0.0))
    return _rounded(function, ranges) if ranges else function


def _ends(function) -> list:
    """The tensors that layers hand on, but for the function's outputs: what is rare there is the answer."""
    answers = {_source(output).name for output in function.outputs}
    return [
        operation.outputs[0]
        for operation in function.graph.get_operations()
        if operation.type in _ENDS
        and operation.outputs[0].dtype == tf.float32
        and operation.outputs[0].shape.rank == 4
        and operation.name not in answers
        and not _is_joined(operation)
    ]


def _source(tensor):
    """The operation that computes a tensor, which others may only hand on."""
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    return operation


def _is_joined(operation) -> bool:
    """Whether the one operation that takes this one's output becomes one operator with it."""
    consumers = operation.outputs[0].consumers()
    if len(consumers) != 1:
        return False
    (behind,) = consumers
    if operation.type in _CONVOLUTIONS and behind.type == "AddV2":
        return any(source.op.type == "Const" for source in behind.inputs)  # a bias too
    return behind.type in ("BiasAdd", "Relu") and operation.type != "Mul"


def _rounded(function, ranges: dict[str, tuple[float, float]]):
    """The function with operations named by `ranges` followed by a rounding to 256 levels in these."""
    graph = tf.compat.v1.GraphDef()
    graph.CopyFrom(function.graph.as_graph_def())
    renamed = {name: f"{name}/rounded" for name in ranges}
    for node in graph.node:
        for place, source in enumerate(node.input):
            node.input[place] = renamed.get(source.removesuffix(":0"), source)
    for name, (low, high) in ranges.items():
        node = graph.node.add(name=renamed[name], op="FakeQuantWithMinMaxArgs", input=[name])
        node.attr["min"].f, node.attr["max"].f = low, high
        node.attr["num_bits"].i, node.attr["narrow_range"].b = 8, False
    taken, given = function.inputs[0], [output.name for output in function.outputs]

    def run(images):
        return tf.graph_util.import_graph_def(
            graph, input_map={taken.name: images}, return_elements=given, name=""
        )

    signature = tf.TensorSpec(taken.shape, taken.dtype, "images")
    return tf.function(run, autograph=False).get_concrete_function(signature)
