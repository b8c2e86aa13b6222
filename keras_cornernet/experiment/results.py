"""The table of a run's epochs."""

import csv
import io
import math
from pathlib import Path
from typing import Any

from keras_cornernet import files


class ResultsTable:
    """`results.csv`: one row an epoch, rewritten whole so that it is never half-written."""

    def __init__(self, path: Path, resume: bool):
        self.path = path
        self.rows: list[dict[str, Any]] = []
        if path.is_file():
            if not resume:
                raise ValueError(f"{path.parent} holds a run already: choose another folder, or resume it")
            with path.open(newline="") as file:
                self.rows = [
                    {name: int(float(v)) if name == "epoch" else float(v) for name, v in row.items() if v}
                    for row in csv.DictReader(file)
                ]

    def add(self, row: dict[str, Any]) -> None:
        """Adds the row of an epoch; rows of that epoch and later ones are replaced."""
        self.rows = [old for old in self.rows if old["epoch"] < row["epoch"]] + [row]
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.rows)
        files.write_text(self.path, text.getvalue())

    def curve(self, name: str) -> list[float]:
        """One column, NaN where a row lacks it."""
        return [row.get(name, math.nan) for row in self.rows]
