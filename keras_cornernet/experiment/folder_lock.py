"""One training run in a folder at a time."""

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"  # in the folder, while a run uses it
_held: dict[str, int] = {}  # folders that this process holds, and the thread that does


@contextmanager
def only_run(folder: str | Path) -> Iterator[None]:
    """Keeps a folder for this thread as long as the block runs; within it, the thread may ask again.

    The folder is made if it is missing, and removed again if nothing was written to it. The system drops the
    lock when the process ends, however it ends. Where a file system has no locks, none is taken.

    Raises:
        ValueError: another run uses the folder.
    """
    folder = Path(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    key, thread = os.path.realpath(folder), threading.get_ident()
    if _held.get(key) == thread:
        yield
        return
    if key in _held:
        raise ValueError(_in_use(folder))
    descriptor = _open_locked(folder)
    _held[key] = thread
    try:
        yield
    finally:
        del _held[key]
        if os.name != "nt":  # the name goes first, so that nobody locks a file that is about to go
            (folder / LOCK).unlink(missing_ok=True)
        os.close(descriptor)
        if os.name == "nt":
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink(missing_ok=True)
        for path in made:
            with contextlib.suppress(OSError):  # it is not empty
                path.rmdir()


def _open_locked(folder: Path) -> int:
    """A descriptor of the lock's file, locked."""
    while True:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor)
            if _is_in_place(descriptor, folder / LOCK):
                return descriptor
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
                os.close(descriptor)
                raise ValueError(_in_use(folder)) from None
            if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
                return descriptor
            os.close(descriptor)
            raise
        os.close(descriptor)  # of a run that ended between the two


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_in_place(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _in_use(folder: Path) -> str:
    return f"{folder} is in use by another run: wait for its end, or use another --output"
