"""What a network costs to run."""

import math

import keras

from keras_cornernet.models.network import Network

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def multiply_adds(network: Network, *, all_stacks: bool = False) -> int:
    """The multiplications of all convolutions for one image; nothing is computed.

    Args:
        network: built for a fixed `input_size`.
        all_stacks: count the heads of every stack, as in training; else only those of the last, which is
            what a compiled prediction runs.

    Raises:
        ValueError: the network has no `input_size`.
    """
    if network.arguments["input_size"] is None:
        raise ValueError("network must be built with an input_size to count its multiplications, not for any")
    outputs = network.output
    shown = outputs if all_stacks or not isinstance(outputs, list) else outputs[-1]
    used = keras.Model(network.input, shown)
    convolutions = [layer for layer in used._flatten_layers() if isinstance(layer, _CONVOLUTIONS)]
    return sum(_of_convolution(layer) for layer in convolutions)


def _of_convolution(layer):
    shape = layer.get_build_config()["input_shape"]
    if isinstance(layer, keras.layers.Conv2DTranspose):  # each input pixel meets the whole kernel
        return math.prod(shape[1:3]) * math.prod(layer.kernel.shape)
    pixels = math.prod(layer.compute_output_shape(shape)[1:3])
    if isinstance(layer, keras.layers.SeparableConv2D):
        return pixels * (math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape))
    return pixels * math.prod(layer.kernel.shape)
