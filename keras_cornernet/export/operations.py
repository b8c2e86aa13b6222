"""The operations of TensorFlow that an exported model may have: they compute, and touch no file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Those that exports of this package have, with their kin; all others are refused.
_NAMES = """
Abs Add AddN AddV2 All Any ArgMax ArgMin Assert AvgPool BatchMatMulV2 BiasAdd BiasAddV1 Bitcast BitwiseAnd
BitwiseOr BitwiseXor BroadcastArgs BroadcastTo Case Cast Ceil CheckNumerics CheckNumericsV2 ClipByValue
ConcatV2 ConcatenateDataset Const Conv2D Conv2DBackpropInput CropAndResize Cumprod Cumsum
DatasetToSingleElement DecodeBmp DecodeGif DecodeImage DecodeJpeg DecodePng DecodeRaw DepthToSpace
DepthwiseConv2dNative DisableCopyOnRead Div DivNoNan DynamicStitch Einsum Elu EnsureShape Equal Exp ExpandDims
Expm1 ExtractJpegShape Fill Floor FloorDiv FloorMod FusedBatchNormV3 Gather GatherNd GatherV2 Greater
GreaterEqual Identity IdentityN If IgnoreErrorsDataset InvertPermutation IsFinite IsInf IsNan LeakyRelu
LeftShift Less LessEqual LinSpace Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LoopCond MapDataset
MatMul MatrixBandPart Max MaxPool MaxPoolV2 Maximum Mean Min Minimum MirrorPad Mod Mul MulNoNan Neg NoOp
NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 NotEqual OneHot OnesLike Pack Pad PadV2
ParallelMapDatasetV2 PartitionedCall Placeholder PlaceholderWithDefault Pow PreventGradient Prod RandomUniform
Range Rank ReadVariableOp RealDiv Reciprocal ReduceDataset Relu Relu6 Reshape ResizeArea ResizeBicubic
ResizeBilinear ResizeNearestNeighbor ReverseV2 RightShift Rint Round Rsqrt ScatterNd SearchSorted Select
SelectV2 Selu Shape ShapeN Sigmoid Sign Size Slice Softmax Softplus Softsign SpaceToDepth Split SplitV Sqrt
Square SquaredDifference Squeeze StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile StopGradient
StridedSlice StringLength StringSplitV2 StringStrip StringToNumber Sub Substr Sum TakeDataset Tanh
TensorDataset TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather
TensorListGetItem TensorListLength TensorListReserve TensorListResize TensorListSetItem TensorListStack
TensorScatterAdd TensorScatterUpdate TensorSliceDataset Tile TopK TopKV2 Transpose TruncateDiv TruncateMod
UniqueV2 Unpack UnsortedSegmentMax UnsortedSegmentSum VarHandleOp VarIsInitializedOp Where While Xdivy Xlogy
ZerosLike
"""
OPERATIONS = frozenset(_NAMES.split())


def check_operations(path: Path) -> None:
    """Raises `ValueError` if running the signatures of a SavedModel could do anything but compute.

    What saves and restores the weights in its graph is not run when it is opened here, and not looked at.

    Args:
        path: the folder.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    if len(saved.meta_graphs) != 1 or not saved.meta_graphs[0].object_graph_def.concrete_functions:
        # TensorFlow would open it as a model of its first version, and run parts of it at once.
        raise ValueError(f"{path}: not an export of this package (it is not a SavedModel of TensorFlow 2)")
    graph = saved.meta_graphs[0]
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    waiting, reached = [*graph.object_graph_def.concrete_functions], set()
    foreign: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name in reached or name not in functions:
            continue
        reached.add(name)
        for node in functions[name].node_def:
            if node.op in functions:
                waiting.append(node.op)
            elif node.op not in OPERATIONS:
                foreign[node.op] = None
            waiting += _called(node.attr.values())
    if foreign:
        raise ValueError(
            f"{path}: refused, since its graph has operations that no export of this package has: "
            f"{', '.join(list(foreign)[:5])}. They may read and write files; if you trust its origin, open "
            "it with --trust (in Python, trust=True)"
        )


def _called(attributes: Iterable[Any]) -> Iterator[str]:
    """The names of functions in the attributes of a node."""
    for value in attributes:
        for function in (value.func, *value.list.func):
            if function.name:
                yield function.name
                yield from _called(function.attr.values())
