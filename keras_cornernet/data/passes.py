"""Batches for `fit` without TensorFlow: made ahead in a thread, one pass after the other."""

import queue
import threading
from collections.abc import Callable
from typing import Any

import keras

from keras_cornernet.data.batches import Batches

AHEAD = 2  # items that are ready before they are asked for


class PassDataset(keras.utils.PyDataset):
    """What `fit` reads item by item; subclasses make an item of the epoch's number and its own.

    While one item trains, a thread makes the next ones, those of the next pass too. Each is a function of
    its numbers, so that it does not matter when that is.

    Attributes:
        epochs: numbers the passes, see `Epochs`.
        names: the classes or joints.
    """

    def __init__(self, made: Batches, names: tuple[str, ...]):
        super().__init__()
        self.made = made
        self.epochs = made.epochs
        self.names = names
        self._ahead: _Ahead | None = None
        self._epoch = 0

    def make(self, epoch: int, number: int) -> Any:
        """Makes one item."""
        raise NotImplementedError

    def cardinality(self) -> int:
        """The optimizer's steps in an epoch."""
        raise NotImplementedError

    def __getitem__(self, number: int) -> Any:
        if number == 0:
            self._epoch = self.epochs.next()
            if self._ahead is None or self._ahead.next != (self._epoch, 0):
                self.stop()
                self._ahead = _Ahead(self.make, len(self), self._epoch, self.epochs)
        if self._ahead is None or self._ahead.next != (self._epoch, number):
            return self.make(self._epoch, number)
        return self._ahead.take()

    def stop(self) -> None:
        """Ends the thread; a further pass starts another one."""
        if self._ahead is not None:
            self._ahead.stop()
            self._ahead = None

    def __del__(self) -> None:
        if getattr(self, "_ahead", None) is not None:
            self.stop()


class HostBatches(PassDataset):
    """`(images, annotations)` made on the host, as `make_dataset` describes them."""

    def make(self, epoch: int, number: int) -> tuple[Any, dict[str, Any]]:
        """Makes one batch."""
        size = self.made.batch_size
        indices = self.made.order(epoch)[number * size : (number + 1) * size]
        images, *annotations = self.made.load(epoch, number, indices.tolist())
        return images, dict(zip(self.made.loader.annotations, annotations, strict=True))

    def cardinality(self) -> int:
        """Batches in an epoch."""
        return len(self)

    def __len__(self) -> int:
        return len(self.made)


class _Ahead:
    """Makes the items of passes in a thread.

    Args:
        make: makes an item of the epoch's number and its own.
        count: items in a pass.
        epoch: the first pass.
        epochs: no pass is made beyond its `total`.

    Attributes:
        next: epoch and number of the item that `take` returns next.
    """

    def __init__(self, make: Callable[[int, int], Any], count: int, epoch: int, epochs: Any):
        self.next = (epoch, 0)
        self._count = count
        self._items: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(AHEAD)
        self._stopped = threading.Event()
        # The thread must not keep the dataset alive, whose end stops it.
        owner, function = make.__self__, make.__func__  # type: ignore[attr-defined]
        arguments = (_weak(owner), function, count, epoch, epochs, self._items, self._stopped)
        self._thread = threading.Thread(target=_fill, args=arguments, daemon=True, name="ahead")
        self._thread.start()

    def take(self) -> Any:
        """The next item; raises what its making raised."""
        item, error = self._items.get()
        epoch, number = self.next
        self.next = (epoch, number + 1) if number + 1 < self._count else (epoch + 1, 0)
        if error is not None:
            raise error
        return item

    def stop(self) -> None:
        """Ends the thread after the item that it is making."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _weak(owner: Any) -> Callable[[], Any]:
    import weakref

    return weakref.ref(owner)


def _fill(
    owner: Callable[[], Any],
    make: Callable[[Any, int, int], Any],
    count: int,
    epoch: int,
    epochs: Any,
    items: "queue.Queue[tuple[Any, BaseException | None]]",
    stopped: threading.Event,
) -> None:
    """Puts the items of one pass after the other into a queue, until it is stopped or one fails."""
    while epochs.total is None or epoch < epochs.total:
        for number in range(count):
            dataset = owner()
            if dataset is None or stopped.is_set():
                return
            error = None
            try:
                item = make(dataset, epoch, number)
            except BaseException as raised:
                item, error = None, raised
            del dataset
            while not stopped.is_set():
                try:
                    items.put((item, error), timeout=0.2)
                    break
                except queue.Full:
                    if owner() is None:
                        return
            if error is not None:
                return
        epoch += 1
