"""TFLite files as objects: two of them joined into one, and a text put inside.

The converter treats a whole model alike. Joined parts let the network be quantised while peaks, pairing and
suppression stay in float32.
"""

import flatbuffers
from tensorflow.lite.python import schema_py_generated as schema

SIGNATURE = "serving_default"


def joined(first: bytes, second: bytes, inputs: list[str], outputs: list[str]) -> schema.ModelT:
    """One model that gives the outputs of `first`, in their order, to `second` as inputs.

    Args:
        first, second: TFLite files.
        inputs: names for the inputs of `first`.
        outputs: names for the outputs of `second`.

    Raises:
        ValueError: the outputs of the one and the inputs of the other have different shapes or types.
    """
    model, other = (schema.ModelT.InitFromPackedBuf(part, 0) for part in (first, second))
    main, rest = model.subgraphs[0], other.subgraphs[0]
    _check_seam(main, rest)
    _renumber(
        other,
        codes=len(model.operatorCodes),
        buffers=len(model.buffers),
        # The main graph of `other` goes into that of `model`; those it calls come after all others.
        graphs=len(model.subgraphs) - 1,
    )
    place = {old: new for old, new in zip(rest.inputs, main.outputs, strict=True)}
    kept = [i for i in range(len(rest.tensors)) if i not in place]
    place |= {old: len(main.tensors) + i for i, old in enumerate(kept)}
    place[-1] = -1  # an input that an operator goes without
    for operator in rest.operators:
        for name in ("inputs", "outputs", "intermediates"):
            numbers = getattr(operator, name)
            setattr(operator, name, None if numbers is None else [place[i] for i in numbers])
    main.tensors += [rest.tensors[i] for i in kept]
    main.operators += rest.operators
    main.outputs = [place[i] for i in rest.outputs]
    model.operatorCodes += other.operatorCodes
    model.buffers += other.buffers
    model.subgraphs += other.subgraphs[1:]
    # Notes of the converter on the parts do not hold for the whole.
    model.metadata, model.metadataBuffer = [], None
    model.signatureDefs = [_signature(main, inputs, outputs)]
    return model


def _check_seam(main, rest) -> None:
    gives = [(list(main.tensors[i].shape), main.tensors[i].type) for i in main.outputs]
    takes = [(list(rest.tensors[i].shape), rest.tensors[i].type) for i in rest.inputs]
    if gives != takes:
        raise ValueError(f"the parts do not fit: the first gives {gives}, the second takes {takes}")


def _renumber(model, codes: int, buffers: int, graphs: int) -> None:
    """Moves what a model counts by so many places, for another model in front of it."""
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer += buffers
        for operator in graph.operators:
            operator.opcodeIndex += codes
            options = operator.builtinOptions
            for name in ("condSubgraphIndex", "bodySubgraphIndex", "thenSubgraphIndex", "elseSubgraphIndex"):
                if hasattr(options, name):
                    setattr(options, name, getattr(options, name) + graphs)


def _signature(graph, inputs, outputs):
    def named(names, numbers):
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


def with_text(model: schema.ModelT, name: str, text: str) -> schema.ModelT:
    """Puts a text into the model's metadata."""
    buffer = schema.BufferT()
    buffer.data = list(text.encode())
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
    """Names of the operators in a file that are not TFLite's own; Select ones begin with `Flex`."""
    model = schema.Model.GetRootAs(data, 0)
    codes = (model.OperatorCodes(i) for i in range(model.OperatorCodesLength()))
    return {code.CustomCode().decode() for code in codes if code.CustomCode()}
