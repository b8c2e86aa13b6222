"""CenterNet: objects as triplets of two corners and a centre (Duan et al., ICCV 2019)."""

import keras

from keras_cornernet.models.body import MEAN, STD
from keras_cornernet.models.heads import (
    CORNERS,
    center_outputs,
    checked,
    corner_outputs,
    images_and_features,
)
from keras_cornernet.models.network import Network


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CenterNet(Network):
    """CornerNet with cascade corner pooling and a third branch for centres.

    A box is believed only if the centre of an object of its class lies in its middle. Defaults are the
    paper's CenterNet-104 (210,062,960 parameters); `stacks=1` is CenterNet-52 (104,844,152). "Objects as
    Points" of the same year and name is another network.

    Args:
        num_classes, stacks, channels, counts, stem, pool_channels, head_channels, head_kernel_size,
            embedding_cells, input_size, mean, std: as of `CornerNet`. The centres have no embedding.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: as of `CornerNet`, and in each stack
    `"center": {"heatmap": (batch, h, w, num_classes) logits, "offset": (batch, h, w, 2)}`.

    Raises:
        ValueError: a number below 1, or a stem that does not end with `channels[0]`.

    Source: Duan, Bai, Xie, Qi, Huang & Tian 2019 (arXiv 1904.08189), sec. 3; Duankaiwen/CenterNet,
    `models/CenterNet-104.py` and `models/py_utils/kp.py`.
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
        name="centernet",
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
        outputs = []
        for stack, (features, _) in enumerate(stacked):
            corners = {c: corner_outputs(features, c, stack, arguments, cascade=True) for c in CORNERS}
            outputs.append({**corners, "center": center_outputs(features, stack, arguments)})
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)
