"""CornerNet: objects as pairs of corners (Law & Deng, ECCV 2018)."""

import keras

from keras_cornernet.models.body import MEAN, STD
from keras_cornernet.models.heads import CORNERS, checked, corner_outputs, images_and_features
from keras_cornernet.models.network import Network


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNet(Network):
    """Stacked hourglasses, each followed by its own top-left and bottom-right predictions.

    Defaults are the paper's network (Hourglass-104, 201,035,212 parameters); `stacks=1` is Hourglass-52.

    Args:
        num_classes: classes of the heatmaps.
        stacks: number of hourglasses.
        channels, num_blocks: of each `Hourglass`.
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

    Raises:
        ValueError: a number below 1, or a stem that does not end with `channels[0]`.

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
        num_blocks=(2, 2, 2, 2, 2, 4),
        stem=(128, 256),
        pool_channels=128,
        head_channels=256,
        head_kernel_size=3,
        embedding_cells=None,
        input_size=None,
        mean=MEAN,
        std=STD,
        metadata=None,
        name="cornernet",
    ):
        arguments = checked(
            {
                "num_classes": num_classes,
                "stacks": stacks,
                "channels": channels,
                "num_blocks": num_blocks,
                "stem": stem,
                "pool_channels": pool_channels,
                "head_channels": head_channels,
                "head_kernel_size": head_kernel_size,
                "embedding_cells": embedding_cells,
                "input_size": input_size,
                "mean": mean,
                "std": std,
            }
        )
        images, stacked = images_and_features(arguments)
        outputs = [
            {corner: corner_outputs(features, corner, stack, arguments) for corner in CORNERS}
            for stack, (features, _) in enumerate(stacked)
        ]
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)
