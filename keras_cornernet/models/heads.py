"""What all detectors share after the body: the branches of a stack, and the arguments that size them.

The functions read the arguments of a network: `num_classes`, `channels`, `pool_channels`, `head_channels`,
`head_kernel_size` and `embedding_cells`.
"""

from collections.abc import Mapping

import keras

from keras_cornernet.layers.head import HEATMAP_BIAS, AddPosition, Head
from keras_cornernet.layers.prediction import CenterPrediction, CornerPrediction
from keras_cornernet.models.body import normalize, stacked_features, strided_stem

CORNERS = ("top_left", "bottom_right")
_AT_LEAST_ONE = ("num_classes", "stacks", "pool_channels", "head_channels", "head_kernel_size")


def checked(arguments: dict) -> dict:
    """The arguments of a detector with its sequences as tuples, so that they compare and print alike.

    Raises:
        ValueError: a number below 1, or a stem that does not fit the hourglasses.
    """
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    stem, width = arguments["stem"], arguments["channels"][0]
    if len(stem) < 2 or stem[-1] != width:
        raise ValueError(f"stem must have at least two widths and end with channels[0] = {width}, not {stem}")
    for key in _AT_LEAST_ONE:
        if arguments.get(key, 1) < 1:
            raise ValueError(f"{key} must be at least 1, not {arguments[key]}")
    return arguments


def images_and_features(arguments: Mapping, **hourglass):
    """The input of a detector, and an iterator as of `stacked_features`.

    Args:
        arguments: of the network.
        hourglass: `block` and `upsampling`, where they differ from CornerNet's.
    """
    images = keras.Input((*(arguments["input_size"] or (None, None)), 3), name="images")
    x = strided_stem(normalize(images, arguments["mean"], arguments["std"]), arguments["stem"])
    sizes = [arguments[key] for key in ("stacks", "channels", "num_blocks")]
    return images, stacked_features(x, *sizes, **hourglass)


def corner_outputs(features, corner: str, stack: int, arguments: Mapping, *, cascade: bool = False) -> dict:
    """The three maps of one corner of one stack."""
    width, pooled = arguments["channels"][0], arguments["pool_channels"]
    x = CornerPrediction(corner, width, pooled, cascade=cascade, name=f"{corner}_{stack}")(features)
    cells = arguments["embedding_cells"]
    sizes = {"embedding": 1 if cells is None else 2, "offset": 2}
    outputs = head_outputs(x, corner, stack, arguments, sizes)
    if cells is not None:
        place = AddPosition(cells, name=f"{corner}_embedding_place_{stack}")
        outputs["embedding"] = place(outputs["embedding"])
    return outputs


def center_outputs(features, stack: int, arguments: Mapping) -> dict:
    """The two maps of the centres of one stack."""
    width, pooled = arguments["channels"][0], arguments["pool_channels"]
    x = CenterPrediction(width, pooled, name=f"center_{stack}")(features)
    return head_outputs(x, "center", stack, arguments, {"offset": 2})


def head_outputs(x, branch, stack, arguments, sizes):
    """The heads of one branch: a heatmap of the classes, and others with the given numbers of channels."""
    return {
        head: Head(
            size,
            arguments["head_channels"],
            arguments["head_kernel_size"],
            bias=HEATMAP_BIAS if head == "heatmap" else 0.0,
            name=f"{branch}_{head}_{stack}",
        )(x)
        for head, size in {"heatmap": arguments["num_classes"], **sizes}.items()
    }
