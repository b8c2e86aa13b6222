"""Whole batches of training examples, made by several threads; needs no framework."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from keras_cornernet.checks import check_size
from keras_cornernet.data.order import EpochOrder
from keras_cornernet.preprocessing import Size, opencv
from keras_cornernet.structures import DatasetPart

# Threads that make examples where there are more processors; Python's lock keeps further ones waiting.
MAX_LOADERS = 16
ALIGNMENT = 64  # bytes; TensorFlow takes over arrays that start at a multiple without copying them


def loader_threads() -> int:
    """How many threads read images side by side."""
    return min(os.cpu_count() or 1, MAX_LOADERS)


class Epochs:
    """Numbers the passes over a dataset, so that order and augmentation are functions of the epoch.

    It counts by itself. `Trainer.fit` sets `current` at the start of each epoch, so that a resumed run gets
    the same images as an uninterrupted one, and `total`, so that augmentation can change towards the end.

    Attributes:
        current: the number of the next pass.
        total: passes of the whole run, or None if that is not known.
        clock: gives the fraction of a run that is over by time, in place of `total`.
    """

    def __init__(self) -> None:
        self.current = 0
        self.total: int | None = None
        self.clock: Callable[[], float] | None = None

    def next(self) -> int:
        """The number of the pass that begins now."""
        self.current += 1
        return self.current - 1

    def progress(self, epoch: int, fraction: float) -> float:
        """The fraction of the run that is over, 0 if its length is not known.

        Args:
            epoch: the number of a pass.
            fraction: of this pass that is over.
        """
        if self.clock is not None:
            return self.clock()
        return min(1.0, (epoch + fraction) / self.total) if self.total else 0.0


class Batches:
    """The batches of an epoch; each is a function of seed, epoch and its number alone.

    Args:
        loader: has `load`, `annotations`, `seed`, see `Loader`.
        count: of examples.
        batch_size: examples per batch.
        input_sizes: each batch has one of these `(height, width)`, drawn at random.
        parts: the sets that they were joined from, see `EpochOrder`.
        shuffle: a new order each epoch, without the last incomplete batch.
        seed: of order and sizes.
        threads: that make examples; None takes one for each processor.

    Attributes:
        order: the `EpochOrder`, which gives the indices of an epoch.
    """

    def __init__(
        self,
        loader: Any,
        count: int,
        batch_size: int,
        input_sizes: Sequence[Size],
        *,
        parts: Sequence[DatasetPart] = (),
        shuffle: bool = False,
        seed: int = 0,
        threads: int | None = None,
    ):
        self.loader = loader
        self.input_sizes = tuple(input_sizes)
        self.shuffle = shuffle
        self.seed = seed
        self.order = EpochOrder(count, parts, shuffle=shuffle, seed=seed)
        self.batch_size = min(batch_size, len(self.order))
        self.epochs = Epochs()
        self._threads = threads or loader_threads()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="examples")

    def __len__(self) -> int:
        whole, rest = divmod(len(self.order), self.batch_size)
        return whole + (rest > 0 and not self.shuffle)

    def input_size(self, epoch: int, number: int) -> Size:
        """The `(height, width)` of a batch."""
        if len(self.input_sizes) == 1:
            return self.input_sizes[0]
        rng = np.random.default_rng([self.seed, epoch, number, len(self.input_sizes)])
        return self.input_sizes[rng.integers(len(self.input_sizes))]

    def load(self, epoch: int, number: int, indices: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Makes one batch.

        Args:
            epoch: the number of the pass over the data.
            number: of the batch in it.
            indices: of its examples, those of `order(epoch)` from `number * batch_size` on.

        Returns:
            The images, `(batch, height, width, 3)` float32 RGB, and then what `loader.annotations` lists.
        """
        size = self.input_size(epoch, number)
        progress = self.epochs.progress(epoch, number / len(self))
        shapes = [((*size, 3), np.float32), *self.loader.annotations.values()]
        parts = [_aligned((len(indices), *shape), dtype) for shape, dtype in shapes]

        def fill(first: int) -> None:
            for i in range(first, len(indices), self._threads):
                _, *annotations = self.loader.load(
                    epoch, int(indices[i]), progress=progress, input_size=size, out=parts[0][i]
                )
                for part, values in zip(parts[1:], annotations, strict=True):
                    part[i] = values

        with opencv.one_thread():
            for _ in self._pool.map(fill, range(self._threads)):  # raises what `fill` raised
                pass
        return tuple(parts)


def sizes_of(input_size: Size | Sequence[Size]) -> tuple[Size, ...]:
    """One `(height, width)` or several, as a tuple of them.

    Raises:
        ValueError: it is neither.
    """
    several = isinstance(input_size, Sequence) and input_size and isinstance(input_size[0], Sequence)
    sizes: Sequence[Any] = input_size if several else [input_size]
    for size in sizes:
        check_size("input_size", size)
    return tuple((int(height), int(width)) for height, width in sizes)


def _aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array with undefined values whose data start at a multiple of `ALIGNMENT`."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.empty(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    found: np.ndarray = buffer[start : start + size].view(dtype).reshape(shape)
    return found
