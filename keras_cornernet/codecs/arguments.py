"""Checks of what codecs are given, by the shapes that are known before anything is computed.

An array of another shape would often be broadcast, to wrong targets or boxes without an error.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_cornernet.checks import check_size
from keras_cornernet.tensors import Size, Tensor

# The sides of an array: whole numbers, and names of sides that must be alike wherever they appear.
Sides = tuple[int | str, ...]

BOXES: dict[str, Sides] = {"boxes": ("batch", "n", 4), "labels": ("batch", "n")}
OPTIONAL_OF_BOXES: dict[str, Sides] = {"ignore": ("batch", "n"), "visible": ("batch", "n")}


def check_annotations(
    annotations: Mapping[str, Tensor],
    required: Mapping[str, Sides],
    optional: Mapping[str, Sides],
    *,
    input_size: Size,
    grid_size: Size,
) -> None:
    """Checks the arguments of `encode`.

    Args:
        annotations: arrays by name.
        required, optional: the sides of arrays that must be among them, and of those that may be.
        input_size, grid_size: `(height, width)` of the images and of the maps.

    Raises:
        ValueError: names the array, what was expected and what came.
    """
    check_size("input_size", input_size)
    check_size("grid_size", grid_size)
    present = {name: sides for name, sides in optional.items() if name in annotations}
    check_shapes("annotations", annotations, {**required, **present})


def maps_of_branch(
    outputs: Any, branch: str, channels: Mapping[str, int | str], input_size: Size | None = None
) -> Mapping[str, Tensor]:
    """The maps of one branch of the last stack.

    Args:
        outputs: of a network, a list over stacks of `{branch: {head: (batch, rows, columns, channels)}}`.
        branch: its name.
        channels: of each head that is read.
        input_size: `(height, width)` of the images, to be checked too.

    Raises:
        ValueError: a branch or head is missing, or a map has another shape; the message names it.
    """
    if input_size is not None:
        check_size("input_size", input_size)
    if not isinstance(outputs, list | tuple) or not outputs or not isinstance(outputs[-1], Mapping):
        raise ValueError(
            f"outputs must be a list over stacks of maps by branch and head, not {type(outputs).__name__}"
        )
    name = f"outputs[-1][{branch!r}]"
    if not isinstance(outputs[-1].get(branch), Mapping):
        raise ValueError(f"{name} is missing: there are {sorted(outputs[-1])}")
    maps: Mapping[str, Tensor] = outputs[-1][branch]
    check_shapes(name, maps, {head: ("batch", "rows", "columns", count) for head, count in channels.items()})
    return maps


def check_shapes(name: str, arrays: Mapping[str, Tensor], expected: Mapping[str, Sides]) -> None:
    """Checks the shapes of arrays; sides that are unknown while a graph is traced fit anything.

    Args:
        name: of the argument that holds the arrays.
        arrays: by name; those that are not expected are passed over.
        expected: the sides of each array.

    Raises:
        ValueError: names the array, what was expected and what came.
    """
    known: dict[str, int] = {}
    for key, sides in expected.items():
        if key not in arrays:
            raise ValueError(f"{name}[{key!r}] is missing: there are {sorted(arrays)}")
        shape = getattr(arrays[key], "shape", None)
        shape = tuple(np.shape(arrays[key]) if shape is None else shape)
        fits = len(shape) == len(sides) and all(
            length is None or length == (known.setdefault(side, length) if isinstance(side, str) else side)
            for side, length in zip(sides, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join(f"{side} {known[side]}" if side in known else str(side) for side in sides)
            raise ValueError(f"{name}[{key!r}] must have the shape ({wanted}), not {shape}")
