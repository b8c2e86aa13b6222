"""The convolutions of the networks, with PyTorch's padding, BatchNorm and initial weights."""

from typing import Any

import keras
from keras import ops

from keras_cornernet.backend import synchronizes, unfused
from keras_cornernet.layers.folding import norms_are_left_out, set_convolution
from keras_cornernet.tensors import Shape, Tensor

# PyTorch draws weights uniformly within 1 / sqrt(fan_in), and biases too. Here biases start at zero, except
# those of the detectors' heatmaps, which start where the released code sets them.
TORCH_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"},
}


@keras.saving.register_keras_serializable(package="keras_cornernet")
class PointwiseConv2D(keras.layers.Conv2D):
    """A 1x1 convolution; with strides it drops rows and columns first and convolves the others.

    The result is that of `keras.layers.Conv2D`. In TensorFlow 2.21 oneDNN's gradient of a strided 1x1 kernel
    is wrong: with AVX2 by half of its value where the input has up to seven channels, and with AVX-512 it
    writes beyond its memory.
    """

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        rows, columns = self.strides
        return ops.conv(inputs[:, ::rows, ::columns], kernel, padding="valid", data_format="channels_last")


@keras.saving.register_keras_serializable(package="keras_cornernet")
class SummandConv2D(PointwiseConv2D):
    """A 1x1 convolution whose result goes into a sum, see `backend.unfused`."""

    def call(self, inputs: Tensor) -> Tensor:
        return unfused(super().call(inputs))


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Unfused(keras.layers.Layer):
    """The maps as they are, which go into a sum, see `backend.unfused`."""

    def call(self, inputs: Tensor) -> Tensor:
        return unfused(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)


@keras.saving.register_keras_serializable(package="keras_cornernet")
class ConvNorm(keras.layers.Layer):
    """Convolution without bias, BatchNorm and optionally ReLU.

    Padding is `(kernel_size - 1) // 2` on every side, as in PyTorch; at stride 2 and even sizes Keras'
    `"same"` pads one side only. BatchNorm has epsilon 1e-5 and momentum 0.9 (PyTorch's 0.1), and is
    synchronised over replicas where there are several.

    Args:
        filters: output channels.
        kernel_size: odd side of the kernel.
        strides: stride in both directions.
        relu: whether a ReLU follows.
        normalize: False replaces BatchNorm by a bias, which the released code does in heads.
        bias: whether the convolution has a bias; by default where there is no BatchNorm. Newell et al. have
            both.

    Source: `convolution` of princeton-vl/CornerNet, `models/py_utils/utils.py`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        strides: int = 1,
        *,
        relu: bool = True,
        normalize: bool = True,
        bias: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.relu = relu
        self.normalize = normalize = normalize and not norms_are_left_out()
        self.bias = bias
        self.border = (kernel_size - 1) // 2 if strides > 1 else 0
        convolution = PointwiseConv2D if kernel_size == 1 else keras.layers.Conv2D
        self.conv = convolution(
            filters,
            kernel_size,
            strides=strides,
            padding="valid" if strides > 1 else "same",
            use_bias=not normalize if bias is None else bias,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            dtype=self.dtype_policy,
            name="conv",
        )
        self.norm: Any = batch_norm(self.dtype_policy) if normalize else None

    def build(self, input_shape: Shape) -> None:
        self.conv.build(grown(input_shape, self.border))
        if self.norm is not None:
            self.norm.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        x = self.conv(bordered(x, self.border))
        if self.norm is not None:
            x = self.norm(x, training=training)
        return ops.relu(x) if self.relu else unfused(x)

    def fold_into(self, copy: "ConvNorm") -> None:
        """Gives a copy of this layer, built `without_norms`, the weights with which it computes the same."""
        set_convolution(copy.conv, [self.conv.kernel], self.conv.bias, self.norm)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(self.conv.compute_output_shape(grown(input_shape, self.border)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "relu": self.relu,
            "normalize": self.normalize,
            "bias": self.bias,
        }


@keras.saving.register_keras_serializable(package="keras_cornernet")
class NormConv(keras.layers.Layer):
    """BatchNorm, ReLU and a convolution with bias: the order of pre-activation residuals.

    Args:
        filters, kernel_size, strides: of the convolution; padding as in `ConvNorm`.
        separable: replace the convolution by a depthwise one and a 1x1 one.
        normalize: False leaves the BatchNorm out, where it is folded into the convolution before it.

    Source: `Residual` of princeton-vl/pytorch_stacked_hourglass, `models/layers.py`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 1,
        strides: int = 1,
        *,
        separable: bool = False,
        normalize: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.separable = separable
        self.normalize = normalize
        self.border = (kernel_size - 1) // 2 if strides > 1 else 0
        shared: dict[str, Any] = {
            "padding": "valid" if strides > 1 else "same",
            "dtype": self.dtype_policy,
            "name": "conv",
        }
        initializer = keras.initializers.get(TORCH_INITIALIZER)
        if separable:
            bound = 1 / kernel_size  # PyTorch's: each channel sees kernel_size ** 2 values
            self.conv = keras.layers.SeparableConv2D(
                filters,
                kernel_size,
                strides,
                depthwise_initializer=keras.initializers.RandomUniform(-bound, bound),
                pointwise_initializer=initializer,
                **shared,
            )
        else:
            convolution = PointwiseConv2D if kernel_size == 1 else keras.layers.Conv2D
            self.conv = convolution(filters, kernel_size, strides, kernel_initializer=initializer, **shared)
        self.norm: Any = batch_norm(self.dtype_policy) if normalize else None

    def build(self, input_shape: Shape) -> None:
        if self.norm is not None:
            self.norm.build(input_shape)
        self.conv.build(grown(input_shape, self.border))
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        if self.norm is not None:
            x = self.norm(x, training=training)
        return unfused(self.conv(bordered(ops.relu(x), self.border)))

    def fold_into(self, copy: "NormConv", following: keras.layers.BatchNormalization | None = None) -> None:
        """As `ConvNorm.fold_into`; `following` is the BatchNorm of the next layer, which is folded in."""
        if copy.norm is not None:
            copy.norm.set_weights(self.norm.get_weights())
        conv = self.conv
        kernels = [conv.depthwise_kernel, conv.pointwise_kernel] if self.separable else [conv.kernel]
        set_convolution(copy.conv, kernels, conv.bias, following)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(self.conv.compute_output_shape(grown(input_shape, self.border)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "separable": self.separable,
            "normalize": self.normalize,
        }


def batch_norm(dtype: Any) -> keras.layers.BatchNormalization:
    """BatchNorm as in PyTorch, synchronised over replicas where there are several."""
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, synchronized=synchronizes(), dtype=dtype, name="norm"
    )


def bordered(x: Tensor, border: int) -> Tensor:
    """`x` with `border` rows and columns of zeros on every side."""
    edge = (border, border)
    return ops.pad(x, ((0, 0), edge, edge, (0, 0))) if border else x


def grown(shape: Shape, border: int) -> Shape:
    """The shape of `bordered` maps."""
    sides = (None if n is None else n + 2 * border for n in shape[1:3])
    return (shape[0], *sides, shape[3])
