"""A copy of a network with BatchNorm folded into the convolutions before it."""

from typing import Any

from keras_cornernet.layers.folding import without_norms
from keras_cornernet.models.network import Network


def fold(network: Network) -> Network:
    """A copy with the same outputs at inference and fewer operations; the network itself is not changed.

    Every BatchNorm that follows a convolution is folded into it. The first BatchNorm of a pre-activation
    block stays, because the shortcut of the block starts before it. The copy cannot be trained further, nor
    saved as a `.keras` file that opens again.

    Args:
        network: of `keras_cornernet.models`, with its weights.
    """
    with without_norms():
        copy = type(network).from_config(network.get_config())
    _fill(network, copy)
    return copy


def _fill(layer: Any, copy: Any) -> None:
    if hasattr(layer, "fold_into"):
        layer.fold_into(copy)
        return
    parts, copied = (_parts(side) for side in (layer, copy))
    if not parts:
        copy.set_weights(layer.get_weights())
    for part, other in zip(parts, copied, strict=True):
        _fill(part, other)


def _parts(layer: Any) -> list[Any]:
    return list(layer._flatten_layers(recursive=False, include_self=False))
