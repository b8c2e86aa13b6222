"""Reading and writing of files: nothing is ever half-written, and what is read is checked."""

import errno
import gc
import hashlib
import io
import json
import os
import reprlib
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cornernet import interruption

if TYPE_CHECKING:
    import PIL.Image

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".avif"),
)
"""Names of files that a folder of images is searched for; what a file holds is decided when it is read."""

_FILE_TYPES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


# Temporary folders end so, by which `remove_leftovers` knows those of a process that was killed.
ASIDE = ".aside"
_FULL = {
    errno.ENOSPC: "the disk is full, not written",
    errno.EDQUOT: "the quota of the disk is used up, not written",
    errno.EFBIG: "larger than a file may be here, not written",
}


@contextmanager
def write_aside(path: str | Path, *, previous: str | Path | None = None) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which replaces `path` on success and is removed on failure.

    The temporary name keeps the suffix, since many writers choose the format by it. What was written reaches
    the disk before it takes the name, so that a power cut leaves the old file or the new one.

    Args:
        path: of a file or a folder.
        previous: another name in the same folder, which what is replaced gets.
    """
    path = Path(path)
    interruption.raise_if_asked()
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = None
    try:
        with interruption.whole_step():
            # Cut, because a name of the longest length leaves no room for more characters.
            folder = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}.", suffix=ASIDE, dir=path.parent))
        aside = folder / path.name
        with naming_a_full_disk(path):
            yield aside
            with interruption.whole_step():
                _to_disk(aside)
                if previous is not None and path.exists():
                    os.replace(path, previous)
                os.replace(aside, path)
    finally:
        if folder is not None:
            with interruption.whole_step():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def naming_a_full_disk(path: str | Path) -> Iterator[None]:
    """Makes one error, with the name of the file, of all that libraries raise where a disk is full.

    Raises:
        OSError: the disk is full, or the file is larger than the system allows.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OSError(error.errno, _FULL[error.errno], str(path)) from error
        raise
    except RuntimeError as error:  # HDF5's
        for number in _FULL:
            if os.strerror(number) in str(error):
                raise OSError(number, _FULL[number], str(path)) from error
        raise


def _to_disk(path: Path) -> None:
    """Waits until a file, or each file of a folder, is on the disk."""
    for file in [path] if path.is_file() else path.rglob("*"):
        if not file.is_file():
            continue
        # Windows asks for the right to write, and elsewhere the file may be read-only.
        descriptor = os.open(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # the file system cannot
                raise
        finally:
            os.close(descriptor)


def remove_leftovers(folder: str | Path) -> None:
    """Removes what killed processes left half-written in a folder. Nobody else may be writing there."""
    for leftover in Path(folder).glob(f".*{ASIDE}"):
        shutil.rmtree(leftover, ignore_errors=True)


def write_with(path: str | Path, writer: Callable[[Path], object]) -> Path:
    """Calls `writer` with a temporary path and moves what it wrote to `path`."""
    with write_aside(path) as aside:
        writer(aside)
    return Path(path)


def write_text(path: str | Path, text: str) -> Path:
    """Writes `text` as UTF-8."""
    return write_with(path, lambda aside: aside.write_text(text, encoding="utf-8"))


def decoded(path: str | Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it begins with that mark, as Windows' editors write it.

    Raises:
        OSError: there is no such file, see `check_is_file`.
        ValueError: it is neither.
    """
    check_is_file(path)
    content = Path(path).read_bytes()
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8 or UTF-16: {error}") from None


def check_is_file(path: str | Path) -> None:
    """Raises an error unless `path` is a regular file: reading a named pipe or a device may never end.

    Raises:
        FileNotFoundError: there is nothing of that name.
        IsADirectoryError: it is a folder.
        OSError: it is a pipe, a socket, a device, or a symbolic link that leads to itself.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: the name has a null character
        raise OSError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        error_type = IsADirectoryError if stat.S_ISDIR(mode) else OSError
        raise error_type(f"{path}: not a file but {_FILE_TYPES.get(stat.S_IFMT(mode), 'something else')}")


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Writes `content` as it is."""
    return write_with(path, lambda aside: aside.write_bytes(content))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses Python's garbage collector while millions of objects are made of which none is garbage.

    It would visit them again and again: reading COCO's training file takes twice as long with it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@collector_paused()
def read_json(path: str | Path, *, tables: tuple[str, ...] = ()) -> Any:
    """Reads a json file and checks its outline.

    Args:
        path: the file.
        tables: keys that the top-level object must hold, each with a list of objects as its value.

    Returns:
        What the file holds.

    Raises:
        OSError: there is no such file, see `check_is_file`.
        ValueError: the text is not json (names line and column), or a key of `tables` is missing or
            holds something else.
    """
    path = Path(path)
    check_is_file(path)
    try:
        content = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        position = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{path}: not json at {position}: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not json: {error}") from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise ValueError(f"{path}: not json: it holds a number of too many digits") from None
    if tables and not isinstance(content, dict):
        keys = ", ".join(map(repr, tables))
        raise ValueError(f"{path}: expected an object with the keys {keys}, got a {type(content).__name__}")
    for key in tables:
        if key not in content:
            raise ValueError(f"{path}: the key {key!r} is missing; it has {_listed(content)}")
        if not isinstance(content[key], list):
            raise ValueError(f"{path}: {key!r} should be a list, got a {type(content[key]).__name__}")
        for i, entry in enumerate(content[key]):
            if not isinstance(entry, dict):
                found = type(entry).__name__
                raise ValueError(f"{path}: {key}[{i}] should be an object, got a {found}")
    return content


def _listed(keys: Iterable[str]) -> str:
    """Keys as a message quotes them: few, and on one line."""
    shown = [reprlib.repr(key).strip("'") for key in islice(keys, 10)]
    return ", ".join(shown) or "none"


def write_json(path: str | Path, value: object, indent: int | None = None) -> Path:
    """Writes `value` as json."""
    return write_text(path, json.dumps(value, indent=indent))


def write_image(path: str | Path, image: "PIL.Image.Image", **options: Any) -> Path:
    """Writes a `PIL.Image`.

    It is encoded in memory, because several of Pillow's writers do not notice that a disk is full.

    Args:
        path: whose suffix picks the format.
        image: to write.
        options: of `PIL.Image.Image.save`.

    Raises:
        ValueError: no format has the suffix.
    """
    import PIL.Image

    suffix = Path(path).suffix.lower()
    image_format = PIL.Image.registered_extensions().get(suffix)
    if image_format is None:
        raise ValueError(f"{path}: no format of images has the suffix {suffix!r}")
    encoded = io.BytesIO()
    image.save(encoded, image_format, **options)
    return write_bytes(path, encoded.getvalue())


def inside(root: str | Path, name: str) -> Path:
    """Returns `root / name` if it lies inside of `root`.

    Raises:
        ValueError: `name` is absolute or climbs out of `root`.
    """
    root = Path(root)
    path = root / name
    # Not Path.resolve(), which raises RuntimeError on a link that leads to itself.
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise ValueError(f"the path {name!r} leads outside its folder {root}")
    return path


def common_folder(paths: Iterable[str | Path]) -> Path:
    """The deepest folder that holds all files."""
    return Path(os.path.commonpath([Path(path).absolute().parent for path in paths]))


def relative_to(root: str | Path, path: str | Path) -> str:
    """The name of a file within a folder, with slashes.

    Raises:
        ValueError: the file does not lie in the folder.
    """
    resolved, base = Path(path).absolute(), Path(root).absolute()
    if not resolved.is_relative_to(base):
        raise ValueError(f"root: {path} does not lie in {root}")
    return resolved.relative_to(base).as_posix()


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
