"""CornerNet: objects as pairs of corners (Law & Deng, ECCV 2018)."""

import keras
from keras import ops

from keras_cornernet.layers.convolution import ConvNorm
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.prediction import HEATMAP_BIAS, AddPosition, CornerPrediction, Head
from keras_cornernet.layers.residual import Residual
from keras_cornernet.models.network import Network

# RGB, of images in 0..1: the released code's constants.
MEAN = (0.47026115, 0.44719302, 0.40789654)
STD = (0.27809835, 0.27408164, 0.28863828)


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNet(Network):
    """Stacked hourglasses, each followed by its own top-left and bottom-right predictions.

    Defaults are the paper's network (Hourglass-104, 201,035,212 parameters); `stacks=1` is Hourglass-52.

    Args:
        num_classes: classes of the heatmaps.
        stacks: number of hourglasses.
        channels, counts: of each `Hourglass`.
        stem: widths of the 7x7 convolution and of the residuals after it, each of stride 2: two give a grid
            of a quarter of the input, three of an eighth. The last must be `channels[0]`.
        pool_channels: width of the pooled maps.
        head_channels: hidden width of the heads.
        head_kernel_size: side of the heads' first convolution.
        embedding_cells: None is the paper's embedding of one channel. A number gives it two channels that
            start from the cell's own place in units of so many cells (`AddPosition`), which learns faster
            where many objects look alike. No published checkpoint has it.
        input_size: `(height, width)`, or None for any size that the hourglass can halve: sides of the grid
            must be multiples of `2 ** order`.
        mean, std: RGB constants on images in 0..1.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of
    `{"top_left" | "bottom_right": {"heatmap": (batch, h, w, num_classes) logits, "embedding":
    (batch, h, w, 1 or 2), "offset": (batch, h, w, 2) as x, y in cells}}` with `h = ceil(height / 4)`
    for the default stem.

    Source: Law & Deng 2018, sec. 3; princeton-vl/CornerNet, `models/CornerNet.py` and
    `models/py_utils/kp.py`. The paper says each stack's predictions are supervised, and so does the code;
    they are not fed back.
    """

    def __init__(
        self,
        num_classes=80,
        *,
        stacks=2,
        channels=(256, 256, 384, 384, 384, 512),
        counts=(2, 2, 2, 2, 2, 4),
        stem=(128, 256),
        pool_channels=128,
        head_channels=256,
        head_kernel_size=3,
        embedding_cells=None,
        input_size=None,
        mean=MEAN,
        std=STD,
        task=None,
        name="cornernet",
    ):
        if len(stem) < 2 or stem[-1] != channels[0]:
            raise ValueError(
                "stem must have at least two widths and end with channels[0] = "
                f"{channels[0]}, not {tuple(stem)}"
            )
        for key, value in {"num_classes": num_classes, "stacks": stacks}.items():
            if value < 1:
                raise ValueError(f"{key} must be at least 1, not {value}")
        arguments = {
            "num_classes": num_classes,
            "stacks": stacks,
            "channels": tuple(channels),
            "counts": tuple(counts),
            "stem": tuple(stem),
            "pool_channels": pool_channels,
            "head_channels": head_channels,
            "head_kernel_size": head_kernel_size,
            "embedding_cells": embedding_cells,
            "input_size": input_size,
            "mean": tuple(mean),
            "std": tuple(std),
        }
        width = channels[0]
        images = keras.Input((*(input_size or (None, None)), 3), name="images")
        x = normalize(images, mean, std)
        x = ConvNorm(stem[0], 7, 2, name="stem_conv")(x)
        for i, filters in enumerate(stem[1:]):
            x = Residual(filters, 2, name=f"stem_residual_{i}")(x)
        outputs = []
        for stack, features in enumerate(stacked_features(x, stacks, channels, counts)):
            outputs.append(
                {
                    corner: corner_outputs(
                        features,
                        corner,
                        stack,
                        num_classes=num_classes,
                        width=width,
                        pool_channels=pool_channels,
                        head_channels=head_channels,
                        head_kernel_size=head_kernel_size,
                        embedding_cells=embedding_cells,
                    )
                    for corner in ("top_left", "bottom_right")
                }
            )
        super().__init__(images, outputs, arguments=arguments, task=task, name=name)

    @property
    def stride(self) -> int:
        """Input pixels for one cell of the heatmaps."""
        return 2 ** len(self.arguments["stem"])


def normalize(images, mean, std):
    """RGB 0..255 to zero mean and unit deviation, in float32 whatever the precision of the rest."""
    layer = keras.layers.Rescaling(
        scale=[1 / (255 * s) for s in std],
        offset=[-m / s for m, s in zip(mean, std, strict=True)],
        dtype="float32",
        name="normalize",
    )
    return layer(images)


def stacked_features(x, stacks, channels, counts):
    """Yields the features of each stack; between two, input and features are fused by a residual."""
    width = channels[0]
    for stack in range(stacks):
        hourglass = Hourglass(channels, counts, name=f"hourglass_{stack}")(x)[-1]
        features = ConvNorm(width, name=f"features_{stack}")(hourglass)
        yield features
        if stack + 1 < stacks:
            carried = ConvNorm(width, 1, relu=False, name=f"carry_input_{stack}")(x)
            added = ConvNorm(width, 1, relu=False, name=f"carry_features_{stack}")(features)
            x = Residual(width, name=f"fusion_{stack}")(ops.relu(carried + added))


def corner_outputs(
    features,
    corner,
    stack,
    *,
    num_classes,
    width,
    pool_channels,
    head_channels,
    head_kernel_size,
    embedding_cells,
):
    """The three maps of one corner of one stack."""
    x = CornerPrediction(corner, width, pool_channels, name=f"{corner}_{stack}")(features)
    placed = embedding_cells is not None
    sizes = {"heatmap": num_classes, "embedding": 2 if placed else 1, "offset": 2}
    outputs = {
        head: Head(
            size,
            head_channels,
            head_kernel_size,
            bias=HEATMAP_BIAS if head == "heatmap" else 0.0,
            name=f"{corner}_{head}_{stack}",
        )(x)
        for head, size in sizes.items()
    }
    if placed:
        name = f"{corner}_embedding_place_{stack}"
        outputs["embedding"] = AddPosition(embedding_cells, name=name)(outputs["embedding"])
    return outputs
