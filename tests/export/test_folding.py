"""Folding of BatchNorm: answers stay, BatchNorms go."""

import keras
import numpy as np
import pytest
from exportable import with_statistics

from keras_cornernet.export.folding import fold
from keras_cornernet.layers import ConvNorm
from keras_cornernet.layers.folding import norms_are_left_out, without_norms
from keras_cornernet.models import (
    CenterNet,
    CentripetalNet,
    CornerNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    ObjectsAsPoints,
    StackedHourglass,
)

SIZES = {"channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8)}
HEADS = {"pool_channels": 4, "head_channels": 8}


def norms_in(network):
    layers = network._flatten_layers()
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]


def largest_difference(network, other):
    images = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    pairs = zip(*(keras.tree.flatten(n(images, training=False)) for n in (network, other)), strict=True)
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in pairs]
    return max(np.abs(a - b).max() / np.abs(a).max() for a, b in pairs)


@pytest.mark.parametrize(
    ("make", "left"),
    [
        (lambda: CornerNet(2, stacks=2, **SIZES, **HEADS), 0),
        (lambda: CornerNetSqueeze(2, stacks=1, **SIZES, **HEADS), 0),
        (lambda: CenterNet(2, stacks=1, **SIZES, **HEADS), 0),
        (lambda: CentripetalNet(2, stacks=1, **SIZES, **HEADS), 0),
        (lambda: ObjectsAsPoints(2, stacks=1, **SIZES, head_channels=8), 0),
        (lambda: StackedHourglass(3, stacks=1, **SIZES, block="basic"), 0),
        # One for each pre-activation residual: two of the stem, four of the hourglass and one after it.
        (lambda: StackedHourglass(3, stacks=1, **SIZES), 7),
        (lambda: StackedHourglass(3, stacks=1, **SIZES, block="separable"), 7),
    ],
)
def test_a_folded_network_answers_alike_with_fewer_norms(make, left):
    network = with_statistics(make())
    before = len(norms_in(network))
    folded = fold(network)
    assert len(norms_in(network)) == before > left
    assert len(norms_in(folded)) == left
    assert largest_difference(network, folded) < 1e-5


def test_attention_heads_are_folded_too():
    network = with_statistics(
        CornerNetSaccade(
            1,
            stacks=1,
            channels=(8, 8, 8, 8),
            num_blocks=(1, 1, 1, 1),
            stem=(4, 8),
            pool_channels=4,
            head_channels=8,
        )
    )
    assert largest_difference(network, fold(network)) < 1e-5


def test_the_folded_numbers_are_those_of_the_formula():
    layer = ConvNorm(1, 1, relu=False)
    layer.build((None, 4, 4, 1))
    layer.conv.set_weights([np.full((1, 1, 1, 1), 3.0)])
    gamma, beta, mean, variance = 2.0, 0.5, 1.5, 4.0 - 1e-5
    layer.norm.set_weights([np.full(1, value) for value in (gamma, beta, mean, variance)])
    with without_norms():
        copy = ConvNorm(1, 1, relu=False)
    copy.build((None, 4, 4, 1))
    layer.fold_into(copy)
    kernel, bias = copy.get_weights()
    assert kernel.ravel() == pytest.approx(3.0)  # 3 * 2 / sqrt(4)
    assert bias == pytest.approx(-1.0)  # 0.5 - 1.5 * 2 / sqrt(4)


def test_the_context_ends_with_an_error_too():
    with pytest.raises(RuntimeError), without_norms():
        assert norms_are_left_out()
        raise RuntimeError
    assert not norms_are_left_out()
