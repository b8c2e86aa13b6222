"""What the result classes share: counting, picking and comparing objects, and the picture."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, overload

import numpy as np
from PIL import Image

from keras_cornernet import files
from keras_cornernet.results.display import image_html, show_image, text_html
from keras_cornernet.results.speed import Speed
from keras_cornernet.results.tables import csv_text, data_frame
from keras_cornernet.structures import Record

Item = TypeVar("Item")


class ImageResult(Record, ABC, Generic[Item]):
    """The objects found on one image, best first: the common part of `Detections` and `Poses`.

    A result behaves as a sequence of its objects. `len(result)` counts them, and a result without objects is
    false. `result[2]` and iteration give single objects; `result[:5]`, `result[mask]` and
    `result[[0, 3]]` give a result with those objects alone. The arrays of a result cannot be written to;
    `replace` makes a changed copy. Results are equal if all fields but `speed` are.

    A subclass is a frozen dataclass with the three fields below, and states in `_rows` which of its fields
    have one row per object.
    """

    noun: ClassVar[str]
    _rows: ClassVar[tuple[str, ...]]
    image: np.ndarray | None
    path: str | None
    speed: Speed | None

    if TYPE_CHECKING:  # a dataclass would take an inherited property for the default of its field

        @property
        def scores(self) -> np.ndarray:
            """`(n,)` the score of each object."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.name in self._rows or isinstance(value, np.ndarray):
                object.__setattr__(self, field.name, _read_only(value))

    @abstractmethod
    def _item(self, index: int) -> Item:
        """One object."""

    @abstractmethod
    def _counted(self) -> str:
        """How many of what, such as `3 person, 1 dog`."""

    @abstractmethod
    def plot(self, min_score: float | None = None) -> Image.Image:
        """The image with the objects drawn on it."""

    @abstractmethod
    def to_table(self) -> dict[str, np.ndarray]:
        """The objects as columns, one row per object."""

    def __len__(self) -> int:
        return len(getattr(self, self._rows[0]))

    def __iter__(self) -> Iterator[Item]:
        return (self._item(index) for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | Sequence[bool] | np.ndarray) -> Self: ...
    def __getitem__(self, index: Any) -> Item | Self:
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return self._item(range(len(self))[index])
        rows = index if isinstance(index, slice) else _row_index(index)
        return self.replace(**{name: getattr(self, name)[rows] for name in self._rows})

    def __repr__(self) -> str:
        place = f" in {Path(self.path).name}" if self.path else ""
        size = f" ({self.image.shape[0]}x{self.image.shape[1]})" if self.image is not None else ""
        best = f", best {self.scores.max():.2f}" if len(self) else ""
        return f"{type(self).__name__}: {self._counted()}{place}{size}{best}"

    def _repr_html_(self) -> str:
        """The picture and a line of text, as notebooks show it; the text alone without an image."""
        return text_html(repr(self)) if self.image is None else image_html(self.plot(), repr(self))

    def with_min_score(self, score: float) -> Self:
        """The objects whose score is at least `score`."""
        return self[self.scores >= score]

    def show(self, min_score: float | None = None) -> None:
        """Shows the picture of `plot`: in a notebook as output, elsewhere in the system's viewer."""
        show_image(self.plot(min_score))

    def save(self, path: str | Path, min_score: float | None = None) -> Path:
        """Writes the picture of `plot`; the suffix of `path` picks the format, such as `.jpg` or `.png`."""
        return files.write_image(path, self.plot(min_score))

    def to_csv(self, path: str | Path | None = None) -> str:
        """The table of `to_dataframe` as CSV text with a header line; also written to `path` if given."""
        text = csv_text(self.to_table())
        if path is not None:
            files.write_text(path, text)
        return text

    def to_dataframe(self) -> Any:
        """A `pandas.DataFrame` with one row per object; `to_table` lists the columns.

        Raises:
            ImportError: pandas is not installed; the message states what to type.
        """
        return data_frame(self.to_table())

    def _summary(self) -> dict[str, Any]:
        """The part of `summary` that all results have."""
        return {
            "path": self.path,
            "image_size": None if self.image is None else list(self.image.shape[:2]),
            "count": len(self),
            "best_score": round(float(self.scores.max()), 5) if len(self) else None,
            "speed": None if self.speed is None else dataclasses.asdict(self.speed),
        }

    def _required_image(self) -> np.ndarray:
        if self.image is None:
            raise ValueError(
                f"{type(self).__name__}.plot needs the image, and this result carries none: "
                "give it one with replace(image=...)"
            )
        return self.image


def _read_only(array: np.ndarray) -> np.ndarray:
    """A view of an array through which it cannot be changed; the array itself stays as it is."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _row_index(index: object) -> np.ndarray:
    rows = np.asarray(index)
    if rows.ndim == 1 and not rows.size and rows.dtype.kind == "f":  # an empty list
        rows = rows.astype(np.intp)
    if rows.ndim != 1 or rows.dtype.kind not in "biu":
        raise TypeError(
            "index: expected an integer, a slice, or a one-dimensional array of integers or bools, "
            f"got {index!r}"
        )
    return rows
