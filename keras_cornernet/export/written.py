"""The result of an export."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class ExportedFile(NamedTuple):
    """A file or folder that was written.

    Attributes:
        path: of the file, or of the SavedModel's folder.
        notes: one sentence for each part that was left out.
    """

    path: Path
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        if self.path.is_dir():
            return sum(part.stat().st_size for part in self.path.rglob("*") if part.is_file())
        weights = self.path.with_suffix(".bin") if self.path.suffix == ".xml" else None
        return self.path.stat().st_size + (weights.stat().st_size if weights else 0)


def written(path: Path, notes: Iterable[str] = (), *, self_test: bool = True) -> ExportedFile:
    """The result, once the file tests itself.

    Args:
        path, notes: see `ExportedFile`.
        self_test: whether it gets a self-test, see `export.self_tests`.
    """
    from keras_cornernet.export.self_tests.making import add_self_test

    return ExportedFile(path, (*notes, *(add_self_test(path) if self_test else ())))
