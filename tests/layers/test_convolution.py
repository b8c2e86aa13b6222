"""Convolutions with strides: values and gradients against a plain loop.

oneDNN's gradient of a strided 1x1 kernel is wrong in TensorFlow 2.21, for few channels on AVX2 and by memory
corruption on AVX-512; every layer of the package that has one must be right all the same.
"""

import keras
import numpy as np
import pytest
from gradients import value_and_gradients

from keras_cornernet.layers.convolution import ConvNorm, PointwiseConv2D
from keras_cornernet.layers.fire import Expand
from keras_cornernet.layers.residual import Residual


@pytest.mark.parametrize("size", [7, 8, 32])
@pytest.mark.parametrize("channels", [1, 3, 4, 16])
def test_strided_pointwise_convolution_and_its_gradients(channels, size):
    rng = np.random.default_rng(channels)
    x = rng.normal(size=(2, size, size, channels)).astype("float32")
    layer = PointwiseConv2D(8, 1, 2, use_bias=False)
    layer.build(x.shape)
    kernel = keras.ops.convert_to_numpy(layer.kernel)[0, 0]
    kept = x[:, ::2, ::2]
    upstream = rng.normal(size=(*kept.shape[:-1], 8)).astype("float32")
    assert layer.compute_output_shape(x.shape) == upstream.shape
    y = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(y, kept @ kernel, atol=1e-5)

    def product(images, weights):
        return keras.ops.sum(layer.convolution_op(images, weights) * upstream)

    _, (dx, dkernel) = value_and_gradients(product, x, kernel[None, None])
    np.testing.assert_allclose(
        dkernel[0, 0], np.einsum("bhwc,bhwd->cd", kept, upstream), rtol=1e-4, atol=1e-4
    )
    expected = np.zeros_like(x)
    expected[:, ::2, ::2] = upstream @ kernel.T
    np.testing.assert_allclose(dx, expected, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        ConvNorm(8, 1, 2),
        Residual(8, 2),
        Residual(8, 2, block="bottleneck"),
        Expand(8, 2),
    ],
    ids=["ConvNorm", "basic", "bottleneck", "fire"],
)
def test_no_layer_strides_a_pointwise_convolution_by_itself(layer):
    layer.build((None, 8, 8, 4))
    strided = [
        part
        for part in layer._flatten_layers()
        if getattr(part, "kernel_size", None) == (1, 1) and max(part.strides) > 1
    ]
    assert strided and all(isinstance(part, PointwiseConv2D) for part in strided)
