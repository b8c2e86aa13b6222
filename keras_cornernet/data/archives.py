"""Zip files of data, unpacked once."""

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from keras_cornernet import bounds, files


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
        ValueError: the file cannot be unpacked, see `bounds.open_zip`, or unpacks to more than the disk
            holds.
        OSError: there is no such file, or a name in it is too long.
    """
    path = Path(archive)
    files.check_is_file(path)
    target = cache_folder(path, "unpacked")
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with bounds.open_zip(path) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check_room(sum(member.file_size for member in members), aside)
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
    except OSError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise OSError(error.errno or 0, f"{path}: cannot be unpacked: {reason}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _check_room(total: int, folder: Path) -> None:
    if total > shutil.disk_usage(folder).free:
        raise ValueError(f"it unpacks to {total / 1e9:.1f} GB, more than the disk of {folder.parent} holds")
