"""Convolution, residual and hourglass against plain NumPy."""

import keras
import numpy as np
import pytest

from keras_cornernet.layers import (
    CenterPrediction,
    ConvNorm,
    CornerPrediction,
    Expand,
    Head,
    Hourglass,
    NormConv,
    Residual,
)

rng = np.random.default_rng(0)


def conv(x, kernel, stride=1):
    """Convolution with `(k - 1) // 2` zeros on every side, the slow way."""
    k = kernel.shape[0]
    x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    height, width = (1 + (n - k) // stride for n in x.shape[1:3])
    y = np.zeros((x.shape[0], height, width, kernel.shape[-1]))
    for i in range(height):
        for j in range(width):
            window = x[:, i * stride : i * stride + k, j * stride : j * stride + k]
            y[:, i, j] = np.tensordot(window, kernel, 3)
    return y


def norm(x, layer):
    gamma, beta, mean, variance = (np.array(w, np.float64) for w in layer.weights)
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def conv_norm(x, layer):
    y = norm(conv(x, np.array(layer.conv.kernel, np.float64), layer.strides), layer.norm)
    return np.maximum(y, 0) if layer.relu else y


def biased(x, layer):
    return conv(x, np.array(layer.kernel, np.float64), layer.strides[0]) + np.array(layer.bias, np.float64)


def norm_conv(x, layer):
    x = np.maximum(norm(x, layer.norm), 0)
    if not layer.separable:
        return biased(x, layer.conv)
    depth, point, bias = (np.array(w, np.float64) for w in layer.conv.weights)
    return conv(channelwise(x, depth), point)[:, :: layer.strides, :: layer.strides] + bias


def bottleneck(x, layer):
    y = x
    for part in (layer.first, layer.second, layer.third):
        y = norm_conv(y, part)
    return y + (x if layer.shortcut is None else biased(x, layer.shortcut))


def channelwise(x, kernel, stride=1):
    """A convolution of each channel with its own kernel."""
    maps = [conv(x[..., i : i + 1], kernel[:, :, i : i + 1], stride) for i in range(x.shape[-1])]
    return np.concatenate(maps, axis=-1)


def fire(x, layer):
    y = conv_norm(x, layer.first)
    point, depth = (np.array(part.kernel, np.float64) for part in (layer.second.point, layer.second.depth))
    halves = [conv(y, point, layer.strides), channelwise(y, depth, layer.strides)]
    y = norm(np.concatenate(halves, axis=-1), layer.second.norm)
    return np.maximum(y + x if y.shape == x.shape else y, 0)


def residual(x, layer):
    if layer.block == "fire":
        return fire(x, layer)
    if layer.block != "basic":
        return bottleneck(x, layer)
    y = conv_norm(conv_norm(x, layer.first), layer.second)
    return np.maximum(y + (x if layer.shortcut is None else conv_norm(x, layer.shortcut)), 0)


def hourglass(x, layer, level=0):
    def run(blocks, x):
        for block in blocks:
            x = residual(x, block)
        return x

    if level == layer.order:
        return run(layer.bottom, x)
    n, height, width, c = x.shape
    small = x.reshape(n, height // 2, 2, width // 2, 2, c).max((2, 4)) if layer.pooling else x
    low = hourglass(run(layer.down[level], small), layer, level + 1)
    low = run(layer.up[level], low)
    if layer.upsampling == "transposed":
        return run(layer.aside[level], x) + transposed(low, layer.double[level])
    return run(layer.aside[level], x) + low.repeat(2, 1).repeat(2, 2)


def transposed(x, layer):
    """A 4x4 transposed convolution of stride 2: each cell paints 4x4 cells, of which the border is cut."""
    kernel, bias = (np.array(w, np.float64) for w in layer.weights)
    n, height, width, _ = x.shape
    y = np.zeros((n, 2 * height + 2, 2 * width + 2, kernel.shape[2]))
    for i in range(height):
        for j in range(width):
            y[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += np.einsum("nc,hwfc->nhwf", x[:, i, j], kernel)
    return y[:, 1:-1, 1:-1] + bias


def with_random_statistics(layer, shape):
    layer.build(shape)
    for weight in layer.weights:
        if "norm" in weight.path:
            low = 0.5 if ("gamma" in weight.path or "variance" in weight.path) else -0.5
            weight.assign(rng.uniform(low, 1.5, weight.shape))
    return layer


@pytest.mark.parametrize("shape", [(2, 8, 10, 3), (1, 7, 9, 3)])
@pytest.mark.parametrize(("kernel", "stride"), [(7, 2), (3, 2), (3, 1), (1, 2)])
def test_conv_norm_pads_as_pytorch(shape, kernel, stride):
    layer = with_random_statistics(ConvNorm(4, kernel, stride), shape)
    x = rng.normal(size=shape).astype(np.float32)
    y = np.array(layer(x))
    np.testing.assert_allclose(y, conv_norm(x, layer), atol=1e-4)
    assert layer.compute_output_shape(shape) == y.shape


@pytest.mark.parametrize(("filters", "stride"), [(4, 1), (6, 1), (4, 2)])
def test_residual(filters, stride):
    layer = with_random_statistics(Residual(filters, stride), (2, 8, 8, 4))
    assert (layer.shortcut is None) == (filters == 4 and stride == 1)
    x = rng.normal(size=(2, 8, 8, 4)).astype(np.float32)
    np.testing.assert_allclose(np.array(layer(x)), residual(x, layer), atol=1e-4)


@pytest.mark.parametrize("block", ["bottleneck", "separable"])
@pytest.mark.parametrize(("filters", "stride"), [(4, 1), (6, 1), (4, 2)])
def test_bottleneck(block, filters, stride):
    layer = with_random_statistics(Residual(filters, stride, block=block), (2, 8, 8, 4))
    assert (layer.shortcut is None) == (filters == 4 and stride == 1)
    x = rng.normal(size=(2, 8, 8, 4)).astype(np.float32)
    y = np.array(layer(x))
    np.testing.assert_allclose(y, bottleneck(x, layer), atol=1e-4)
    assert layer.compute_output_shape(x.shape) == y.shape
    with pytest.raises(ValueError, match="block must be one of"):
        Residual(4, block="ice")


@pytest.mark.parametrize(("filters", "stride"), [(4, 1), (6, 1), (4, 2)])
def test_fire(filters, stride):
    layer = with_random_statistics(Residual(filters, stride, block="fire"), (2, 8, 8, 4))
    assert layer.shortcut is None
    x = rng.normal(size=(2, 8, 8, 4)).astype(np.float32)
    y = np.array(layer(x))
    np.testing.assert_allclose(y, fire(x, layer), atol=1e-4)
    assert layer.compute_output_shape(x.shape) == y.shape
    with pytest.raises(ValueError, match="filters of block='fire' must be even, not 5"):
        Residual(5, block="fire")
    with pytest.raises(ValueError, match="filters must be twice the 4 channels of the input, not 6"):
        Expand(6)(x)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_hourglass_with_pooling(block):
    layer = with_random_statistics(Hourglass((4, 4, 6), (1, 2, 1), block=block, pooling=True), (1, 8, 12, 4))
    x = rng.normal(size=(1, 8, 12, 4)).astype(np.float32)
    merged = layer(x)
    assert [tuple(m.shape) for m in merged] == [tuple(s) for s in layer.compute_output_shape(x.shape)]
    np.testing.assert_allclose(np.array(merged[-1]), hourglass(x, layer), atol=1e-3)


def test_hourglass_of_fire_blocks_with_transposed_convolutions():
    layer = Hourglass((4, 4, 6), (1, 2, 1), block="fire", upsampling="transposed")
    layer = with_random_statistics(layer, (1, 8, 12, 4))
    for double in layer.double:
        double.bias.assign(rng.normal(size=double.bias.shape))
    x = rng.normal(size=(1, 8, 12, 4)).astype(np.float32)
    np.testing.assert_allclose(np.array(layer(x)[-1]), hourglass(x, layer), atol=1e-3)
    with pytest.raises(ValueError, match="upsampling must be one of .*, not 'bilinear'"):
        Hourglass((4, 4), (1, 1), upsampling="bilinear")


def test_hourglass_with_one_width_for_what_is_added():
    layer = Hourglass((4, 6, 8), (3, 2, 1), block="bottleneck", pooling=True, merge_channels=10, up_count=1)
    layer = with_random_statistics(layer, (1, 8, 12, 6))  # the input's width is neither of them
    assert [[block.filters for block in blocks] for blocks in layer.aside] == [[4, 4, 10], [6, 10]]
    assert [[block.filters for block in blocks] for blocks in layer.down] == [[6, 6, 6], [8, 8]]
    assert [block.filters for blocks in (layer.bottom, *layer.up) for block in blocks] == [10, 10, 10]
    x = rng.normal(size=(1, 8, 12, 6)).astype(np.float32)
    merged = layer(x)
    assert [tuple(m.shape) for m in merged] == [(1, 4, 6, 10), (1, 8, 12, 10)]
    assert [tuple(s) for s in layer.compute_output_shape(x.shape)] == [(1, 4, 6, 10), (1, 8, 12, 10)]
    np.testing.assert_allclose(np.array(merged[-1]), hourglass(x, layer), atol=1e-3)
    for key in ("merge_channels", "up_count"):
        with pytest.raises(ValueError, match=f"{key} must be None or at least 1, not 0"):
            Hourglass((4, 4), (1, 1), **{key: 0})


def test_hourglass_returns_every_level_deepest_first():
    layer = with_random_statistics(Hourglass((4, 6, 8), (2, 1, 2)), (1, 8, 12, 4))
    x = rng.normal(size=(1, 8, 12, 4)).astype(np.float32)
    merged = layer(x)
    assert [tuple(m.shape) for m in merged] == [(1, 4, 6, 6), (1, 8, 12, 4)]
    assert [tuple(s) for s in layer.compute_output_shape(x.shape)] == [(1, 4, 6, 6), (1, 8, 12, 4)]
    np.testing.assert_allclose(np.array(merged[-1]), hourglass(x, layer), atol=1e-3)


def test_hourglass_names_a_size_it_cannot_halve():
    with pytest.raises(ValueError, match="the width of the input of an hourglass .* multiple of 4, not 10"):
        Hourglass((4, 4, 4), (1, 1, 1))(np.zeros((1, 8, 10, 4), np.float32))
    with pytest.raises(ValueError, match="same length"):
        Hourglass((4, 4), (1,))


@pytest.mark.parametrize(
    "layer",
    [
        ConvNorm(4, 7, 2, relu=False, normalize=False),
        ConvNorm(4, 3, bias=True),
        NormConv(4, 3, 2, separable=True),
        Residual(8, 2),
        Residual(8, 2, block="separable"),
        Hourglass((4, 6), (1, 2)),
        Hourglass((4, 6), (1, 2), block="bottleneck", pooling=True),
        Hourglass((4, 6), (3, 1), block="bottleneck", pooling=True, merge_channels=8, up_count=1),
        Hourglass((4, 6), (1, 2), block="fire", upsampling="transposed"),
        Residual(8, 2, block="fire"),
        Expand(8, 2),
        CornerPrediction("bottom_right", 8, 4),
        CornerPrediction("top_left", 8, 4, cascade=True),
        CenterPrediction(8, 4),
        Head(3, 8, 1, bias=-2.19),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    shape = (1, 8, 8, 4)
    x = rng.normal(size=shape).astype(np.float32)
    layer.build(shape)
    again.build(shape)
    again.set_weights(layer.get_weights())
    for a, b in zip(keras.tree.flatten(layer(x)), keras.tree.flatten(again(x)), strict=True):
        assert np.array_equal(np.array(a), np.array(b))


def running(x, axis, backwards):
    x = np.flip(x, axis) if backwards else x
    y = np.maximum.accumulate(x, axis)
    return np.flip(y, axis) if backwards else y


@pytest.mark.parametrize(("corner", "backwards"), [("top_left", True), ("bottom_right", False)])
def test_cascade_corner_prediction(corner, backwards):
    layer = with_random_statistics(CornerPrediction(corner, 6, 4, cascade=True), (1, 5, 7, 6))
    x = rng.normal(size=(1, 5, 7, 6)).astype(np.float32)
    inside = running(conv_norm(x, layer.vertical_look), 2, backwards)
    vertical = conv(conv_norm(x, layer.vertical) + inside, np.array(layer.vertical_join.kernel, np.float64))
    across = running(conv_norm(x, layer.horizontal_look), 1, backwards)
    along = conv_norm(x, layer.horizontal) + across
    horizontal = conv(along, np.array(layer.horizontal_join.kernel, np.float64))
    pooled = running(vertical, 1, backwards) + running(horizontal, 2, backwards)
    joined = np.maximum(conv_norm(pooled, layer.pooled) + conv_norm(x, layer.shortcut), 0)
    np.testing.assert_allclose(np.array(layer(x)), conv_norm(joined, layer.last), atol=1e-3)


def test_center_prediction():
    layer = with_random_statistics(CenterPrediction(6, 4), (1, 5, 7, 6))
    x = rng.normal(size=(1, 5, 7, 6)).astype(np.float32)
    column = conv_norm(x, layer.vertical).max(1, keepdims=True)
    row = conv_norm(x, layer.horizontal).max(2, keepdims=True)
    joined = np.maximum(conv_norm(column + row, layer.pooled) + conv_norm(x, layer.shortcut), 0)
    np.testing.assert_allclose(np.array(layer(x)), conv_norm(joined, layer.last), atol=1e-3)


def test_unknown_corner_is_named():
    with pytest.raises(ValueError, match="corner must be one of .*'top'"):
        CornerPrediction("top")
