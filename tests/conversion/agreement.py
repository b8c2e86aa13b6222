"""What the parity tests share: fixtures brought to our input, and outputs under the authors' names."""

import numpy as np
import pytest

from keras_cornernet.conversion import convert_checkpoint

CORNERS = {"tl": "top_left", "br": "bottom_right"}
BRANCHES = {**CORNERS, "ct": "center"}
HEADS = {"heat": "heatmap", "tag": "embedding", "regr": "offset"}
LITE_HEADS = {"heat": "heatmap", "tag": "embedding", "off": "offset"}
ATTENTION = ("large", "medium", "small")
NEEDS_TORCH = "needs PyTorch: pip install 'keras_cornernet[torch]'"


def convert_parity(folder):
    """The network of a parity folder's checkpoint."""
    pytest.importorskip("torch", reason=NEEDS_TORCH)
    if not (folder / "checkpoint.pth").exists():
        pytest.skip(f"../shared/parity/{folder.name}/checkpoint.pth is too large for tests/fixtures/parity")
    return convert_checkpoint(folder / "checkpoint.pth")[0]


def images_of(x, network):
    """RGB 0..255 images that the network's own constants turn into the fixtures' normalised BGR `x`."""
    mean, std = (np.array(network.arguments[name], np.float64) for name in ("mean", "std"))
    return ((x[..., ::-1] * std + mean) * 255).astype(np.float32)


def named_heads(outputs, names=HEADS):
    """`{"tl_heat_0": array, ...}` of the outputs of our network; attention as `"att_0_0"`, large first."""
    found = {
        f"{theirs}_{head}_{stack}": np.asarray(branches[ours][our_head])
        for stack, branches in enumerate(outputs)
        for theirs, ours in BRANCHES.items()
        for head, our_head in names.items()
        if our_head in branches.get(ours, {})
    }
    for stack, branches in enumerate(outputs):
        for i, size in enumerate(ATTENTION if "attention" in branches else ()):
            found[f"att_{stack}_{i}"] = np.asarray(branches["attention"][size])
    return found


def largest_difference(found, expected):
    """Of arrays by name; every name of `found` must be in `expected`."""
    return max(float(np.abs(found[name] - expected[name]).max()) for name in found)


def assert_same_boxes(decoded, expected, cells_of_pixels):
    """Compares the boxes that were not rejected, as sets; theirs are in heat-map cells."""
    boxes, scores, labels, corner_scores = (np.asarray(part) for part in decoded[:4])
    found = np.concatenate(
        [boxes * cells_of_pixels, scores[..., None], corner_scores, labels[..., None]], axis=-1
    )
    for ours, theirs in zip(found, expected, strict=True):
        ours, theirs = ours[ours[:, 4] > -1], theirs[theirs[:, 4] > -1]
        assert len(ours) == len(theirs) > 0
        # As a set: each of theirs has its own nearest of ours.
        apart = np.abs(ours[:, None] - theirs[None]).max(axis=-1)
        assert sorted(apart.argmin(axis=0)) == list(range(len(ours)))
        assert apart.min(axis=0).max() < 3e-4


def tiny_state(fixture):
    """The state dict in `tests/fixtures/cornernet_tiny.npz`."""
    shapes = [tuple(map(int, shape.split())) for shape in fixture["shapes"]]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    values = np.split(fixture["values"], ends[:-1])
    return {
        str(name): value.reshape(shape)
        for name, value, shape in zip(fixture["names"], values, shapes, strict=True)
    }
