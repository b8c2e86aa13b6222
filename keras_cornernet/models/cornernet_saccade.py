"""CornerNet-Saccade: corners, and where to look closer (Law et al., BMVC 2020)."""

import keras

from keras_cornernet.layers.head import HEATMAP_BIAS, Head
from keras_cornernet.models.body import MEAN, STD
from keras_cornernet.models.heads import CORNERS, checked, corner_outputs, images_and_features
from keras_cornernet.models.network import Network

# Of the objects that an attention map looks for; the deepest merged map comes first.
SIZES = ("large", "medium", "small")


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNetSaccade(Network):
    """CornerNet with shallow hourglasses and attention maps, for small crops of an image.

    Each stack also predicts where objects of three sizes lie, from three merged maps of its hourglass: large
    ones from the deepest, small ones from the last. Defaults are the paper's network (Hourglass-54,
    116,969,339 parameters, 96 GMAC a crop of 255 x 255).

    Args:
        num_classes, stem, pool_channels, head_kernel_size, embedding_cells, input_size, mean, std: as of
            `CornerNet`.
        stacks: number of hourglasses.
        channels, num_blocks: of each `Hourglass`, which must have an order of 3.
        head_channels: hidden width of all heads, those of the attention too.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: as of `CornerNet`, and in each stack
    `"attention": {"large" | "medium" | "small": (batch, h, w, 1)}` logits on grids of a sixteenth, an eighth
    and a quarter of the input.

    Raises:
        ValueError: a number below 1, another order, or a stem that does not end with `channels[0]`.

    Source: Law, Teng, Russakovsky & Deng 2019 (arXiv 1904.08900), sec. 3; princeton-vl/CornerNet-Lite,
    `core/models/CornerNet_Saccade.py`.
    """

    def __init__(
        self,
        num_classes=80,
        *,
        stacks=3,
        channels=(256, 384, 384, 512),
        num_blocks=(1, 1, 1, 1),
        stem=(128, 256),
        pool_channels=128,
        head_channels=256,
        head_kernel_size=3,
        embedding_cells=None,
        input_size=None,
        mean=MEAN,
        std=STD,
        metadata=None,
        name="cornernet_saccade",
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
        if len(arguments["channels"]) != len(SIZES) + 1:
            raise ValueError(
                f"channels must have {len(SIZES) + 1} widths, one merged map for each of {SIZES}, "
                f"not {arguments['channels']}"
            )
        images, stacked = images_and_features(arguments)
        outputs = []
        for stack, (features, merged) in enumerate(stacked):
            corners = {corner: corner_outputs(features, corner, stack, arguments) for corner in CORNERS}
            attention = {
                size: Head(1, head_channels, 3, bias=HEATMAP_BIAS, name=f"attention_{size}_{stack}")(maps)
                for size, maps in zip(SIZES, merged, strict=True)
            }
            outputs.append({**corners, "attention": attention})
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)
