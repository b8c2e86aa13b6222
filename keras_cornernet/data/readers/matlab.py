"""Reads one variable of a MATLAB file as lists, dictionaries and arrays."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_cornernet import files
from keras_cornernet.extras import import_extra

LARGEST = 2**30  # bytes that the packed parts of a file may unpack to
_PACKED = 15  # kind of a part that is packed by zlib


def read_mat(path: str | Path, field: str) -> object:
    """Reads a variable of a MATLAB file of version 4 to 7.2.

    Args:
        path: the file.
        field: name of the variable.

    Returns:
        Numbers as an array with the shape that MATLAB shows, so at least two axes; a text as `str`; a
        struct as a list of dictionaries, whatever its size; a cell as a list. Both lists hold the elements
        column by column, as MATLAB counts them. A sparse matrix is returned as SciPy's.

    Raises:
        ImportError: SciPy is not installed.
        ValueError: the file is not a MATLAB file or is of version 7.3, or it lacks the variable.
    """
    with _opened(path) as (io, stream):
        _check_size(stream)
        names = [name for name, _, _ in io.whosmat(stream)]
        stream.seek(0)
        content = io.loadmat(stream, variable_names=[field])
    if field not in names:
        raise ValueError(f"{path}: has no field {field!r}; it has: {', '.join(names) or 'none'}")
    return _plain(content[field])


def field_names(path: str | Path) -> list[str]:
    """The names of the variables in a MATLAB file; raises as `read_mat`."""
    with _opened(path) as (io, stream):
        return [name for name, _, _ in io.whosmat(stream)]


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[Any, BinaryIO]]:
    """Yields SciPy's reader and the open file."""
    io = import_extra("scipy.io", "mat", "reading .mat files")
    files.check_is_file(path)
    with open(path, "rb") as stream:
        try:
            yield io, stream
        except NotImplementedError:
            raise ValueError(
                f"{path}: this is a MATLAB file of version 7.3 (HDF5), which cannot be read. "
                "Save it in MATLAB with save(..., '-v7')"
            ) from None
        except Exception as error:  # SciPy raises nearly anything on damaged files
            raise ValueError(f"{path}: not a MATLAB file: {error}") from None


def _check_size(stream: BinaryIO) -> None:
    """Raises `ValueError` if the packed parts of a file of version 5 unpack to more than they should.

    Each part after the header of 128 bytes has its kind, its size, and its content.
    """
    order = {b"IM": "<", b"MI": ">"}.get(stream.read(128)[126:], "")
    left = LARGEST
    while order and len(tag := stream.read(8)) == 8:
        kind, size = struct.unpack(f"{order}2I", tag)
        content = stream.read(size)
        if kind != _PACKED:
            continue
        unpacking = zlib.decompressobj()
        while content and not unpacking.eof:
            left -= len(unpacking.decompress(content, 2**20))
            if left < 0:
                raise ValueError(f"it unpacks to more than {LARGEST / 1e9:.1f} GB")
            content = unpacking.unconsumed_tail
    stream.seek(0)


def structs(value: object) -> list[dict[str, Any]]:
    """The elements of a struct; none if MATLAB has `[]` in its place."""
    return value if isinstance(value, list) and all(isinstance(v, dict) for v in value) else []


def number(value: object) -> float | None:
    """The single number in an array or a text, or None."""
    if value is None:  # NumPy would make it NaN
        return None
    try:
        return float(value) if isinstance(value, str) else float(np.asarray(value, np.float64).item())
    except (ValueError, TypeError):
        return None


def _plain(value: object) -> object:
    if not isinstance(value, np.ndarray):  # a sparse matrix
        return value
    elements = value.ravel(order="F")
    if value.dtype.names is not None:
        return [{name: _plain(element[name]) for name in value.dtype.names} for element in elements]
    if value.dtype == object:
        return [_plain(element) for element in elements]
    return "\n".join(elements) if value.dtype.kind == "U" else value
