"""OpenCV where it is installed: it lets go of Python's lock, so that threads read images side by side."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

cv2: Any
try:
    import cv2
except ImportError:
    cv2 = None

LONGEST_SIDE = 32766
"""Of an image that OpenCV resamples."""

_lock = threading.Lock()
_users, _threads = 0, 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block each call of OpenCV runs on the thread that calls; the old setting comes back then.

    For callers with threads of their own. The setting belongs to the whole process, so the last block to end
    restores it.
    """
    global _users, _threads
    if cv2 is None:
        yield
        return
    with _lock:
        if not _users:
            _threads = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                cv2.setNumThreads(_threads)
