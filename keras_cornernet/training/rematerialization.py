"""Less memory for more time: maps that are computed again for the gradients."""

from typing import Any

from keras_cornernet.layers import Residual


def rematerialize(network: Any, on: bool = True) -> int:
    """Makes the residuals of a network compute their inner maps again in the backward pass.

    Of each residual only the input is kept (Chen et al. 2016, arXiv 1604.06174). Results and gradients stay
    what they are; a step takes about a third longer. It is a matter of the run and not saved with the
    network.

    Args:
        network: built, before its training step is compiled.
        on: False keeps all maps again.

    Returns:
        The number of residuals.
    """
    residuals = [layer for layer in network._flatten_layers() if isinstance(layer, Residual)]
    for residual in residuals:
        residual.recomputes = on
    return len(residuals)
