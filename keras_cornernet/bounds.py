"""What archives and HDF5 files declare, checked before anything in them is unpacked."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import error as StructError
from typing import TYPE_CHECKING, NamedTuple

from keras_cornernet import files

if TYPE_CHECKING:
    import h5py

LARGEST_RATIO = 200  # unpacked bytes for each packed one; json packs about twentyfold
WEIGHTS_RATIO = 20  # the same for weights, which hardly pack at all
SMALL = 2**26  # bytes that are unpacked whatever the ratio
LARGEST_TEXT = 2**24  # bytes of a json or pickled outline within an archive
MOST_OBJECTS = 100_000  # groups and data sets of an HDF5 file
# Other methods can unpack to any size from a few bytes at once.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def open_zip(path: str | Path, *, ratio: int = LARGEST_RATIO) -> Iterator[zipfile.ZipFile]:
    """Opens a zip file that declares plausible sizes; Python's reader unpacks no more than is declared.

    Args:
        path: the file.
        ratio: unpacked bytes for each packed one at most, where they are more than 64 MiB.

    Raises:
        OSError: there is no such file, see `files.check_is_file`.
        ValueError: the file is no zip file, is damaged, encrypted, packed in another way than by deflate, or
            unpacks to too much; also if that shows only in the `with` block. The message names the file.
    """
    files.check_is_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, Path(path).stat().st_size, ratio)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, StructError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0][:200]  # zipfile quotes what it found in place of a name
        raise ValueError(f"{path}: not a zip file, or damaged ({reason})") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in an unknown way
        raise ValueError(f"{path}: cannot be unpacked ({error})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None


def read_member(archive: zipfile.ZipFile, name: str, largest: int = LARGEST_TEXT) -> bytes:
    """The content of a member.

    Raises:
        ValueError: there is none of that name, or it is larger than `largest` bytes.
    """
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        raise ValueError(f"it holds no {name}") from None
    if size > largest:
        raise ValueError(f"{name} has {size / 1e6:.0f} MB, and at most {largest / 1e6:.0f} MB are read")
    return archive.read(name)


def _check_members(archive: zipfile.ZipFile, packed: int, ratio: int) -> None:
    total = sum(member.file_size for member in archive.infolist())
    if total > max(SMALL, ratio * packed):
        raise ValueError(
            f"it unpacks to {total / 1e9:.1f} GB, over {ratio} times its size, and is not trusted"
        )
    for member in archive.infolist():
        if member.compress_type not in _METHODS:
            raise NotImplementedError(f"{member.filename} is packed by another method than deflate")


class H5Content(NamedTuple):
    """What an HDF5 file declares.

    Attributes:
        arrays: number of data sets.
        values: numbers in all of them.
    """

    arrays: int
    values: int


def check_h5(file: "h5py.File") -> H5Content:
    """Checks all of an HDF5 file that holds weights, reading no values.

    Raises:
        ValueError: something in it is a link, lies in another file, is not made of numbers, or declares more
            than 20 times the size of the file.
    """
    import h5py

    seen: set[object] = set()
    arrays = values = size = 0
    waiting = [file]
    while waiting:
        group = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{group.name}/{name} is a link, which is not followed")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise ValueError(f"it has more than {MOST_OBJECTS} parts")
            if isinstance(item, h5py.Group):
                waiting.append(item)
                continue
            check_h5_array(item)
            arrays, values, size = arrays + 1, values + int(item.size or 0), size + int(item.nbytes)
    stored = file.id.get_filesize()
    if size > max(SMALL, WEIGHTS_RATIO * stored):
        raise ValueError(f"its arrays take {size / 1e9:.1f} GB, over {WEIGHTS_RATIO} times its size")
    return H5Content(arrays, values)


def check_h5_array(item: object) -> None:
    """Checks that an object of an HDF5 file is an array of numbers that lies in the file itself.

    Raises:
        ValueError: it is something else. A virtual or external data set shows the content of any other file.
    """
    import h5py

    name = getattr(item, "name", "?")
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"{name} is not an array")
    if item.external or item.is_virtual:
        raise ValueError(f"{name} lies in another file, which is not read")
    if item.dtype.kind not in "fiubV":
        raise ValueError(f"{name} holds {item.dtype}, not numbers")
