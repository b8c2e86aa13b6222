"""Stacked hourglasses: human pose as one heatmap a joint (Newell, Yang & Deng, ECCV 2016)."""

import keras
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER, ConvNorm
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.residual import Residual
from keras_cornernet.models.body import normalize, stacked_features, strided_stem
from keras_cornernet.models.network import Network


@keras.saving.register_keras_serializable(package="keras_cornernet")
class StackedHourglass(Network):
    """Hourglasses in a row, each with heatmaps of its own that the next one sees.

    Defaults are the paper's network of eight stacks (25,434,112 parameters): max-pooling, pre-activation
    bottlenecks, and between two stacks the features and the heatmaps are brought back to full width and
    added to what went in. With `block="basic"` it is mmpose's `HourglassNet`: CornerNet's hourglasses
    (strides for pooling, no heatmaps between stacks) with 1x1 heads.

    Args:
        num_joints: heatmaps of each stack.
        stacks: number of hourglasses.
        channels, num_blocks: of each `Hourglass`.
        block: of the residuals, see `Residual`; `"separable"` is for phones.
        stem: widths of the first convolution (stride 2) and of the residuals after it, of which the first
            comes before the pooling; a last one to `channels[0]` follows. `(64, 128, 128)` are the
            authors', `(64, 128, 256)` those of bearpaw/pytorch-pose. mmpose has `(128,)`.
        stem_kernel_size: side of the first convolution.
        input_size: `(height, width)`, or None for any size of multiples of `4 * 2 ** order`.
        mean, std: RGB constants on images in 0..1.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of
    `{"keypoints": {"heatmap": (batch, height / 4, width / 4, num_joints)}}`, linear.

    Raises:
        ValueError: unknown `block`, a number below 1, or a stem that is too short.

    Source: Newell et al. 2016, secs. 3.1 and 3.2; princeton-vl/pytorch_stacked_hourglass,
    `models/posenet.py`; bearpaw/pytorch-pose, `pose/models/hourglass.py`; open-mmlab/mmpose, `HourglassNet`.
    """

    def __init__(
        self,
        num_joints=16,
        *,
        stacks=8,
        channels=(256,) * 5,
        num_blocks=(1,) * 5,
        block="bottleneck",
        stem=(64, 128, 128),
        stem_kernel_size=7,
        input_size=None,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        metadata=None,
        name="stacked_hourglass",
    ):
        if len(stem) < (1 if block == "basic" else 2):
            raise ValueError(f"stem must have at least two widths (one for kind='basic'), not {tuple(stem)}")
        for key, value in {"num_joints": num_joints, "stacks": stacks}.items():
            if value < 1:
                raise ValueError(f"{key} must be at least 1, not {value}")
        arguments = {
            "num_joints": num_joints,
            "stacks": stacks,
            "channels": tuple(channels),
            "num_blocks": tuple(num_blocks),
            "block": block,
            "stem": tuple(stem),
            "stem_kernel_size": stem_kernel_size,
            "input_size": input_size,
            "mean": tuple(mean),
            "std": tuple(std),
        }
        images = keras.Input((*(input_size or (None, None)), 3), name="images")
        x = normalize(images, mean, std)
        if block == "basic":
            x = strided_stem(x, (*stem, channels[0]), stem_kernel_size)
            features = [maps for maps, _ in stacked_features(x, stacks, channels, num_blocks)]
            heatmaps = [heatmap_head(maps, num_joints, stack) for stack, maps in enumerate(features)]
        else:
            x = ConvNorm(stem[0], stem_kernel_size, 2, bias=True, name="stem_conv")(x)
            for i, filters in enumerate((*stem[1:], channels[0])):
                x = ops.max_pool(x, 2, 2) if i == 1 else x
                x = Residual(filters, block=block, name=f"stem_residual_{i}")(x)
            heatmaps = list(_supervised_stacks(x, num_joints, stacks, channels, num_blocks, block))
        outputs = [{"keypoints": {"heatmap": heatmap}} for heatmap in heatmaps]
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)

    @property
    def stride(self) -> int:
        """Input pixels for one cell of the heatmaps."""
        return 2 ** (len(self.arguments["stem"]) + 1) if self.arguments["block"] == "basic" else 4


def heatmap_head(features, num_joints, stack):
    """One heatmap a joint, linear and float32."""
    layer = keras.layers.Conv2D(
        num_joints,
        1,
        kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
        dtype="float32",
        name=f"keypoints_heatmap_{stack}",
    )
    return layer(features)


def carried(maps, width, name):
    """Maps brought by a 1x1 convolution to the width of what goes into the next stack."""
    initializer = keras.initializers.get(TORCH_INITIALIZER)
    return keras.layers.Conv2D(width, 1, kernel_initializer=initializer, name=name)(maps)


def _supervised_stacks(x, num_joints, stacks, channels, num_blocks, block):
    """Yields the heatmaps of each stack; they and the features go into the next."""
    width = channels[0]
    for stack in range(stacks):
        y = Hourglass(channels, num_blocks, block=block, pooling=True, name=f"hourglass_{stack}")(x)[-1]
        for i in range(num_blocks[0]):
            y = Residual(width, block=block, name=f"after_{stack}_{i}")(y)
        y = ConvNorm(width, 1, bias=True, name=f"features_{stack}")(y)
        heatmap = heatmap_head(y, num_joints, stack)
        yield heatmap
        if stack + 1 < stacks:
            x = x + carried(y, width, f"carry_features_{stack}")
            x = x + carried(heatmap, width, f"carry_heatmap_{stack}")
