"""The images that a detector or an estimator is given: listed, and read one by one."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_cornernet.files import IMAGE_SUFFIXES
from keras_cornernet.preprocessing import read_image, to_rgb

OnError = Callable[[str, OSError], None]


def list_images(source) -> Sequence:
    """The single images of a source: arrays as they are, folders as the sorted paths of their images.

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


def path_of(item) -> str | None:
    """Where one of the listed images is read from; None for an array."""
    return str(item) if isinstance(item, str | Path) else None


def read_or_report(item, on_error: OnError | None) -> np.ndarray | None:
    """Reads one of the listed images.

    Args:
        item: an array or a path.
        on_error: called with path and error if the image cannot be read; None raises.

    Returns:
        `(height, width, 3)` uint8 RGB, or None after an error.

    Raises:
        OSError: the image cannot be read and there is no `on_error`.
        ValueError: an array has another shape or type.
    """
    path = path_of(item)
    if path is None:
        return to_rgb(item)
    try:
        return read_image(path)
    except OSError as error:
        if on_error is None:
            raise
        on_error(path, error)
        return None
