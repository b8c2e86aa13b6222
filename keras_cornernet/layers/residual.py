"""The residual block."""

import keras
from keras import ops

from keras_cornernet.layers.convolution import ConvNorm


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Residual(keras.layers.Layer):
    """Two 3x3 convolutions with BatchNorm, added to a shortcut, then ReLU.

    The shortcut is the input itself, or a strided 1x1 convolution with BatchNorm where stride or
    width change.

    Args:
        filters: output channels.
        strides: stride of the first convolution and of the shortcut.

    Source: `residual` of princeton-vl/CornerNet, `models/py_utils/utils.py`.
    """

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        policy = {"dtype": self.dtype_policy}
        self.first = ConvNorm(filters, 3, strides, name="first", **policy)
        self.second = ConvNorm(filters, 3, relu=False, name="second", **policy)
        self.shortcut = None

    def build(self, input_shape):
        if self.strides != 1 or input_shape[-1] != self.filters:
            self.shortcut = ConvNorm(
                self.filters, 1, self.strides, relu=False, name="shortcut", dtype=self.dtype_policy
            )
            self.shortcut.build(input_shape)
        self.first.build(input_shape)
        self.second.build(self.first.compute_output_shape(input_shape))
        self.built = True

    def call(self, x, training=None):
        y = self.second(self.first(x, training=training), training=training)
        if self.shortcut is not None:
            x = self.shortcut(x, training=training)
        return ops.relu(y + x)

    def compute_output_shape(self, input_shape):
        return self.first.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}
