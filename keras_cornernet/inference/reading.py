"""The images that a model is given: listed, read and grouped into batches."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.files import IMAGE_SUFFIXES
from keras_cornernet.inference.timing import Stopwatch
from keras_cornernet.preprocessing import Size, read_image, to_rgb

OnError = Callable[[str, OSError], None]


def list_images(source: Any) -> Sequence[Any]:
    """The single images of a source: arrays as they are, folders as the sorted paths of their images.

    Args:
        source: an array of one image or of a batch, a path of an image or of a folder, or a list of those.

    Raises:
        OSError: a folder holds no image, or a path does not exist.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
            if not found:
                raise FileNotFoundError(f"{path}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)})")
            return found
        return [path]
    if isinstance(source, np.ndarray):
        return list(source) if source.ndim == 4 else [source]
    if isinstance(source, Sequence):
        return [image for item in source for image in list_images(item)]
    array = np.asarray(source)
    return list(array) if array.ndim == 4 else [array]


class ReadImage(NamedTuple):
    """An image that was read.

    Attributes:
        image: `(height, width, 3)` uint8 RGB.
        path: where it was read from; None for an array.
        milliseconds: the time that reading took; 0 for an array.
    """

    image: np.ndarray
    path: str | None
    milliseconds: float

    @property
    def size(self) -> Size:
        """`(height, width)`."""
        height, width, _ = self.image.shape
        return height, width


def read_or_report(item: Any, on_error: OnError | None) -> ReadImage | None:
    """Reads one of the listed images.

    Args:
        item: an array or a path.
        on_error: called with path and error if the image cannot be read; None raises the error.

    Returns:
        The image, or None after an error.

    Raises:
        OSError: the image cannot be read and there is no `on_error`.
        ValueError: an array has another shape or type.
    """
    if not isinstance(item, str | Path):
        return ReadImage(to_rgb(item), None, 0.0)
    try:
        with Stopwatch() as reading:
            image = read_image(item)
    except OSError as error:
        if on_error is None:
            raise
        on_error(str(item), error)
        return None
    return ReadImage(image, str(item), reading.milliseconds)


def read_batches(
    source: Any, batch_size: int, key: Callable[[Size], object], on_error: OnError | None = None
) -> Iterator[list[ReadImage]]:
    """Reads images and groups those that follow each other and can share a batch.

    Args:
        source: see `list_images`.
        batch_size: images in a group at most.
        key: of the size of an image; images of equal keys can share a batch.
        on_error: see `read_or_report`.
    """
    group: list[ReadImage] = []
    for item in list_images(source):
        image = read_or_report(item, on_error)
        if image is None:
            continue
        if group and (len(group) == batch_size or key(group[0].size) != key(image.size)):
            yield group
            group = []
        group.append(image)
    if group:
        yield group


def check_options(min_score: float, batch_size: int) -> None:
    """Raises `ValueError` for options of `predict` that are out of range."""
    if not 0 <= min_score <= 1:
        raise ValueError(f"min_score must be in 0..1, not {min_score}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
