"""The first public stacked hourglass: two wide hourglasses, fused by concatenation and addition."""

import keras
from keras import ops

from keras_cornernet.layers.convolution import ConvNorm
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.residual import Residual
from keras_cornernet.models.body import normalize
from keras_cornernet.models.network import Network
from keras_cornernet.models.stacked_hourglass import carried, heatmap_head


@keras.saving.register_keras_serializable(package="keras_cornernet")
class LegacyStackedHourglass(Network):
    """Two hourglasses with three residuals between two halvings and one between two additions.

    Defaults are the authors' model (26,353,824 parameters), as large as the eight stacks of
    `StackedHourglass`. Between its stacks the features of the first and the pooled maps of the stem are
    concatenated, brought through a 1x1 convolution, and the heatmaps are added. Tutorials describe this
    fusion; the weights that the authors released belong to the other network, which only adds.

    Args:
        num_joints: heatmaps of each stack.
        channels: of the `Hourglass` on its ways aside and down; the first is also the width of the features
            that the first stack hands on.
        num_blocks: of the `Hourglass`; the ways up have one residual each.
        merge_channels: of all that the hourglasses add, and of their features.
        stem: widths of the first convolution (stride 2) and of the residuals after it, of which the first
            comes before the pooling; a last one to `channels[0]` follows.
        input_size: `(height, width)`, or None for any size of multiples of `4 * 2 ** order`.
        mean, std: RGB constants on images in 0..1.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over the two stacks of
    `{"keypoints": {"heatmap": (batch, height / 4, width / 4, num_joints)}}`, linear.

    Raises:
        ValueError: a number below 1, or a stem that is too short.

    Source: anewell/pose-hg-train, commit 9442c50, `hg-stacked.lua`; Newell et al. 2016, sec. 4.3 (two
    stacks of the size of eight).
    """

    def __init__(
        self,
        num_joints=16,
        *,
        channels=(256,) * 5,
        num_blocks=(3, 3, 3, 3, 1),
        merge_channels=512,
        stem=(64, 128, 128, 128),
        input_size=None,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        metadata=None,
        name="legacy_stacked_hourglass",
    ):
        if len(stem) < 2:
            raise ValueError(f"stem must have at least two widths, not {tuple(stem)}")
        if num_joints < 1:
            raise ValueError(f"num_joints must be at least 1, not {num_joints}")
        arguments = {
            "num_joints": num_joints,
            "channels": tuple(channels),
            "num_blocks": tuple(num_blocks),
            "merge_channels": merge_channels,
            "stem": tuple(stem),
            "input_size": input_size,
            "mean": tuple(mean),
            "std": tuple(std),
        }
        images = keras.Input((*(input_size or (None, None)), 3), name="images")
        x, pooled = _stem(normalize(images, mean, std), (*stem, channels[0]))
        heatmaps = []
        for stack, width in enumerate((channels[0], merge_channels)):
            x = Hourglass(
                channels,
                num_blocks,
                block="bottleneck",
                pooling=True,
                merge_channels=merge_channels,
                up_count=1,
                name=f"hourglass_{stack}",
            )(x)[-1]
            for i, filters in enumerate((merge_channels, width)):
                x = ConvNorm(filters, 1, bias=True, name=f"features_{stack}_{i}")(x)
            heatmaps.append(heatmap_head(x, num_joints, stack))
            if stack == 0:
                x = ops.concatenate([x, pooled], axis=-1)
                fused = x.shape[-1]
                x = carried(x, fused, "carry_features_0") + carried(heatmaps[0], fused, "carry_heatmap_0")
        outputs = [{"keypoints": {"heatmap": heatmap}} for heatmap in heatmaps]
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)

    @property
    def stride(self) -> int:
        """Input pixels for one cell of the heatmaps."""
        return 4


def _stem(x, widths):
    """The maps that enter the first hourglass, and the pooled ones that the second sees again."""
    x = ConvNorm(widths[0], 7, 2, bias=True, name="stem_conv")(x)
    x = Residual(widths[1], block="bottleneck", name="stem_residual_0")(x)
    x = pooled = ops.max_pool(x, 2, 2)
    for i, filters in enumerate(widths[2:], start=1):
        x = Residual(filters, block="bottleneck", name=f"stem_residual_{i}")(x)
    return x, pooled
