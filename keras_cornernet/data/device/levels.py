"""Which halvings of each image training can need."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cornernet.data.batches import Batches
from keras_cornernet.preprocessing import Size

SAMPLES = 1000  # draws, for the scales that an augmentation shows
MARGIN = 1.1  # on the smallest and largest of them


@dataclass(frozen=True)
class Levels:
    """The images of a data set, and how often each is halved at least and at most.

    Attributes:
        items: one index of the data set for each file.
        file_of: `(count,)` int32, the file of each index.
        sizes: `(files, 2)` int64, height and width.
        first, last: `(files,)` int64, the smallest and largest number of halvings that is kept.
    """

    items: list[int]
    file_of: np.ndarray
    sizes: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def shape(self, level: int) -> np.ndarray:
        """`(files, 2)` int64: height and width after `level` halvings."""
        shape: np.ndarray = -(-self.sizes // 2**level)
        return shape

    @property
    def pixels(self) -> int:
        """Pixels of all levels that are kept."""
        total = 0
        for level in range(int(self.last.max()) + 1):
            kept = (self.first <= level) & (level <= self.last)
            total += int(self.shape(level)[kept].prod(axis=1).sum())
        return total


def plan_levels(made: Batches) -> Levels:
    """Finds which levels of each image are kept.

    The rule: an image is shown after `floor(log2(1 / scale))` halvings, as on the host. The smallest and the
    largest scale follow from draws of the augmentation, taken relative to the scale at which an image fits
    into the input (for people, their square). So an image is never kept larger than the largest zoom needs.

    Raises:
        OSError: no image can be used.
    """
    loader = made.loader
    files: dict[str, int] = {}
    items: list[int] = []
    file_of = np.zeros(len(loader.images), np.int32)
    for index, path in enumerate(loader.images.paths):
        if path not in files:
            files[path] = len(items)
            items.append(index)
        file_of[index] = files[path]
    sizes = np.array([_size(loader.images, index) for index in items], np.int64)
    low, high = _scales(made)
    fits = np.array([[_fit(loader, i, size) for i in range(len(file_of))] for size in made.input_sizes])
    first, last = np.full(len(items), 63), np.zeros(len(items), np.int64)
    np.minimum.at(first, file_of, _halvings(fits.max(axis=0) * high * MARGIN))
    np.maximum.at(last, file_of, _halvings(fits.min(axis=0) * low / MARGIN))
    return Levels(items, file_of, sizes, first, last)


def _size(images: Any, index: int) -> Size:
    """The size of an image, or nothing of it where it cannot be used."""
    found, size = images.usable_size(index)
    return size if found == index else (1, 1)


def _fit(loader: Any, index: int, input_size: Size) -> float:
    """The scale at which an image fits into the input, or a person's square does."""
    rows, columns = input_size
    people = getattr(loader, "people", None)
    if people is not None:
        return float(min(rows, columns) / max(people[index].side, 1.0))
    index, (height, width) = loader.images.usable_size(index)
    return min(float(rows / height), float(columns / width))


def _scales(made: Batches) -> tuple[float, float]:
    """The smallest and the largest scale of an augmentation, relative to that of `_fit`."""
    rng = np.random.default_rng(made.seed)
    found = []
    count = len(made.loader.images)
    for number in range(SAMPLES):
        size = made.input_sizes[number % len(made.input_sizes)]
        draw = made.loader.draw(number, int(rng.integers(count)), progress=number % 2, input_size=size)
        for index, view in zip(draw.indices, draw.views, strict=True):
            (a, b, _), (c, d, _) = view.input_from_image.tolist()
            found.append(abs(a * d - b * c) ** 0.5 / _fit(made.loader, index, size))
    return min(found), max(found)


def _halvings(scale: np.ndarray) -> np.ndarray:
    """See `preprocessing.placing.halvings`."""
    found: np.ndarray = np.maximum(0, np.floor(-np.log2(np.maximum(scale, 1e-9)) + 1e-9)).astype(np.int64)
    return found
