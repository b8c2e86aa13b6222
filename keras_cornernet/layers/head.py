"""The layers that turn features into predictions."""

from typing import Any

import keras
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER, ConvNorm
from keras_cornernet.tensors import Shape, Tensor

# ln(0.1 / 0.9) as the released code rounds it: every probability of a heatmap starts at 0.1.
HEATMAP_BIAS = -2.19


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Head(keras.layers.Layer):
    """Convolution with bias, ReLU, 1x1 convolution with bias; no BatchNorm. Always float32.

    Args:
        channels: output channels.
        hidden: channels of the first convolution.
        kernel_size: side of the first convolution (3; 1 in CornerNet-Squeeze).
        bias: initial bias of the output.

    Source: `make_kp_layer` of princeton-vl/CornerNet, `models/py_utils/kp.py`.
    """

    def __init__(
        self, channels: int, hidden: int = 256, kernel_size: int = 3, *, bias: float = 0.0, **kwargs: Any
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.channels = channels
        self.hidden_channels = hidden
        self.kernel_size = kernel_size
        self.bias = bias
        self.hidden = ConvNorm(
            hidden, kernel_size, normalize=False, name="hidden", dtype=keras.config.dtype_policy()
        )
        self.last = keras.layers.Conv2D(
            channels,
            1,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            bias_initializer=keras.initializers.Constant(bias),
            dtype=self.dtype_policy,
            name="last",
        )

    def build(self, input_shape: Shape) -> None:
        self.hidden.build(input_shape)
        self.last.build((*input_shape[:-1], self.hidden_channels))
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        return self.last(self.hidden(x))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "channels": self.channels,
            "hidden": self.hidden_channels,
            "kernel_size": self.kernel_size,
            "bias": self.bias,
        }


@keras.saving.register_keras_serializable(package="keras_cornernet")
class AddPosition(keras.layers.Layer):
    """Adds the position `(x, y)` of each cell, in units of `cells`, to two channels.

    An embedding that starts from its own position distinguishes objects that look alike: the head only has to
    learn the way from the corner to the middle of the object. The papers' one-channel embedding has to learn
    a different number for each of twenty equal objects, which takes far more training.

    Args:
        cells: number of grid cells per unit of the embedding.
    """

    def __init__(self, cells: float = 2.0, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.cells = cells

    def call(self, x: Tensor) -> Tensor:
        height, width = ops.shape(x)[1:3]
        columns = ops.arange(width, dtype="float32")[None, :] + ops.zeros((height, 1))
        rows = ops.arange(height, dtype="float32")[:, None] + ops.zeros((1, width))
        return x + ops.stack([columns, rows], axis=-1)[None] / self.cells

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": self.cells}
