"""The first public stacked hourglass: its stacks are joined by concatenation and addition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cornernet.layers.convolution import ConvNorm
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.residual import Residual
from keras_cornernet.models.body import normalize
from keras_cornernet.models.config import WIDEST, check_count
from keras_cornernet.models.network import Network
from keras_cornernet.models.stacked_hourglass import PoseConfig, carried, heatmap_head


@dataclass(frozen=True, kw_only=True)
class LegacyStackedHourglassConfig(PoseConfig):
    """The settings of `LegacyStackedHourglass`.

    Attributes:
        stacks: number of hourglasses; the authors have two.
        channels: of the `Hourglass` on its ways aside and down; the first is also the width of the features
            of all stacks but the last.
        num_blocks: of the `Hourglass`; the ways up have one residual each.
        merge_channels: width of all maps that the hourglasses add, and of the features of the last stack.
    """

    stacks: int = 2
    num_blocks: tuple[int, ...] = (3, 3, 3, 3, 1)
    stem: tuple[int, ...] = (64, 128, 128, 128)
    merge_channels: int = 512

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("merge_channels", self.merge_channels, WIDEST)
        if self.block == "basic":
            raise ValueError("block must be a pre-activation block, such as 'bottleneck', not 'basic'")


@keras.saving.register_keras_serializable(package="keras_cornernet")
class LegacyStackedHourglass(Network):
    """Hourglasses with three residuals between two halvings and one between two additions.

    The defaults are the authors' model (26,353,824 parameters), as large as the eight stacks of
    `StackedHourglass`. Between two stacks the features and the pooled maps of the stem are concatenated and
    go through a 1x1 convolution, and the heatmaps are added. Tutorials describe this fusion; the weights that
    the authors released belong to the other network, which only adds.

    Args:
        num_joints: heatmaps of each stack.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `LegacyStackedHourglassConfig`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over the stacks of
    `{"keypoints": {"heatmap": (batch, height / 4, width / 4, num_joints)}}`, linear.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: anewell/pose-hg-train, commit 9442c50, `hg-stacked.lua`; Newell et al. 2016, sec. 4.3 (two
    stacks of the size of eight). The authors have two stacks; further ones repeat the first.
    """

    config_type: ClassVar[type[LegacyStackedHourglassConfig]] = LegacyStackedHourglassConfig

    def __init__(
        self,
        num_joints: int = 16,
        *,
        metadata: dict[str, Any] | None = None,
        name: str = "legacy_stacked_hourglass",
        **settings: Any,
    ):
        config = self.config_type(num_joints=num_joints, **settings)
        images = keras.Input((*(config.input_size or (None, None)), 3), name="images")
        x, pooled = _stem(
            normalize(images, config.mean, config.std), (*config.stem, config.channels[0]), config
        )
        heatmaps = []
        for stack in range(config.stacks):
            last = stack + 1 == config.stacks
            x = _features(x, stack, config.merge_channels if last else config.channels[0], config)
            heatmaps.append(heatmap_head(x, num_joints, stack))
            if not last:
                x = ops.concatenate([x, pooled], axis=-1)
                fused = x.shape[-1]
                x = carried(x, fused, f"carry_features_{stack}")
                x = x + carried(heatmaps[-1], fused, f"carry_heatmap_{stack}")
        outputs = [{"keypoints": {"heatmap": heatmap}} for heatmap in heatmaps]
        super().__init__(images, outputs, config=config, metadata=metadata, name=name)


def _features(x: Any, stack: int, width: int, config: LegacyStackedHourglassConfig) -> Any:
    """An hourglass and two 1x1 convolutions, the second to `width`."""
    hourglass = Hourglass(
        config.channels,
        config.num_blocks,
        block=config.block,
        pooling=True,
        merge_channels=config.merge_channels,
        up_count=1,
        upsampling=config.upsampling,
        name=f"hourglass_{stack}",
    )
    x = hourglass(x)[-1]
    for i, filters in enumerate((config.merge_channels, width)):
        x = ConvNorm(filters, 1, bias=True, name=f"features_{stack}_{i}")(x)
    return x


def _stem(x: Any, widths: Sequence[int], config: LegacyStackedHourglassConfig) -> tuple[Any, Any]:
    """The maps that enter the first hourglass, and the pooled ones that enter the later ones again."""
    x = ConvNorm(widths[0], 7, 2, bias=True, name="stem_conv")(x)
    x = Residual(widths[1], block=config.block, name="stem_residual_0")(x)
    x = pooled = ops.max_pool(x, 2, 2)
    for i, filters in enumerate(widths[2:], start=1):
        x = Residual(filters, block=config.block, name=f"stem_residual_{i}")(x)
    return x, pooled
