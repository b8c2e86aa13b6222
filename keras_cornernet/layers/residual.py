"""The residual block."""

import keras
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER, ConvNorm, NormConv

KINDS = ("basic", "bottleneck", "separable")


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Residual(keras.layers.Layer):
    """A few convolutions, added to a shortcut.

    Kinds:

    - `"basic"`: two 3x3 convolutions with BatchNorm, ReLU after the sum. The shortcut is the input itself,
      or a 1x1 convolution with BatchNorm where stride or width change.
    - `"bottleneck"`: BatchNorm, ReLU, convolution three times over, 1x1 to half the width, 3x3, 1x1 back; no
      activation after the sum. The shortcut is the raw input, or a 1x1 convolution of it. Every
      convolution has a bias.
    - `"separable"`: a bottleneck whose 3x3 is depthwise and then 1x1, for phones.

    Args:
        filters: output channels.
        strides: stride of the first 3x3 convolution and of the shortcut.
        kind: one of the above.

    Raises:
        ValueError: unknown `kind`.

    Source: basic: `residual` of princeton-vl/CornerNet, `models/py_utils/utils.py`. Bottleneck: Newell et al.
    2016, fig. 4; `Residual` of princeton-vl/pytorch_stacked_hourglass, `models/layers.py`.
    """

    def __init__(self, filters, strides=1, *, kind="basic", **kwargs):
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, not {kind!r}")
        self.filters = filters
        self.strides = strides
        self.kind = kind
        policy = {"dtype": self.dtype_policy}
        if kind == "basic":
            self.first = ConvNorm(filters, 3, strides, name="first", **policy)
            self.second = ConvNorm(filters, 3, relu=False, name="second", **policy)
        else:
            half, separable = filters // 2, kind == "separable"
            self.first = NormConv(half, 1, name="first", **policy)
            self.second = NormConv(half, 3, strides, separable=separable, name="second", **policy)
            self.third = NormConv(filters, 1, name="third", **policy)
        self.shortcut = None

    def build(self, input_shape):
        if self.strides != 1 or input_shape[-1] != self.filters:
            self.shortcut = self._make_shortcut()
            self.shortcut.build(input_shape)
        shape = input_shape
        for block in self._blocks():
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.built = True

    def _blocks(self):
        # Not an attribute: Keras names the weights in its files by attributes, and these have theirs.
        return (self.first, self.second) if self.kind == "basic" else (self.first, self.second, self.third)

    def _make_shortcut(self):
        named = {"name": "shortcut", "dtype": self.dtype_policy}
        if self.kind == "basic":
            return ConvNorm(self.filters, 1, self.strides, relu=False, **named)
        return keras.layers.Conv2D(
            self.filters,
            1,
            self.strides,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            **named,
        )

    def call(self, x, training=None):
        y = x
        for block in self._blocks():
            y = block(y, training=training)
        if self.kind == "basic":
            if self.shortcut is not None:
                x = self.shortcut(x, training=training)
            return ops.relu(y + x)
        return y + (x if self.shortcut is None else self.shortcut(x))

    def compute_output_shape(self, input_shape):
        for block in self._blocks():
            input_shape = block.compute_output_shape(input_shape)
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "kind": self.kind,
        }
