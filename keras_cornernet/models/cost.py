"""What a network costs to run."""

import math
from typing import Any

import keras

from keras_cornernet.models.network import Network

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def multiply_adds(network: Network, *, all_stacks: bool = False) -> int:
    """Counts the multiplications of all convolutions for one image, without running the network.

    Args:
        network: built for a fixed `input_size`.
        all_stacks: count the heads of every stack, as in training; otherwise only those of the last, which
            are all that a compiled prediction runs.

    Raises:
        ValueError: the network has no `input_size`.
    """
    if network.arguments["input_size"] is None:
        raise ValueError(
            "network must be built with an input_size, so that its multiplications can be counted"
        )
    outputs = network.output
    shown = outputs if all_stacks or not isinstance(outputs, list) else outputs[-1]
    used = keras.Model(network.input, shown)
    convolutions = [layer for layer in used._flatten_layers() if isinstance(layer, _CONVOLUTIONS)]
    return sum(_of_convolution(layer) for layer in convolutions)


def _of_convolution(layer: Any) -> int:
    shape = layer.get_build_config()["input_shape"]
    if isinstance(layer, keras.layers.Conv2DTranspose):  # each input pixel is multiplied by the whole kernel
        return int(math.prod(shape[1:3]) * math.prod(layer.kernel.shape))
    pixels = math.prod(layer.compute_output_shape(shape)[1:3])
    if isinstance(layer, keras.layers.SeparableConv2D):
        kernels = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
        return int(pixels * kernels)
    return int(pixels * math.prod(layer.kernel.shape))
