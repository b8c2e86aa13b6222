"""The classes of a data set, and the boxes on an image."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import numpy as np

from keras_cornernet.structures.record import Record


@dataclass(frozen=True)
class Categories:
    """The classes of a data set.

    Attributes:
        names: one name for each label; label `i` is `names[i]`. A COCO file may use a name twice.
        ids: the data set's own category id of each label; COCO's ids have gaps, labels have none.

    Raises:
        ValueError: there are not as many ids as names, a name is not a text, or an id is not a whole number
            or occurs twice.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]

    def __post_init__(self) -> None:
        for field, values in (("names", self.names), ("ids", self.ids)):
            if not isinstance(values, tuple | list):
                raise ValueError(f"categories: expected a tuple of {field}, got {values!r}")
        if len(self.names) != len(self.ids):
            raise ValueError(f"categories: there are {len(self.names)} names and {len(self.ids)} ids")
        for name in self.names:
            if not isinstance(name, str):
                raise ValueError(f"categories: the name {name!r} is not a text")
        for id_ in self.ids:
            if not isinstance(id_, int | np.integer) or isinstance(id_, bool):
                raise ValueError(f"categories: the id {id_!r} is not a whole number")
        for id_, count in Counter(self.ids).items():
            if count > 1:
                raise ValueError(f"categories: the id {id_} occurs {count} times")

    @classmethod
    def of(cls, names: "Categories | Iterable[str]", *, argument: str = "categories") -> "Categories":
        """Makes categories from a list of class names; their ids count from 1.

        Args:
            names: the names in the order of their labels. `Categories` are returned as they are.
            argument: what the message of an error calls the names.

        Raises:
            ValueError: `names` is not a list of different texts, or is empty.

        Example:
            >>> Categories.of(["cat", "dog"])
            Categories(names=('cat', 'dog'), ids=(1, 2))
        """
        if isinstance(names, Categories):
            found = names
        elif isinstance(names, str | bytes | Mapping | Set) or not isinstance(names, Iterable):
            raise ValueError(f"{argument}: expected a list of class names, got {names!r}")
        else:
            listed = tuple(names)
            for name, count in Counter(map(repr, listed)).items():
                if count > 1:
                    raise ValueError(f"{argument}: the name {name} occurs {count} times")
            for name in listed:
                if not isinstance(name, str) or not name.strip():
                    raise ValueError(f"{argument}: expected a list of class names, got {name!r} in it")
            found = cls(tuple(map(str, listed)), tuple(range(1, len(listed) + 1)))
        if not found.names:
            raise ValueError(f"{argument}: expected at least one class name")
        return found

    def check_names(self, names: Iterable[str]) -> None:
        """Raises `ValueError` for a name, in upper or lower case, that none of the classes has."""
        known = {name.casefold() for name in self.names}
        for name in names:
            if name.casefold() not in known:
                raise ValueError(f"classes: there is none called {name!r}, only {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def unique_names(self) -> tuple[str, ...]:
        """The names; one that occurred before carries its id, such as `cat (id 7)`."""
        found: list[str] = []
        for name, id_ in zip(self.names, self.ids, strict=True):
            found.append(f"{name} (id {id_})" if name in found else name)
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Boxes(Record):
    """The annotated boxes of one image.

    Attributes:
        xyxy: `(n, 4)` float32, image pixels.
        labels: `(n,)` int32, from 0.
        ignore: `(n,)` bool; True for crowds and over-clipped boxes, which are neither positive nor negative.
        areas: `(n,)` float64, square pixels: the areas of the objects' outlines as COCO files state them, by
            which COCO tells small objects from large ones; None where they are those of the boxes.

    Raises:
        ValueError: the shapes do not belong together.
    """

    xyxy: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray
    areas: np.ndarray | None = None

    def __post_init__(self) -> None:
        shapes = self.xyxy.shape, self.labels.shape, self.ignore.shape
        n = len(self.labels)
        if shapes != ((n, 4), (n,), (n,)):
            raise ValueError(f"Boxes: expected the shapes (n, 4), (n,) and (n,), got {shapes}")
        if self.areas is not None and self.areas.shape != (n,):
            raise ValueError(f"Boxes: expected areas of the shape ({n},), got {self.areas.shape}")

    @classmethod
    def empty(cls) -> "Boxes":
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.labels)


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The intersection over union of each box with each of the others.

    Args:
        boxes, others: `(n, 4)` and `(m, 4)` `xyxy`.

    Returns:
        `(n, m)` float64, 0..1.
    """
    boxes, others = np.asarray(boxes, np.float64)[:, None], np.asarray(others, np.float64)[None]
    common = np.minimum(boxes[..., 2:], others[..., 2:]) - np.maximum(boxes[..., :2], others[..., :2])
    shared = np.prod(np.maximum(common, 0), axis=-1)
    areas = np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1) + np.prod(others[..., 2:] - others[..., :2], -1)
    result: np.ndarray = shared / np.maximum(areas - shared, 1e-9)
    return result


def covered(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The largest fraction of each box that one of the others covers, as COCO meets crowds.

    Args:
        boxes, others: `(n, 4)` and `(m, 4)` `xyxy`.

    Returns:
        `(n,)`, 0..1; 0 without others.
    """
    if not len(others):
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    result: np.ndarray = common.max(axis=1) / np.maximum(areas, 1e-9)
    return result
