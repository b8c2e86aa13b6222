"""Requests to stop (Ctrl-C, SIGTERM): remembered, so that none is lost, and not obeyed within a step.

Python may run the handler of a signal where an exception is printed and dropped, such as in a callback of the
garbage collector. So the request is kept too, and `raise_if_asked` obeys it at the next safe place.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_request: int | None = None
_steps = 0  # that run now and must not be interrupted


class Stopped(SystemExit):
    """Somebody asked the process to end.

    Args:
        exit_code: 128 and the signal's number, as a shell has it.
    """

    def __init__(self, exit_code: int):
        super().__init__(exit_code)
        self.exit_code = exit_code


def listen() -> None:
    """Makes requests to stop raise `Stopped`; to be called once, by the main thread."""
    for number in SIGNALS:
        signal.signal(number, _on_signal)


def exit_code() -> int | None:
    """The exit code that was asked for, or None."""
    return None if _request is None else 128 + _request


def raise_if_asked() -> None:
    """Raises `Stopped` in the main thread if somebody asked the process to end and no step runs."""
    code = exit_code()
    if code is not None and not _steps and threading.current_thread() is threading.main_thread():
        raise Stopped(code)


@contextmanager
def whole_step() -> Iterator[None]:
    """The block runs to its end, and a request to stop is obeyed after it."""
    global _steps
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _steps += 1
    try:
        yield
    finally:
        _steps -= 1
    raise_if_asked()


def _on_signal(number: int, frame: FrameType | None) -> None:
    global _request
    _request = _request or number
    raise_if_asked()
