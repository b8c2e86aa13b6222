"""Reading of a data set's images: each once, a broken one replaced by the next."""

import logging
from collections.abc import Sequence

import numpy as np

from keras_cornernet.preprocessing import read_image

log = logging.getLogger(__name__)


class ImageStore:
    """Reads images by their place in a list of files.

    Args:
        paths: one file for each place; files may stand twice.
        cache_bytes: decoded images are kept in memory up to this size.
    """

    def __init__(self, paths: Sequence[str], cache_bytes: int):
        self.paths = list(paths)
        self._cache: dict[str, np.ndarray] = {}
        self._cache_left = cache_bytes
        self._reported: set[str] = set()

    def readable(self, place: int) -> tuple[int, np.ndarray]:
        """The first place, from `place` on, whose image can be read, and its image.

        A broken image is reported once.

        Raises:
            OSError: none can.
        """
        for step in range(len(self.paths)):
            candidate = (place + step) % len(self.paths)
            path = self.paths[candidate]
            try:
                return candidate, self._read(path)
            except OSError as error:
                if path not in self._reported:
                    self._reported.add(path)
                    log.warning("%s; another image takes its place", error)
        raise OSError(f"none of the {len(self.paths)} images of the data set can be read")

    def _read(self, path: str) -> np.ndarray:
        image = self._cache.get(path)
        if image is None:
            image = read_image(path)
            if image.nbytes <= self._cache_left:
                self._cache_left -= image.nbytes
                self._cache[path] = image
        return image
