"""What the frozen dataclasses of this package share."""

import dataclasses
from typing import Any, Self

import numpy as np


class Record:
    """The common part of frozen dataclasses that hold arrays; declare them with `eq=False`.

    Two records are equal if they are of the same class and all their fields are equal (but those with
    `compare=False`). Arrays are compared by value, and NaN equals NaN. Records are not hashable.
    """

    __hash__ = None  # type: ignore[assignment]

    def replace(self, **changes: Any) -> Self:
        """Makes a copy with other values in some fields, such as `sample.replace(size=None)`.

        Args:
            changes: new values by field name.

        Raises:
            TypeError: there is no such field.
        """
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return all(_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields if f.compare)


def _equal(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        floats = a.dtype.kind == "f" and b.dtype.kind == "f"
        return np.array_equal(a, b, equal_nan=floats)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return False
    return a == b
