"""The expanding half of the fire block."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER, PointwiseConv2D, batch_norm, bordered, grown
from keras_cornernet.layers.folding import factor_and_summand, norms_are_left_out
from keras_cornernet.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Expand(keras.layers.Layer):
    """A 1x1 and a depthwise 3x3 convolution side by side, each half of the channels, under one BatchNorm.

    No activation follows. The depthwise half has as many channels as the input.

    Args:
        filters: output channels, twice those of the input.
        strides: of both convolutions.

    Raises:
        ValueError: `filters` is not twice the input's channels.

    Source: Law, Teng, Russakovsky & Deng 2019, sec. 4; `fire_module` of princeton-vl/CornerNet-Lite,
    `core/models/CornerNet_Squeeze.py`.
    """

    def __init__(self, filters: int, strides: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        folded = norms_are_left_out()
        shared: dict[str, Any] = {"strides": strides, "use_bias": folded, "dtype": self.dtype_policy}
        self.border = 1 if strides > 1 else 0
        self.point = PointwiseConv2D(
            filters // 2,
            1,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            name="point",
            **shared,
        )
        self.depth = keras.layers.DepthwiseConv2D(
            3,
            padding="valid" if strides > 1 else "same",
            # PyTorch's bound: each channel sees nine values.
            depthwise_initializer=keras.initializers.RandomUniform(-1 / 3, 1 / 3),
            name="depth",
            **shared,
        )
        self.norm = None if folded else batch_norm(self.dtype_policy)

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] is None or self.filters != 2 * input_shape[-1]:
            raise ValueError(
                f"filters must be twice the {input_shape[-1]} channels of the input, not {self.filters}"
            )
        self.point.build(input_shape)
        self.depth.build(grown(input_shape, self.border))
        if self.norm is not None:
            self.norm.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        halves = [self.point(x), self.depth(bordered(x, self.border))]
        joined = ops.concatenate(halves, axis=-1)
        return joined if self.norm is None else self.norm(joined, training=training)

    def fold_into(self, copy: "Expand") -> None:
        """As `ConvNorm.fold_into`: each convolution takes its half of the BatchNorm."""
        (left, right), biases = (np.split(part, 2) for part in factor_and_summand(self.norm))
        copy.point.set_weights([np.asarray(self.point.kernel) * left, biases[0]])
        # A depthwise kernel is (height, width, channels, 1).
        copy.depth.set_weights([np.asarray(self.depth.kernel) * right[:, None], biases[1]])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*self.point.compute_output_shape(input_shape)[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}
