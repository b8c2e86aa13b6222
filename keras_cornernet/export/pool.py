"""Workers for calls from several threads: each serves one call at a time, with buffers of its own."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Worker = TypeVar("Worker")


class Pool(Generic[Worker]):
    """Lends each call a worker that no other call has.

    The worker that came back last is lent first, so that calls from one thread meet one worker with warm
    caches. Others are made when calls come while all are lent, until there are `size`; then calls wait.

    Args:
        make: makes a worker. It is called once here, so that its errors show at once.
        size: the largest number of workers.
    """

    def __init__(self, make: Callable[[], Worker], size: int):
        self._make = make
        self._free = [make()]
        self._to_be_made = size - 1
        self._changed = threading.Condition()

    @contextmanager
    def lent(self) -> Iterator[Worker]:
        """A worker for the time of the context, whatever ends it."""
        worker = self._take()
        try:
            yield worker
        finally:
            with self._changed:
                self._free.append(worker)
                self._changed.notify()

    def _take(self) -> Worker:
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._to_be_made)
            if self._free:
                return self._free.pop()
            self._to_be_made -= 1
        try:
            return self._make()
        except BaseException:
            with self._changed:
                self._to_be_made += 1
                self._changed.notify()
            raise


def workers_for(threads: int | None) -> int:
    """How many workers keep all processor cores busy, if each uses so many threads; at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, cores // (threads or 1))
