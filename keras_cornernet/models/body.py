"""What comes before the heads: normalization, stem and stacked hourglasses."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from keras_cornernet.layers.convolution import ConvNorm
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.residual import Residual
from keras_cornernet.models.config import NetworkConfig


def normalize(images: Any, mean: Sequence[float], std: Sequence[float]) -> Any:
    """Scales RGB 0..255 to zero mean and unit deviation, in float32 also under mixed precision."""
    layer = keras.layers.Rescaling(
        scale=[1 / (255 * s) for s in std],
        offset=[-m / s for m, s in zip(mean, std, strict=True)],
        dtype="float32",
        name="normalize",
    )
    return layer(images)


def strided_stem(x: Any, widths: Sequence[int], kernel_size: int = 7) -> Any:
    """A wide convolution and residuals after it, each of stride 2."""
    x = ConvNorm(widths[0], kernel_size, 2, name="stem_conv")(x)
    for i, filters in enumerate(widths[1:]):
        x = Residual(filters, 2, name=f"stem_residual_{i}")(x)
    return x


def stacked_features(x: Any, config: NetworkConfig) -> Iterator[tuple[Any, list[Any]]]:
    """Yields the features of each stack; between two stacks a residual fuses input and features.

    Args:
        x: the input of the first hourglass.
        config: of the network. The fusion's residual is a basic one whatever its `block`.

    Returns:
        An iterator over stacks: the features, and the merged maps of the hourglass, deepest first.

    Source: Law & Deng 2018, sec. 3.5; `kp` of princeton-vl/CornerNet, `models/py_utils/kp.py`.
    """
    width = config.channels[0]
    for stack in range(config.stacks):
        hourglass = Hourglass(
            config.channels,
            config.num_blocks,
            block=config.block,
            upsampling=config.upsampling,
            name=f"hourglass_{stack}",
        )
        merged = hourglass(x)
        features = ConvNorm(width, name=f"features_{stack}")(merged[-1])
        yield features, merged
        if stack + 1 < config.stacks:
            carried = ConvNorm(width, 1, relu=False, name=f"carry_input_{stack}")(x)
            added = ConvNorm(width, 1, relu=False, name=f"carry_features_{stack}")(features)
            x = Residual(width, name=f"fusion_{stack}")(ops.relu(carried + added))
