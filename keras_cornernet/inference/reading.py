"""The images that a model is given: listed, read and grouped into batches."""

import glob
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_cornernet import files
from keras_cornernet.checks import check_choice
from keras_cornernet.files import IMAGE_SUFFIXES
from keras_cornernet.inference.downloads import download, is_address
from keras_cornernet.inference.timing import Stopwatch
from keras_cornernet.preprocessing import Size, pil_to_rgb, read_image, to_rgb

OnError = Callable[[str, OSError], None]
CHANNEL_ORDERS = ("rgb", "bgr")


def list_images(source: Any, *, recursive: bool = False) -> list[Any]:
    """All single images of a source, see `images_of`."""
    return list(images_of(source, recursive=recursive))


def images_of(source: Any, *, recursive: bool = False) -> Iterator[Any]:
    """The single images of a source, one after the other.

    Args:
        source: one of

            - a path of an image; of a folder, which stands for its images by name; of a text file that lists
              images, one a line, relative to it; or a pattern such as `photos/*.jpg` (`**` for all folders);
            - an address (`https://..`), the bytes of an image file, or an open binary file;
            - a PIL image, or an array or tensor of one image or of a batch, see `to_rgb`;
            - a list, a generator or a `tf.data.Dataset` of those; of tuples the first entry counts.
        recursive: of a folder, those in the folders in it too.

    Raises:
        OSError: a folder or pattern has no image.
    """
    if isinstance(source, str | Path):
        yield from _of_name(source, recursive)
    elif isinstance(source, bytes | bytearray | memoryview | Image.Image) or hasattr(source, "read"):
        yield source
    elif hasattr(source, "shape"):
        array = np.asarray(source)
        yield from array if array.ndim == 4 else [array]
    elif isinstance(source, tuple) and source and not isinstance(source[0], str | Path | tuple | list):
        yield from images_of(list(source), recursive=recursive)
    elif isinstance(source, Iterable):
        is_dataset = hasattr(source, "element_spec")
        for item in source:
            first = item[0] if is_dataset and isinstance(item, tuple) else item
            yield from images_of(first, recursive=recursive)
    else:
        raise ValueError(f"source: expected paths, arrays, images or a list of those, got {source!r}")


def _of_name(source: str | Path, recursive: bool) -> Iterator[str | Path]:
    """The images that a text stands for."""
    path = Path(source)
    if is_address(source):
        yield str(source)
    elif path.is_dir():
        inside = path.rglob("*") if recursive else path.iterdir()
        found = sorted(p for p in inside if p.suffix.lower() in IMAGE_SUFFIXES)
        if not found:
            raise FileNotFoundError(f"{path}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)})")
        yield from found
    elif path.suffix.lower() == ".txt" and path.is_file():
        for line in files.decoded(path).splitlines():
            if line.strip():
                yield line.strip() if is_address(line.strip()) else path.parent / line.strip()
    elif glob.has_magic(str(source)) and not path.exists():
        matches = sorted(glob.glob(str(source), recursive=True))
        found = [match for name in matches if (match := Path(name)).suffix.lower() in IMAGE_SUFFIXES]
        if not found:
            raise FileNotFoundError(f"{source}: no image has such a name")
        yield from found
    else:
        yield path


class ReadImage(NamedTuple):
    """An image that was read.

    Attributes:
        image: `(height, width, 3)` uint8 RGB.
        path: where it was read from; None for what has no name.
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


def read_or_report(item: Any, on_error: OnError | None, channel_order: str = "rgb") -> ReadImage | None:
    """Reads one of the listed images.

    Args:
        item: what `images_of` gives.
        on_error: called with path and error if the image cannot be read; None raises the error.
        channel_order: `"rgb"`, or `"bgr"` as OpenCV has it; of arrays and tensors alone, since files say it
            themselves.

    Returns:
        The image, or None after an error.

    Raises:
        OSError: the image cannot be read and there is no `on_error`.
        ValueError: an array has another shape or type, or `channel_order` is another text.
    """
    check_choice("channel_order", channel_order, CHANNEL_ORDERS)
    if hasattr(item, "shape"):
        image = to_rgb(item)
        return ReadImage(image if channel_order == "rgb" else image[..., ::-1].copy(), None, 0.0)
    name = str(item) if isinstance(item, str | Path) else getattr(item, "name", None)
    try:
        with Stopwatch() as reading:
            image = _read(item)
    except OSError as error:
        if on_error is None:
            raise
        on_error(str(name or type(item).__name__), error)
        return None
    return ReadImage(image, name if isinstance(name, str) else None, reading.milliseconds)


def _read(item: Any) -> np.ndarray:
    if isinstance(item, Image.Image):
        return pil_to_rgb(item)
    if isinstance(item, bytes | bytearray | memoryview):
        return read_image(io.BytesIO(item))
    if is_address(item):
        try:
            return read_image(io.BytesIO(download(item)))
        except OSError as error:
            reason = str(error).removeprefix(f"{item}: ")
            raise OSError(f"{item}: {reason}") from None
    return read_image(item)


def read_batches(
    source: Any,
    batch_size: int,
    key: Callable[[Size], object],
    on_error: OnError | None = None,
    channel_order: str = "rgb",
) -> Iterator[list[ReadImage]]:
    """Reads images and groups those that follow each other and can share a batch.

    Args:
        source: see `images_of`.
        batch_size: images in a group at most.
        key: of the size of an image; images of equal keys can share a batch.
        on_error, channel_order: see `read_or_report`.
    """
    group: list[ReadImage] = []
    for item in images_of(source):
        image = read_or_report(item, on_error, channel_order)
        if image is None:
            continue
        if group and (len(group) == batch_size or key(group[0].size) != key(image.size)):
            yield group
            group = []
        group.append(image)
    if group:
        yield group


def check_options(min_score: float | None, batch_size: int) -> None:
    """Raises `ValueError` for options of `predict` that are out of range."""
    if min_score is not None and not 0 <= min_score <= 1:
        raise ValueError(f"min_score must be in 0..1, not {min_score}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
