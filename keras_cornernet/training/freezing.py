"""Layers that stay as they are in training."""

from collections.abc import Iterator
from typing import Any

from keras_cornernet.checks import check_number
from keras_cornernet.layers import Hourglass


def freeze(network: Any, fraction: float) -> int:
    """Freezes the first layers of a network: their weights and the statistics of their normalization stay.

    Counted from the images on: the stem, then each hourglass on its way down, its bottom and its way up. A
    layer that begins before the fraction and ends beyond it is trained.

    Args:
        network: whose layers are frozen, before it is compiled.
        fraction: of all trainable weights, at least 0 and below 1.

    Returns:
        The number of weights that are frozen.
    """
    check_number("fraction", fraction, at_least=0, below=1)
    room = fraction * sum(_count(weight) for weight in network.trainable_weights)
    frozen = 0
    for layer in _in_order(network):
        size = sum(_count(weight) for weight in layer.trainable_weights)
        if frozen + size > room:
            break
        layer.trainable = False
        frozen += size
    return frozen


def _in_order(network: Any) -> Iterator[Any]:
    """The layers of a network from its images on, those of an hourglass one by one."""
    for layer in network.layers:
        if isinstance(layer, Hourglass):
            yield from layer.in_order
        else:
            yield layer


def _count(weight: Any) -> int:
    count = 1
    for side in weight.shape:
        count *= side
    return count
