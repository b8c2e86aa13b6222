"""Long work that can be stopped: each result is a line in a file at once, and a later run goes on there."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

from keras_cornernet import files

HEAD = "run"  # key of the first line, which says what the work is


class Journal:
    """A file of json lines, one for each input that is done.

    The first line states what the work is, so that nobody goes on with another one. Each further line reaches
    the file before the next input begins. What a killed run left half-written is taken off.

    Args:
        path: the file, of suffix `.jsonl`.
        work: what makes results comparable, fit for json: the model, options.
        resume: go on with what the file holds; otherwise it is written anew.

    Raises:
        ValueError: the file is of other work, or is no journal; the message says what differs.
        OSError: it cannot be read or written.

    Example:
        >>> with Journal("found.jsonl", {"model": "people.keras"}, resume=True) as journal:  # doctest: +SKIP
        ...     for path in paths:
        ...         if path not in journal:
        ...             journal.add(path, {"boxes": find(path)})
    """

    def __init__(self, path: str | Path, work: Mapping[str, Any], *, resume: bool = False):
        self.path = Path(path)
        self.work = json.loads(json.dumps(work))
        self._done: set[str] = set()
        self._file: IO[bytes] | None = None
        if resume and self.path.exists():
            self._go_on()
        else:
            files.write_text(self.path, json.dumps({HEAD: self.work}) + "\n")

    def _go_on(self) -> None:
        files.check_is_file(self.path)
        end = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break  # half-written
                end += len(line)
                entry = self._parsed(line, number)
                if number == 0:
                    self._check_work(entry)
                else:
                    self._done.add(entry["key"])
        if not end:
            raise ValueError(f"{self.path}: holds no whole line, so nothing can go on from it")
        os.truncate(self.path, end)

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        entry = None
        with suppress(ValueError, RecursionError):
            entry = json.loads(line)
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) != (number == 0):
            raise ValueError(f"{self.path}: line {number + 1} is not of a file of results that can go on")
        return entry

    def _check_work(self, entry: Mapping[str, Any]) -> None:
        before = entry.get(HEAD)
        if not isinstance(before, dict):
            raise ValueError(f"{self.path}: line 1 does not say what the results are of")
        for key in {**before, **self.work}:
            if before.get(key) != self.work.get(key):
                raise ValueError(
                    f"{self.path}: the results are of {key} = {before.get(key)!r}, now it is "
                    f"{self.work.get(key)!r}: choose another output, or leave out --resume"
                )

    def __contains__(self, key: object) -> bool:
        return str(key) in self._done

    def __len__(self) -> int:
        return len(self._done)

    def add(self, key: object, value: Mapping[str, Any]) -> None:
        """Writes the result of one input."""
        if self._file is None:
            self._file = self.path.open("ab")
        with files.naming_a_full_disk(self.path):
            self._file.write(json.dumps({"key": str(key), **value}).encode() + b"\n")
            self._file.flush()
        self._done.add(str(key))

    def rows(self) -> Iterator[dict[str, Any]]:
        """All results, one after the other, in the order in which they were found."""
        with self.path.open("rb") as file:
            next(file)
            for line in file:
                yield json.loads(line)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def shard_of(items: list[Any], shard: tuple[int, int] | None) -> list[Any]:
    """Every n-th item, from the i-th on, of `shard = (i, n)`; None: all."""
    return items if shard is None else items[shard[0] - 1 :: shard[1]]


def shard_name(path: str | Path, shard: tuple[int, int] | None) -> Path:
    """The name of a shard's own file: `found-2-of-8.json`."""
    path = Path(path)
    return path if shard is None else path.with_name(f"{path.stem}-{shard[0]}-of-{shard[1]}{path.suffix}")


def write_rows(path: str | Path, tables: Mapping[str, Iterable[Any]] | Iterable[Any]) -> Path:
    """Writes json of any length, one entry a line, without holding it.

    Args:
        path: the file.
        tables: lists by key, for an object; or one list.
    """
    with files.write_aside(path) as aside, aside.open("w", encoding="utf-8") as file:
        if isinstance(tables, Mapping):
            file.write("{")
            for i, (key, rows) in enumerate(tables.items()):
                file.write(f"{',' if i else ''}\n{json.dumps(key)}: ")
                _write_list(file, rows)
            file.write("\n}\n")
        else:
            _write_list(file, tables)
    return Path(path)


def _write_list(file: IO[str], rows: Iterable[Any]) -> None:
    file.write("[")
    for i, row in enumerate(rows):
        file.write(("," if i else "") + "\n" + json.dumps(row))
    file.write("\n]")
