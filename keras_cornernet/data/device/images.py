"""The images of a data set in one array, as the accelerator keeps them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cornernet.data.batches import loader_threads
from keras_cornernet.data.device.levels import Levels
from keras_cornernet.preprocessing import opencv
from keras_cornernet.preprocessing.placing import halve

PAGE_BITS = 10
"""Pixels of a page as a power of two: a pixel is found by page and position, which 32 bits always hold."""

PAGE = 2**PAGE_BITS


@dataclass(frozen=True)
class PackedImages:
    """Images at several levels in pages of pixels.

    Attributes:
        pages: `(count, PAGE)` int32; a pixel is `red + 256 * green + 65536 * blue`, so that the accelerator
            fetches it at once. Each image starts a page at each of its levels.
        first_page: `(files, levels)` int32; -1 for levels that are not kept.
        levels: which they are.
    """

    pages: np.ndarray
    first_page: np.ndarray
    levels: Levels


def bytes_needed(levels: Levels) -> int:
    """The size of the array that `pack_images` makes."""
    size: int = _first_pages(levels)[1] * PAGE * 4
    return size


def pack_images(images: Any, levels: Levels) -> PackedImages:
    """Decodes all images in threads, halves them by exact 2x2 means, and packs the levels that are kept.

    Args:
        images: an `ImageStore`; its warnings tell which images cannot be used, and it leaves them out.
        levels: of `plan_levels`.
    """
    first_page, count = _first_pages(levels)
    pages = np.zeros((count, PAGE), np.int32)

    def pack(number: int) -> None:
        image = images.read(levels.items[number])
        if image is None:
            return
        for level in range(int(levels.last[number]) + 1):
            if level:
                image = halve(image)
            page = first_page[number, level]
            if page >= 0:
                _pack(image, pages[page:])

    with opencv.one_thread(), ThreadPoolExecutor(loader_threads()) as pool:
        for _ in pool.map(pack, range(len(levels.items))):  # raises what `pack` raised
            pass
    return PackedImages(pages, first_page, levels)


def _pack(image: np.ndarray, pages: np.ndarray) -> None:
    """Writes the pixels of an image to the start of an array of pages."""
    height, width, _ = image.shape
    pixels = pages.reshape(-1)[: height * width].view(np.uint8).reshape(height, width, 4)
    pixels[..., :3] = image  # on processors that store the lowest byte first, as all that are in use do


def _first_pages(levels: Levels) -> tuple[np.ndarray, int]:
    """The first page of each image at each level, and the number of pages."""
    depth = int(levels.last.max()) + 1
    kept: Sequence[Any] = [(levels.first <= i) & (i <= levels.last) for i in range(depth)]
    pages = np.stack([-(-levels.shape(i).prod(axis=1) // PAGE) * kept[i] for i in range(depth)], axis=1)
    ends = pages.cumsum().reshape(pages.shape)
    return np.where(pages > 0, ends - pages, -1).astype(np.int32), int(ends[-1, -1])
