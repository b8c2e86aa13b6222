"""Reads the images of a data set during training; one that cannot be used is replaced by the next."""

import logging
from collections.abc import Sequence

import numpy as np

from keras_cornernet.preprocessing import ImageReader, Size, read_image_size
from keras_cornernet.structures import OnProblem, Problem, image_problem, size_problem

log = logging.getLogger(__name__)


class ImageStore:
    """Reads the images of a data set by their index.

    Args:
        paths: one file for each index; a file may occur more than once.
        sizes: `(height, width)` of each image as its annotations state it, or None.
        cache_bytes: decoded images are kept in memory up to this size.
        on_problem: called once for each image that cannot be used, beside a warning in the log; it may be
            called from several threads.
    """

    def __init__(
        self,
        paths: Sequence[str],
        sizes: Sequence[Size | None],
        cache_bytes: int,
        on_problem: OnProblem | None = None,
    ):
        self.paths = list(paths)
        self.sizes = list(sizes)
        self.on_problem = on_problem
        self._reader = ImageReader()
        self._cache: dict[str, np.ndarray] = {}
        self._cache_left = cache_bytes
        self._read_sizes: dict[str, Size] = {}
        self._problems: dict[tuple[str, Size | None], Problem] = {}

    def __len__(self) -> int:
        return len(self.paths)

    def first_usable(self, index: int) -> tuple[int, np.ndarray]:
        """Reads the first image from `index` on that can be used; after the last one follows the first.

        Returns:
            Its index and the image, `(height, width, 3)` uint8 RGB.

        Raises:
            OSError: no image of the data set can be used.
        """
        while True:
            candidate = self.usable(index)
            image = self.read(candidate)
            if image is not None:
                return candidate, image

    def usable(self, index: int) -> int:
        """The first index from `index` on whose image has no known problem, without reading its pixels.

        Raises:
            OSError: no image of the data set can be used.
        """
        if not self._problems:
            return index
        for step in range(len(self.paths)):
            candidate = (index + step) % len(self.paths)
            if (self.paths[candidate], self.sizes[candidate]) not in self._problems:
                return candidate
        first = next(iter(self._problems.values()))
        raise OSError(f"none of the {len(self.paths)} images of the data set can be used; the first: {first}")

    def usable_size(self, index: int) -> tuple[int, Size]:
        """Does as `usable`, and returns the image's `(height, width)`, too: as stated, else from its file."""
        while True:
            candidate = self.usable(index)
            size = self.sizes[candidate] or self._size_in_file(candidate)
            if size is not None:
                return candidate, size

    def read(self, index: int) -> np.ndarray | None:
        """The image, `(height, width, 3)` uint8 RGB, or None after its problem has been reported."""
        path, size = self.paths[index], self.sizes[index]
        if (path, size) in self._problems:
            return None
        try:
            image = self._cached(path)
        except OSError as error:
            self._report(index, image_problem(path, error))
            return None
        height, width, _ = image.shape
        problem = size_problem(path, size, (height, width))
        if problem is not None:
            self._report(index, problem)
            return None
        return image

    def _size_in_file(self, index: int) -> Size | None:
        """The size of an image whose annotations state none, or None after its problem has been reported."""
        path = self.paths[index]
        if path not in self._read_sizes:
            try:
                self._read_sizes[path] = read_image_size(path)
            except OSError as error:
                self._report(index, image_problem(path, error))
                return None
        return self._read_sizes[path]

    def _report(self, index: int, problem: Problem) -> None:
        path, size = self.paths[index], self.sizes[index]
        # Another thread may have found and reported the same.
        if self._problems.setdefault((path, size), problem) is problem:
            log.warning("%s; another image takes its place", problem)
            if self.on_problem is not None:
                self.on_problem(problem)

    def _cached(self, path: str) -> np.ndarray:
        image = self._cache.get(path)
        if image is None:
            image = self._reader.read(path)
            if image.nbytes <= self._cache_left:
                self._cache_left -= image.nbytes
                self._cache[path] = image
        return image
