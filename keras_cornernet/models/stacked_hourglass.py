"""Stacked hourglasses: human pose as one heatmap a joint (Newell, Yang & Deng, ECCV 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER, ConvNorm, Unfused
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.residual import Residual
from keras_cornernet.models.body import normalize, stacked_features, strided_stem
from keras_cornernet.models.config import MOST_OUTPUTS, WIDEST_KERNEL, NetworkConfig, check_count
from keras_cornernet.models.network import Network


@dataclass(frozen=True, kw_only=True)
class PoseConfig(NetworkConfig):
    """What pose networks are built from.

    Attributes:
        num_joints: heatmaps of each stack.
        stem: widths of the first convolution (stride 2) and of the residuals after it; max-pooling follows
            the first residual. One more residual brings the maps to `channels[0]`.
    """

    num_joints: int = 16
    stacks: int = 8
    channels: tuple[int, ...] = (256,) * 5
    num_blocks: tuple[int, ...] = (1,) * 5
    block: str = "bottleneck"
    stem: tuple[int, ...] = (64, 128, 128)
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        check_count("num_joints", self.num_joints, MOST_OUTPUTS)
        super().__post_init__()
        if self.block != "basic" and len(self.stem) < 2:
            raise ValueError(f"stem must have at least two widths, not {self.stem}")

    @property
    def stride(self) -> int:
        """Input pixels per cell of the heatmaps."""
        return int(2 ** (len(self.stem) + 1)) if self.block == "basic" else 4


@dataclass(frozen=True, kw_only=True)
class StackedHourglassConfig(PoseConfig):
    """The settings of `StackedHourglass`.

    Attributes:
        block: of the residuals, see `layers.Residual`; `"separable"` is for phones. `"basic"` builds mmpose's
            network, whose stem needs one width only.
        stem: `(64, 128, 128)` are the authors', `(64, 128, 256)` those of bearpaw/pytorch-pose, `(128,)` that
            of mmpose.
        stem_kernel_size: side of the first convolution.
    """

    stem_kernel_size: int = 7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("stem_kernel_size", self.stem_kernel_size, WIDEST_KERNEL)


@keras.saving.register_keras_serializable(package="keras_cornernet")
class StackedHourglass(Network):
    """Stacked hourglasses, each with its own heatmaps, which enter the next.

    The defaults are the paper's network of eight stacks (25,434,112 parameters): max-pooling, pre-activation
    bottlenecks, and between two stacks the features and the heatmaps are brought back to full width and
    added to the input of the stack. With `block="basic"` it is mmpose's `HourglassNet`: CornerNet's
    hourglasses (strides in place of pooling, no heatmaps between stacks) with 1x1 heads.

    Args:
        num_joints: heatmaps of each stack.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `StackedHourglassConfig`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of
    `{"keypoints": {"heatmap": (batch, height / 4, width / 4, num_joints)}}`, linear.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Newell et al. 2016, secs. 3.1 and 3.2; princeton-vl/pytorch_stacked_hourglass,
    `models/posenet.py`; bearpaw/pytorch-pose, `pose/models/hourglass.py`; open-mmlab/mmpose, `HourglassNet`.
    """

    config_type: ClassVar[type[StackedHourglassConfig]] = StackedHourglassConfig

    def __init__(
        self,
        num_joints: int = 16,
        *,
        metadata: dict[str, Any] | None = None,
        name: str = "stacked_hourglass",
        **settings: Any,
    ):
        config = self.config_type(num_joints=num_joints, **settings)
        images = keras.Input((*(config.input_size or (None, None)), 3), name="images")
        x = normalize(images, config.mean, config.std)
        if config.block == "basic":
            x = strided_stem(x, (*config.stem, config.channels[0]), config.stem_kernel_size)
            features = [maps for maps, _ in stacked_features(x, config)]
            heatmaps = [heatmap_head(maps, num_joints, stack) for stack, maps in enumerate(features)]
        else:
            x = ConvNorm(config.stem[0], config.stem_kernel_size, 2, bias=True, name="stem_conv")(x)
            for i, filters in enumerate((*config.stem[1:], config.channels[0])):
                x = ops.max_pool(x, 2, 2) if i == 1 else x
                x = Residual(filters, block=config.block, name=f"stem_residual_{i}")(x)
            heatmaps = list(_supervised_stacks(x, config))
        outputs = [{"keypoints": {"heatmap": heatmap}} for heatmap in heatmaps]
        super().__init__(images, outputs, config=config, metadata=metadata, name=name)


def heatmap_head(features: Any, num_joints: int, stack: int) -> Any:
    """One heatmap a joint, linear and float32."""
    layer = keras.layers.Conv2D(
        num_joints,
        1,
        kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
        dtype="float32",
        name=f"keypoints_heatmap_{stack}",
    )
    return layer(features)


def carried(maps: Any, width: int, name: str) -> Any:
    """Maps brought by a 1x1 convolution to the width of the input of the next stack."""
    initializer = keras.initializers.get(TORCH_INITIALIZER)
    # Not a `SummandConv2D`: files name the weights of these layers by their class.
    return Unfused(name=f"{name}_unfused")(
        keras.layers.Conv2D(width, 1, kernel_initializer=initializer, name=name)(maps)
    )


def _supervised_stacks(x: Any, config: StackedHourglassConfig) -> Iterator[Any]:
    """Yields the heatmaps of each stack, which enter the next stack together with the features."""
    width = config.channels[0]
    for stack in range(config.stacks):
        hourglass = Hourglass(
            config.channels,
            config.num_blocks,
            block=config.block,
            pooling=True,
            upsampling=config.upsampling,
            name=f"hourglass_{stack}",
        )
        y = hourglass(x)[-1]
        for i in range(config.num_blocks[0]):
            y = Residual(width, block=config.block, name=f"after_{stack}_{i}")(y)
        y = ConvNorm(width, 1, bias=True, name=f"features_{stack}")(y)
        heatmap = heatmap_head(y, config.num_joints, stack)
        yield heatmap
        if stack + 1 < config.stacks:
            x = x + carried(y, width, f"carry_features_{stack}")
            x = x + carried(heatmap, width, f"carry_heatmap_{stack}")
