"""Where weights come from: the data that they have seen, its terms, and what they started from."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

NOT_STATED = "not stated"


@dataclass(frozen=True)
class DataSource:
    """A data set that weights were trained on.

    Attributes:
        name: of the data set.
        terms: on which it may be used.
        items: images or people that were trained on; None where it is not known.
        sha256: of the annotations, see `sha256_of_annotations`; None where it is not known.
    """

    name: str
    terms: str = NOT_STATED
    items: int | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        return f"{self.name} (terms: {self.terms})"


@dataclass(frozen=True)
class Parent:
    """Weights that a training or a conversion started from.

    Attributes:
        name: of the preset or the file.
        sha256: of the file; None where there is none.
    """

    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Provenance:
    """Where weights come from.

    Attributes:
        data: all that they and their parents were trained on.
        parents: what they started from, the nearest first.
    """

    data: tuple[DataSource, ...] = ()
    parents: tuple[Parent, ...] = ()

    def grown(self, data: Iterable[DataSource] = (), parents: Iterable[Parent] = ()) -> Self:
        """The same with further data, and with parents that are nearer; what is there already stays once."""
        return dataclasses.replace(
            self,
            data=tuple(dict.fromkeys([*self.data, *data])),
            parents=tuple(dict.fromkeys([*parents, *self.parents])),
        )

    def to_json(self) -> dict[str, Any]:
        """The provenance in json-like form."""
        return {
            name: [dataclasses.asdict(entry) for entry in getattr(self, name)] for name in ("data", "parents")
        }

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Reads what `to_json` gave.

        Raises:
            ValueError: the values are of another form.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"provenance must be an object, not {values!r}")
        kinds = {"data": DataSource, "parents": Parent}
        if strange := sorted(set(values) - set(kinds)):
            raise ValueError(f"provenance has the unknown key {strange[0]!r}")
        return cls(**{name: _entries(kinds[name], name, entries) for name, entries in values.items()})

    def __str__(self) -> str:
        seen = ", ".join(map(str, self.data)) or "no data that is stated"
        started = (
            f"; started from {', '.join(parent.name for parent in self.parents)}" if self.parents else ""
        )
        return f"trained on {seen}{started}"


def _entries(kind: type, name: str, entries: Any) -> tuple[Any, ...]:
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ValueError(f"provenance.{name} must be a list, not {entries!r}")
    return tuple(_entry(kind, f"provenance.{name}[{i}]", entry) for i, entry in enumerate(entries))


def _entry(kind: type, where: str, values: Any) -> Any:
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} must be an object, not {values!r}")
    known = {field.name: field.type for field in dataclasses.fields(kind)}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{where} has the unknown key {key!r}")
        if value is None and key in ("items", "sha256"):
            continue
        wanted = int if key == "items" else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ValueError(
                f"{where}.{key} must be {'a number' if wanted is int else 'a text'}, not {value!r}"
            )
    if "name" not in values:
        raise ValueError(f"{where} lacks its name")
    return kind(**values)


def sha256_of_annotations(items: Iterable[Any]) -> str:
    """A hash of annotations: of names of images, boxes, labels and joints, in their order.

    The same annotations give the same hash wherever their folder lies, and whichever format they are in.

    Args:
        items: the `samples` or `people` of a data set.
    """
    digest = hashlib.sha256()
    for item in items:
        digest.update(_bytes_of(item))
    return digest.hexdigest()


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        parts = [
            Path(part).name.encode() if name == "path" else _bytes_of(part)
            for name, part in fields.items()
            if name not in ("image_id", "areas")
        ]
        return b"|".join(parts)
    return repr(value).encode()
