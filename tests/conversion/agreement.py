"""What the parity tests share: fixtures brought to our input, and outputs under the authors' names."""

import numpy as np
import pytest

from keras_cornernet.conversion import convert_checkpoint

CORNERS = {"tl": "top_left", "br": "bottom_right"}
HEADS = {"heat": "heatmap", "tag": "embedding", "regr": "offset"}


def convert_parity(folder):
    """The network of a parity folder's checkpoint."""
    pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")
    return convert_checkpoint(folder / "checkpoint.pth")[0]


def images_of(x, network):
    """RGB 0..255 images that the network's own constants turn into the fixtures' normalised BGR `x`."""
    mean, std = (np.array(network.arguments[name], np.float64) for name in ("mean", "std"))
    return ((x[..., ::-1] * std + mean) * 255).astype(np.float32)


def named_heads(outputs):
    """`{"tl_heat_0": array, ...}` of the outputs of our network."""
    return {
        f"{corner}_{head}_{stack}": np.asarray(heads[ours][our_head])
        for stack, heads in enumerate(outputs)
        for corner, ours in CORNERS.items()
        for head, our_head in HEADS.items()
    }


def largest_difference(found, expected):
    """Of arrays by name; every name of `found` must be in `expected`."""
    return max(float(np.abs(found[name] - expected[name]).max()) for name in found)


def tiny_state(fixture):
    """The state dict in `tests/fixtures/cornernet_tiny.npz`."""
    shapes = [tuple(map(int, shape.split())) for shape in fixture["shapes"]]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    values = np.split(fixture["values"], ends[:-1])
    return {
        str(name): value.reshape(shape)
        for name, value, shape in zip(fixture["names"], values, shapes, strict=True)
    }
