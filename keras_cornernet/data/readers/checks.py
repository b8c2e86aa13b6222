"""The checks that all readers share; each gives the reason why something cannot be used."""

import reprlib
from typing import Protocol, TypeGuard, TypeVar

import numpy as np

from keras_cornernet.preprocessing import Size
from keras_cornernet.structures import Problem

LARGEST = 1e9  # pixels; a number beyond it is taken for damage


class _WithProblems(Protocol):
    @property
    def problems(self) -> tuple[Problem, ...]: ...


D = TypeVar("D", bound=_WithProblems)


def raise_if_strict(dataset: D, strict: bool) -> D:
    """Returns the data set unless `strict` and it has problems.

    Raises:
        ValueError: the first problem.
    """
    if strict and dataset.problems:
        raise ValueError(str(dataset.problems[0]))
    return dataset


def are_numbers(values: object) -> TypeGuard[list[float]]:
    """Whether `values` is a list of finite numbers of a plausible size (no texts, no booleans)."""
    return isinstance(values, list) and all(
        (type(v) is float or type(v) is int) and -LARGEST < v < LARGEST for v in values
    )


def image_size(height: object, width: object) -> Size | None:
    """The image size that annotations state.

    Returns:
        `(height, width)`, or None where none is stated: both are missing, or one is 0, as labelling tools
        write it when they could not read the image.

    Raises:
        ValueError: the reason why the numbers are not a size.
    """
    if height is None and width is None:
        return None
    size = _side("height", height), _side("width", width)
    return size if min(size) else None


def _side(name: str, value: object) -> int:
    values = [value]
    if not are_numbers(values) or values[0] != int(values[0]) or values[0] < 0:
        raise ValueError(f"the {name} {shown(value)} is not a whole number of at least 1")
    return int(values[0])


def unusable_boxes(xyxy: np.ndarray, sizes: np.ndarray) -> dict[int, str]:
    """Finds boxes that cannot be used.

    Args:
        xyxy: `(n, 4)` float64, finite, image pixels.
        sizes: `(n, 2)` float64 height and width of each box's image, NaN where not known.

    Returns:
        The reason for each unusable box, by its index.
    """
    corners = xyxy.astype(np.float32)  # as stored: a box can be too thin for float32
    found: dict[int, str] = {}
    for name, low, high in (("width", 0, 2), ("height", 1, 3)):
        for i in np.flatnonzero(corners[:, high] <= corners[:, low]):
            extent = xyxy[i, high] - xyxy[i, low]
            words = f"negative {name} {extent:g}" if extent < 0 else f"zero {name}"
            found.setdefault(int(i), f"bbox has {words}")
    outside = (xyxy[:, 2:] <= 0).any(axis=1) | (xyxy[:, :2] >= sizes[:, ::-1]).any(axis=1)
    for i in np.flatnonzero(outside):
        numbers = ", ".join(f"{v:g}" for v in xyxy[i])
        height, width = sizes[i]
        frame = "" if np.isnan(height) else f" of width {width:g} and height {height:g}"
        found.setdefault(int(i), f"bbox (corners {numbers}) lies entirely outside the image{frame}")
    return found


def is_true(flag: object) -> bool:
    """Whether a flag such as `difficult` is set: a number but 0, true, yes or on, as a text or a value.

    Raises:
        ValueError: it is neither that nor 0, false, no, off, none or empty.
    """
    text = str(flag).strip().lower()
    if text in ("true", "yes", "on", "t", "y"):
        return True
    if text in ("false", "no", "off", "f", "n", "none", "null", "unspecified", ""):
        return False
    try:
        return float(text) != 0
    except ValueError:
        raise ValueError(f"the flag {shown(flag)} is neither true nor false") from None


def shown(value: object) -> str:
    """`value` as a message quotes it: on one line and never long."""
    return reprlib.repr(value)
