"""CornerNet-Squeeze: CornerNet of fire blocks on a coarser grid (Law et al., BMVC 2020)."""

import keras

from keras_cornernet.models.body import MEAN, STD
from keras_cornernet.models.heads import CORNERS, checked, corner_outputs, images_and_features
from keras_cornernet.models.network import Network


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNetSqueeze(Network):
    """CornerNet with cheap hourglasses: fire blocks, a grid of an eighth, transposed convolutions, 1x1 heads.

    Defaults are the paper's network (31,771,852 parameters, 51 GMAC at 511 x 511, where CornerNet has 343).

    Args:
        num_classes, stacks, pool_channels, embedding_cells, input_size, mean, std: as of `CornerNet`.
        channels, num_blocks: of each `Hourglass`; widths must be even.
        stem: as of `CornerNet`; three widths give a grid of an eighth of the input.
        head_channels, head_kernel_size: of the heads' first convolution.

    Input and output as of `CornerNet`, with `h = ceil(height / 8)` for the default stem.

    Raises:
        ValueError: a number below 1, an odd width, or a stem that does not end with `channels[0]`.

    Source: Law, Teng, Russakovsky & Deng 2019 (arXiv 1904.08900), sec. 4; princeton-vl/CornerNet-Lite,
    `core/models/CornerNet_Squeeze.py`. The corners' prediction modules and the fusion keep their 3x3
    convolutions; only heads become 1x1.
    """

    def __init__(
        self,
        num_classes=80,
        *,
        stacks=2,
        channels=(256, 256, 384, 384, 512),
        num_blocks=(2, 2, 2, 2, 4),
        stem=(128, 256, 256),
        pool_channels=128,
        head_channels=256,
        head_kernel_size=1,
        embedding_cells=None,
        input_size=None,
        mean=MEAN,
        std=STD,
        metadata=None,
        name="cornernet_squeeze",
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
        images, stacked = images_and_features(arguments, block="fire", upsampling="transposed")
        outputs = [
            {corner: corner_outputs(features, corner, stack, arguments) for corner in CORNERS}
            for stack, (features, _) in enumerate(stacked)
        ]
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)
