"""Which examples an epoch shows, and in which order."""

from collections.abc import Sequence

import numpy as np

from keras_cornernet.structures import DatasetPart


class EpochOrder:
    """The order of the examples of each epoch, a function of the seed and the epoch's number.

    Args:
        count: examples of the data set.
        parts: the sets that it was joined from, if any. Of one with a weight below 1, each epoch shows that
            fraction, drawn anew; without `shuffle` all of it.
        shuffle: a new order each epoch.
        seed: of all draws.
    """

    def __init__(
        self, count: int, parts: Sequence[DatasetPart] = (), *, shuffle: bool = False, seed: int = 0
    ):
        self.parts = tuple(parts) or (DatasetPart("", count),)
        self.shuffle = shuffle
        self.seed = seed

    def __len__(self) -> int:
        return sum(self._shown(part) for part in self.parts)

    def __call__(self, epoch: int) -> np.ndarray:
        """The indices of the examples of an epoch, `(len(self),)` int64."""
        found, start = [], 0
        for number, part in enumerate(self.parts):
            indices, count = np.arange(start, start + part.count), self._shown(part)
            if count < part.count:
                indices = np.random.default_rng([self.seed, epoch, number]).permutation(indices)[:count]
            found.append(indices)
            start += part.count
        order = np.concatenate(found)
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(order)
        return order

    def _shown(self, part: DatasetPart) -> int:
        return max(1, round(part.weight * part.count)) if self.shuffle and part.count else part.count
