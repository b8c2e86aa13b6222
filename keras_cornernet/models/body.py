"""What stands before the heads: normalization, stem, and hourglasses in a row."""

from collections.abc import Iterator

import keras
from keras import ops

from keras_cornernet.layers.convolution import ConvNorm
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.residual import Residual

# RGB, of images in 0..1: the constants of the authors' code of all four detectors.
MEAN = (0.47026115, 0.44719302, 0.40789654)
STD = (0.27809835, 0.27408164, 0.28863828)


def normalize(images, mean, std):
    """RGB 0..255 to zero mean and unit deviation, in float32 whatever the precision of the rest."""
    layer = keras.layers.Rescaling(
        scale=[1 / (255 * s) for s in std],
        offset=[-m / s for m, s in zip(mean, std, strict=True)],
        dtype="float32",
        name="normalize",
    )
    return layer(images)


def strided_stem(x, widths, kernel_size=7):
    """A wide convolution and residuals after it, each of stride 2."""
    x = ConvNorm(widths[0], kernel_size, 2, name="stem_conv")(x)
    for i, filters in enumerate(widths[1:]):
        x = Residual(filters, 2, name=f"stem_residual_{i}")(x)
    return x


def stacked_features(
    x, stacks, channels, num_blocks, *, block="basic", upsampling="nearest"
) -> Iterator[tuple[object, list]]:
    """Yields the features of each stack; between two, input and features are fused by a residual.

    Args:
        x: what enters the first hourglass.
        stacks: number of hourglasses.
        channels, num_blocks, block, upsampling: of each `Hourglass`. The fusion's residual is always basic.

    Returns:
        An iterator over stacks of the features and of the hourglass's merged maps, deepest first.

    Source: Law & Deng 2018, sec. 3.5; `kp` of princeton-vl/CornerNet, `models/py_utils/kp.py`.
    """
    width = channels[0]
    for stack in range(stacks):
        name = f"hourglass_{stack}"
        merged = Hourglass(channels, num_blocks, block=block, upsampling=upsampling, name=name)(x)
        features = ConvNorm(width, name=f"features_{stack}")(merged[-1])
        yield features, merged
        if stack + 1 < stacks:
            carried = ConvNorm(width, 1, relu=False, name=f"carry_input_{stack}")(x)
            added = ConvNorm(width, 1, relu=False, name=f"carry_features_{stack}")(features)
            x = Residual(width, name=f"fusion_{stack}")(ops.relu(carried + added))
