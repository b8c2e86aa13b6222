"""Files: written aside first, then renamed, so that nothing is ever half-written; read with a check."""

import errno
import gc
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")


@contextmanager
def write_aside(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; on success it replaces `path`, on failure it vanishes.

    The temporary name keeps the suffix, since many writers choose the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        aside = folder / path.name
        yield aside
        os.replace(aside, path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(errno.ENOSPC, "the disk is full, nothing was written to", str(path)) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_with(path: str | Path, writer: Callable[[Path], object]) -> Path:
    """Calls `writer(temporary path)` and moves what it wrote to `path`."""
    with write_aside(path) as aside:
        writer(aside)
    return Path(path)


def write_text(path: str | Path, text: str) -> Path:
    """Writes `text` as UTF-8."""
    return write_with(path, lambda aside: aside.write_text(text, encoding="utf-8"))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Holds Python's garbage collector back while millions of objects are made, none of them garbage.

    It would walk through them over and over: reading COCO's training file takes twice as long with it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@collector_paused()
def read_json(path: str | Path, *, tables: tuple[str, ...] = ()) -> object:
    """Reads a json file and checks its outline at the door.

    Args:
        path: the file.
        tables: keys that the top-level object must hold, each with a list of objects as its value.

    Returns:
        What the file holds.

    Raises:
        ValueError: the text is not json (names line and column), or a key of `tables` is missing or
            holds something else.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{path}: not json at {place}: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not json: {error}") from None
    if tables and not isinstance(content, dict):
        keys = ", ".join(map(repr, tables))
        raise ValueError(f"{path}: expected an object with the keys {keys}, got a {type(content).__name__}")
    for key in tables:
        if key not in content:
            raise ValueError(f"{path}: the key {key!r} is missing; it has {', '.join(content) or 'none'}")
        if not isinstance(content[key], list):
            raise ValueError(f"{path}: {key!r} should be a list, got a {type(content[key]).__name__}")
        for place, entry in enumerate(content[key]):
            if not isinstance(entry, dict):
                kind = type(entry).__name__
                raise ValueError(f"{path}: {key}[{place}] should be an object, got a {kind}")
    return content


def write_json(path: str | Path, value: object, indent: int | None = None) -> Path:
    """Writes `value` as json."""
    return write_text(path, json.dumps(value, indent=indent))


def write_image(path: str | Path, image) -> Path:
    """Writes a `PIL.Image`; the suffix of `path` picks the format."""
    return write_with(path, image.save)


def inside(root: str | Path, name: str) -> Path:
    """`root / name`, refused when the result would lie outside `root`.

    Raises:
        ValueError: `name` is absolute or climbs out of `root`.
    """
    root = Path(root)
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"the path {name!r} leads outside its folder {root}")
    return path
