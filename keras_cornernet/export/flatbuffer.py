"""TFLite files as objects: two of them joined into one, and a text added.

The converter quantises all of a model or nothing. Joining two files allows the network to be quantised while
decoding and suppression stay in float32.
"""

from typing import Any

import flatbuffers
from tensorflow.lite.python import schema_py_generated as schema

SIGNATURE = "serving_default"


def joined(first: bytes, second: bytes, inputs: list[str], outputs: list[str]) -> schema.ModelT:
    """One model that passes the outputs of `first`, in their order, to `second` as inputs.

    Args:
        first, second: TFLite files.
        inputs: names for the inputs of `first`.
        outputs: names for the outputs of `second`.

    Raises:
        ValueError: the outputs of the first and the inputs of the second have different shapes or types.
    """
    model, other = (schema.ModelT.InitFromPackedBuf(part, 0) for part in (first, second))
    main, rest = model.subgraphs[0], other.subgraphs[0]
    _check_seam(main, rest)
    _renumber(
        other,
        codes=len(model.operatorCodes),
        buffers=len(model.buffers),
        # The main graph of `other` is merged into that of `model`; the graphs it calls are appended.
        graphs=len(model.subgraphs) - 1,
    )
    index = {old: new for old, new in zip(rest.inputs, main.outputs, strict=True)}
    kept = [i for i in range(len(rest.tensors)) if i not in index]
    index |= {old: len(main.tensors) + i for i, old in enumerate(kept)}
    index[-1] = -1  # stands for an optional input that is not there
    for operator in rest.operators:
        for name in ("inputs", "outputs", "intermediates"):
            numbers = getattr(operator, name)
            setattr(operator, name, None if numbers is None else [index[i] for i in numbers])
    main.tensors += [rest.tensors[i] for i in kept]
    main.operators += rest.operators
    main.outputs = [index[i] for i in rest.outputs]
    model.operatorCodes += other.operatorCodes
    model.buffers += other.buffers
    model.subgraphs += other.subgraphs[1:]
    # The converter's metadata describes the parts, not the whole.
    model.metadata, model.metadataBuffer = [], None
    model.signatureDefs = [_signature(main, inputs, outputs)]
    return model


def signed(data: bytes, inputs: list[str], outputs: list[str]) -> schema.ModelT:
    """A model whose one signature names its inputs and outputs, without the converter's metadata."""
    model = parsed(data)
    model.metadata, model.metadataBuffer = [], None
    model.signatureDefs = [_signature(model.subgraphs[0], inputs, outputs)]
    return model


def quantization_of_outputs(model: schema.ModelT, names: list[str]) -> dict[str, tuple[float, int]]:
    """Scale and zero of each output of a model of whole numbers."""
    graph = model.subgraphs[0]
    found = [graph.tensors[number].quantization for number in graph.outputs]
    return {
        name: (float(one.scale[0]), int(one.zeroPoint[0])) for name, one in zip(names, found, strict=True)
    }


def _check_seam(main: Any, rest: Any) -> None:
    outputs = [(list(main.tensors[i].shape), main.tensors[i].type) for i in main.outputs]
    inputs = [(list(rest.tensors[i].shape), rest.tensors[i].type) for i in rest.inputs]
    if outputs != inputs:
        raise ValueError(f"the parts do not fit: the first returns {outputs}, the second takes {inputs}")


def _renumber(model: Any, codes: int, buffers: int, graphs: int) -> None:
    """Increases the indices in a model that comes after another model.

    Args:
        model: to be changed.
        codes, buffers, graphs: how many of them the other model has.
    """
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer += buffers
        for operator in graph.operators:
            operator.opcodeIndex += codes
            options = operator.builtinOptions
            for name in ("condSubgraphIndex", "bodySubgraphIndex", "thenSubgraphIndex", "elseSubgraphIndex"):
                if hasattr(options, name):
                    setattr(options, name, getattr(options, name) + graphs)


def _signature(graph: Any, inputs: list[str], outputs: list[str]) -> Any:
    def named(names: list[str], numbers: list[int]) -> list[Any]:
        pairs = []
        for name, number in zip(names, numbers, strict=True):
            pair = schema.TensorMapT()
            pair.name, pair.tensorIndex = name, number
            pairs.append(pair)
        return pairs

    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
    signature.inputs, signature.outputs = named(inputs, graph.inputs), named(outputs, graph.outputs)
    return signature


def parsed(data: bytes) -> schema.ModelT:
    """A file as an object."""
    return schema.ModelT.InitFromPackedBuf(data, 0)


def with_text(model: schema.ModelT, name: str, text: str | bytes) -> schema.ModelT:
    """Adds a text to the model's metadata, or changes the one of that name."""
    content = list(text.encode() if isinstance(text, str) else text)
    for entry in model.metadata or []:
        if entry.name in (name, name.encode()):
            model.buffers[entry.buffer].data = content
            return model
    buffer = schema.BufferT()
    buffer.data = content
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return model


def packed(model: schema.ModelT) -> bytes:
    """The file of a model."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def custom_operators(data: bytes) -> set[str]:
    """Names of the operators in a file that are not built into TFLite; TensorFlow's start with `Flex`."""
    model = schema.Model.GetRootAs(data, 0)
    codes = (model.OperatorCodes(i) for i in range(model.OperatorCodesLength()))
    return {code.CustomCode().decode() for code in codes if code.CustomCode()}
