"""Runs that end by time."""

import time
from collections.abc import Callable
from typing import Any

import keras


class TimeLimit(keras.callbacks.Callback):
    """Ends `fit` by time, and makes the learning rate a function of the fraction of the time that is gone.

    The optimizer must have been made with a number as its learning rate.

    Args:
        seconds: from `started` on, after which the last step has been taken.
        rate: the learning rate for each fraction of the run that is over.
        started: of `time.monotonic()`, when the run began; None: now.
        before: seconds of an earlier part of the run, which is resumed.

    Attributes:
        reserve: seconds at the end that are kept for what follows training, such as a measurement.
        over: whether the time is up.
    """

    def __init__(
        self,
        seconds: float,
        rate: Callable[[float], float],
        *,
        started: float | None = None,
        before: float = 0.0,
    ):
        super().__init__()
        self.seconds = seconds
        self.rate = rate
        self.reserve = 0.0
        self.over = False
        self._started = (time.monotonic() if started is None else started) - before
        self._before = before
        self._lost: float | None = None  # before the first step has been taken, and compiling since
        self._fraction = before / seconds
        self._batch_began = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds of the run, earlier parts included."""
        return time.monotonic() - self._started

    @property
    def fraction(self) -> float:
        """The fraction of the run that is over; it never falls. Compiling does not count."""
        if self._lost is not None:
            left = self.seconds - self._lost - self.reserve
            gone = self.elapsed - self._lost
            self._fraction = max(self._fraction, min(1.0, gone / left) if left > 0 else 1.0)
        return self._fraction

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batch_began = time.monotonic()
        self.model.set_learning_rate(self.rate(self.fraction))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._lost is None:
            self._lost = self.elapsed - self._before
        elif getattr(self.model, "just_compiled", False):
            self._lost += time.monotonic() - self._batch_began
        if self.fraction >= 1 or self.elapsed >= self.seconds - self.reserve:
            self.over = self.model.stop_training = True
