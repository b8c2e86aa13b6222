"""The convolution that networks are made of: PyTorch's padding, BatchNorm and initial weights."""

import keras
from keras import ops

from keras_cornernet.backend import replica_count

# PyTorch draws weights uniformly within 1 / sqrt(fan_in).
TORCH_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"},
}


@keras.saving.register_keras_serializable(package="keras_cornernet")
class ConvNorm(keras.layers.Layer):
    """Convolution without bias, BatchNorm and, if wanted, ReLU.

    Padding is `(kernel_size - 1) // 2` on every side, as in PyTorch; Keras' `"same"` pads one side
    only at stride 2 and even sizes. BatchNorm has epsilon 1e-5 and momentum 0.9 (PyTorch's 0.1), and is
    synchronised over replicas where there are several.

    Args:
        filters: output channels.
        kernel_size: odd side of the kernel.
        strides: stride in both directions.
        relu: whether a ReLU follows.
        normalize: False replaces BatchNorm by a bias, which the released code does in heads.

    Source: `convolution` of princeton-vl/CornerNet, `models/py_utils/utils.py`.
    """

    def __init__(self, filters, kernel_size=3, strides=1, *, relu=True, normalize=True, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.relu = relu
        self.normalize = normalize
        self.border = (kernel_size - 1) // 2 if strides > 1 else 0
        self.conv = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="valid" if strides > 1 else "same",
            use_bias=not normalize,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            dtype=self.dtype_policy,
            name="conv",
        )
        self.norm = None
        if normalize:
            self.norm = keras.layers.BatchNormalization(
                momentum=0.9,
                epsilon=1e-5,
                synchronized=replica_count() > 1,
                dtype=self.dtype_policy,
                name="norm",
            )

    def build(self, input_shape):
        self.conv.build(self._padded(input_shape))
        if self.norm is not None:
            self.norm.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, x, training=None):
        if self.border:
            edge = (self.border, self.border)
            x = ops.pad(x, ((0, 0), edge, edge, (0, 0)))
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x, training=training)
        return ops.relu(x) if self.relu else x

    def compute_output_shape(self, input_shape):
        return self.conv.compute_output_shape(self._padded(input_shape))

    def _padded(self, shape):
        grown = (None if n is None else n + 2 * self.border for n in shape[1:3])
        return (shape[0], *grown, shape[3])

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "relu": self.relu,
            "normalize": self.normalize,
        }
