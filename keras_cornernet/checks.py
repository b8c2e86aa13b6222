"""Checks of settings: each raises a `ValueError` that names the argument, what was expected and what came."""

import math
from collections.abc import Collection, Hashable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

MOST_PIXELS = 2**27  # of an image or an input; in float32 such a one takes 1.6 GB


def check_number(
    name: str,
    value: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    whole: bool = False,
) -> None:
    """Checks that a value is a finite number in a range.

    Args:
        name: of the argument.
        value: to check.
        at_least, above, at_most, below: ends of the range; `at_least` and `at_most` belong to it.
        whole: whether the number must be an integer.
    """
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
        raise ValueError(f"{name} must be a {'whole ' if whole else ''}number, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    bounds = [
        ("at least", at_least, at_least is None or number >= at_least),
        ("above", above, above is None or number > above),
        ("at most", at_most, at_most is None or number <= at_most),
        ("below", below, below is None or number < below),
    ]
    given = [f"{word} {bound}" for word, bound, _ in bounds if bound is not None]
    if not math.isfinite(number):
        given.insert(0, "finite")
    if not math.isfinite(number) or not all(holds for _, _, holds in bounds):
        raise ValueError(f"{name} must be {' and '.join(given)}, not {value!r}")


def check_flag(name: str, value: Any) -> None:
    """Checks that a value is True or False; 0 and 1 are not."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, not {value!r}")


def check_odd(name: str, value: Any) -> None:
    """Checks that a value is an odd number of at least 1."""
    check_number(name, value, at_least=1, whole=True)
    if value % 2 == 0:
        raise ValueError(f"{name} must be odd, not {value!r}")


def check_choice(name: str, value: Any, choices: Collection[Any]) -> None:
    """Checks that a value is one of several."""
    if not isinstance(value, Hashable) or value not in choices:
        raise ValueError(f"{name} must be one of {tuple(choices)}, not {value!r}")


def check_numbers(name: str, values: Any, *, length: int | None = None, **bounds: Any) -> None:
    """Checks that a value is a sequence of numbers, see `check_number`.

    Args:
        name: of the argument.
        values: to check.
        length: how many numbers there must be, if that is fixed.
        bounds: of each number.
    """
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != (length or len(values)):
        raise ValueError(
            f"{name} must be a sequence of {f'{length} ' if length else ''}numbers, not {values!r}"
        )
    for i, value in enumerate(values):
        check_number(f"{name}[{i}]", value, **bounds)


def check_size(name: str, value: Any) -> None:
    """Checks that a value is a `(height, width)` in whole pixels, of an image that fits into memory."""
    if (
        not isinstance(value, Sequence)
        or len(value) != 2
        or any(isinstance(side, bool) or not isinstance(side, Integral) or side < 1 for side in value)
    ):
        raise ValueError(f"{name} must be (height, width), two whole numbers of at least 1, not {value!r}")
    if int(value[0]) * int(value[1]) > MOST_PIXELS:
        raise ValueError(f"{name} must have at most {MOST_PIXELS:,} pixels, not {value[0]} x {value[1]}")
