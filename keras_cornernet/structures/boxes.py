"""What a data set says of boxes."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Categories:
    """The classes of a data set.

    Attributes:
        names: one name per label; label `i` is `names[i]`.
        ids: the data set's own category id of each label (COCO ids have gaps, labels have none).

    Raises:
        ValueError: there are not as many ids as names, or a name is not a text.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, values in {"names": self.names, "ids": self.ids}.items():
            if isinstance(values, str) or not isinstance(values, Sequence):
                raise ValueError(f"categories: {name} must be a sequence, not {values!r}")
        if len(self.names) != len(self.ids):
            raise ValueError(f"categories: {len(self.names)} names and {len(self.ids)} ids do not match")
        wrong = [name for name in self.names if not isinstance(name, str)]
        if wrong:
            raise ValueError(f"categories: names must be texts, not {wrong[0]!r}")

    @classmethod
    def of(cls, categories: "Categories | Sequence[str]") -> "Categories":
        """Categories as they are, or of a list of names with ids from 1.

        Raises:
            ValueError: the names are one text, none, not texts, or not distinct.
        """
        if isinstance(categories, Categories):
            return categories
        if isinstance(categories, str) or not isinstance(categories, Sequence):
            raise ValueError(f"categories must be a list of names, not {categories!r}")
        if not categories:
            raise ValueError("categories must hold at least one name")
        doubled = [name for i, name in enumerate(categories) if name in categories[:i]]
        if doubled:
            raise ValueError(f"categories must be distinct, and {doubled[0]!r} is listed twice")
        return cls(tuple(categories), tuple(range(1, len(categories) + 1)))


@dataclass(frozen=True, eq=False)
class Boxes:
    """Annotated boxes of one image.

    Attributes:
        xyxy: `(n, 4)` float32, image pixels.
        labels: `(n,)` int32, from 0.
        ignore: `(n,)` bool; crowd regions and over-clipped boxes, neither taught nor counted.
    """

    xyxy: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray

    @classmethod
    def empty(cls) -> "Boxes":
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))

    def replace(self, **changes: Any) -> Self:
        """The same boxes with some fields changed."""
        return dataclasses.replace(self, **changes)
