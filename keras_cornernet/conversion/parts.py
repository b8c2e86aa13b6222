"""What the name maps of all families share: parts of modules, and reading sizes from a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

# Parts of a module: the original name, and ours.
CONV_NORM = {"conv": "conv", "bn": "norm"}
UNNAMED_CONV_NORM = {"0": "conv", "1": "norm"}
RESIDUAL = {
    "conv1": "first/conv",
    "bn1": "first/norm",
    "conv2": "second/conv",
    "bn2": "second/norm",
    "skip.0": "shortcut/conv",
    "skip.1": "shortcut/norm",
}
FIRE = {
    "conv1": "first/conv",
    "bn1": "first/norm",
    "conv_1x1": "second/point",
    "conv_3x3": "second/depth",
    "bn2": "second/norm",
}

# Variables of a part.
CONV_WEIGHTS = {"weight": "kernel", "bias": "bias"}
NORM_WEIGHTS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}

# Blocks of a level of the hourglass.
BLOCKS = {"up1": "aside", "low1": "down", "low3": "up"}

# Written by PyTorch since 0.4.1: the number of batches a BatchNorm has seen.
COUNTER = "num_batches_tracked"

# Their module, our module, and the parts of both.
Module = tuple[str, str, dict[str, str]]


def weights_of(modules: Iterable[Module]) -> dict[str, str]:
    """Our weight paths and their names, from pairs of modules; a part may be the module itself, `""`."""
    names = {}
    for theirs, ours, parts in modules:
        for their_part, our_part in parts.items():
            weights = NORM_WEIGHTS if our_part.endswith("norm") else CONV_WEIGHTS
            for their_weight, our_weight in weights.items():
                their_name = ".".join(filter(None, (theirs, their_part, their_weight)))
                names["/".join(filter(None, (ours, our_part, our_weight)))] = their_name
    return names


def hourglass_blocks(theirs: str, ours: str, num_blocks: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Their and our names of the residuals of one hourglass."""
    order = len(num_blocks) - 1
    for k, count in enumerate(num_blocks[:-1]):
        for their_block, our_block in BLOCKS.items():
            for i in range(count):
                yield f"{level(theirs, k)}.{their_block}.{i}", f"{ours}/{our_block}_{k}_{i}"
    for i in range(num_blocks[-1]):
        yield f"{level(theirs, order)}.{i}", f"{ours}/bottom_{i}"


def level(hourglass: str, k: int) -> str:
    """The name of level `k` of an hourglass; each is the `low2` of the one above."""
    return hourglass + ".low2" * k


class Reader:
    """Reads widths and numbers from the names and shapes of a checkpoint.

    Args:
        state: name to array, or to anything with a `shape`.
        layout: of `state`; has `name`.
        rename: from the names that are asked for to those in `state`.
    """

    def __init__(self, state: Mapping[str, Any], layout: Any, rename: Callable[[str], str] = str):
        self.state = state
        self.layout = layout
        self.rename = rename

    def count(self, module: str) -> int:
        """How many numbered modules there are below `module`."""
        pattern = re.compile(re.escape(self.rename(module + ".")) + r"(\d+)\.")
        return len({found.group(1) for name in self.state if (found := pattern.match(name))})

    def depth(self, hourglass: str, first: str) -> int:
        """How many levels of an hourglass have a module `first`."""
        order = 0
        while any(name.startswith(self.rename(f"{level(hourglass, order)}.{first}.")) for name in self.state):
            order += 1
        return order

    def size(self, name: str, axis: int = 0) -> int:
        """A side of a weight.

        Raises:
            ValueError: it is missing, or has another shape.
        """
        name = self.rename(name)
        if name not in self.state:
            raise ValueError(f"taken for a checkpoint of {self.layout.name}, but missing: {name}")
        shape = tuple(self.state[name].shape)
        if len(shape) <= axis:
            raise ValueError(f"{name} has the unexpected shape {shape}")
        return int(shape[axis])
