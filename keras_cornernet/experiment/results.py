"""The table of a run's epochs."""

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_cornernet import files


class ResultsTable:
    """`results.csv`: one row an epoch, rewritten whole so that it is never half-written.

    The file is for people and other programs; a resumed run takes its rows from the backup.

    Args:
        path: of the file, which is written if there are rows.
        rows: of a run that is resumed.
    """

    def __init__(self, path: Path, rows: Iterable[dict[str, Any]] = ()):
        self.path = path
        self.rows = list(rows)
        if self.rows:
            self._write()

    def add(self, row: dict[str, Any]) -> None:
        """Adds the row of an epoch; rows of that epoch and later ones are replaced."""
        self.rows = [*self.until(row["epoch"] - 1), row]
        self._write()

    def until(self, epoch: int) -> list[dict[str, Any]]:
        """The rows of the epochs up to this one."""
        return [row for row in self.rows if row["epoch"] <= epoch]

    def curve(self, name: str) -> list[float]:
        """One column, NaN where a row lacks it."""
        return [row.get(name, math.nan) for row in self.rows]

    def _write(self) -> None:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.rows)
        files.write_text(self.path, text.getvalue())
