"""Zip files of data, unpacked once."""

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

from keras_cornernet import files

LARGEST_RATIO = 200  # unpacked bytes for each packed one; json packs about twentyfold
SMALL = 2**26  # bytes that are unpacked whatever the ratio


def cache_folder(path: Path, purpose: str) -> Path:
    """The folder for what is made of a file: it changes with the file, and is the same for the same file."""
    status = path.stat()
    identity = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{purpose}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:16]
    given = os.environ.get("KERAS_CORNERNET_CACHE")
    # Not the system's temporary folder, where others could put files in the place of these.
    base = Path(given) if given else Path.home() / ".cache" / "keras_cornernet"
    return base / f"{path.stem}-{name}"


def unpacked(archive: str | Path) -> Path:
    """The folder with the content of a zip file, in the cache (`KERAS_CORNERNET_CACHE`, else
    `~/.cache/keras_cornernet`).

    Links are not made, and names that lead out of the folder are refused.

    Raises:
        ValueError: the file is no zip file, is damaged, encrypted, or unpacks to more than 200 times its
            size or than the disk holds.
        OSError: there is no such file.
    """
    path = Path(archive)
    files.check_is_file(path)
    target = cache_folder(path, "unpacked")
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with zipfile.ZipFile(path) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check_size(path, members, aside)
            for member in members:
                if stat.S_ISLNK(member.external_attr >> 16):
                    continue
                place = files.inside(aside, member.filename)
                place.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, place.open("wb") as file:
                    shutil.copyfileobj(source, file, 2**20)
        try:
            aside.rename(target)
        except OSError:  # another process was faster
            if not target.is_dir():
                raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path}: not a zip file, or damaged: {error}") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in an unknown way
        raise ValueError(f"{path}: cannot be unpacked: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _check_size(path: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    total = sum(member.file_size for member in members)
    if total > max(SMALL, LARGEST_RATIO * path.stat().st_size):
        raise ValueError(
            f"it unpacks to {total / 1e9:.1f} GB, over {LARGEST_RATIO} times its size, and is not trusted"
        )
    if total > shutil.disk_usage(folder).free:
        raise ValueError(f"it unpacks to {total / 1e9:.1f} GB, more than the disk of {folder.parent} holds")
