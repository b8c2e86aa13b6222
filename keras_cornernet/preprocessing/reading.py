"""Image files and arrays of any type, as RGB."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from keras_cornernet import files

ORIENTATION = 0x0112  # EXIF tag

FORMATS = ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM"]
"""The file formats that are read. Pillow knows 40 more, and hands some (EPS) to other programs."""

try:
    from PIL import AvifImagePlugin  # noqa: F401

    FORMATS.append("AVIF")
except ImportError:  # Pillow before 11.3
    pass


@contextmanager
def open_image(source: str | Path | BinaryIO) -> Iterator[Image.Image]:
    """Opens an image of one of `FORMATS`, whatever the file name says; the pixels are not yet decoded.

    Args:
        source: the file, or the bytes of one as a stream.

    Raises:
        OSError: the file is missing, is a pipe or a device, is not an image of these formats or has more
            pixels than `PIL.Image.MAX_IMAGE_PIXELS`, or Pillow fails in the `with` block; the message names
            the file.
    """
    name = ""
    if isinstance(source, str | Path):
        files.check_is_file(source)
        name = f"{source}: "
    try:
        with Image.open(source, formats=FORMATS) as image:
            _check_pixel_count(image)
            yield image
    except UnidentifiedImageError:
        raise OSError(f"{name}not an image that can be read") from None
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise OSError(f"{name}the image cannot be read ({reason})") from None


def read_image(path: str | Path | BinaryIO) -> np.ndarray:
    """Reads an image file, or the bytes of one as a stream, as RGB.

    The EXIF orientation is applied, grey and palette images become RGB, images of 16 bits keep the high
    byte, transparency is dropped, and of an animation the first frame is taken.

    Returns:
        `(height, width, 3)` uint8.

    Raises:
        OSError: the file is missing or is no image that can be read, see `open_image`.
    """
    with open_image(path) as image:
        return pil_to_rgb(image)


def pil_to_rgb(image: Image.Image) -> np.ndarray:
    """Converts a PIL image as `read_image` does."""
    upright = ImageOps.exif_transpose(image)
    return to_rgb(np.asarray(upright if _keeps_mode(upright) else upright.convert("RGB")))


def read_image_size(path: str | Path) -> tuple[int, int]:
    """`(height, width)` of an image file after its EXIF rotation, without decoding its pixels.

    Raises:
        OSError: the file is missing or is no image that can be read, see `open_image`.
    """
    with open_image(path) as image:
        width, height = image.size
        rotated = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)  # by a quarter
        return (width, height) if rotated else (height, width)


def _check_pixel_count(image: Image.Image) -> None:
    # Pillow only warns here. Its warning is not turned into an error, since threads share the filters.
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise ValueError(f"{image.width} x {image.height} pixels exceed the limit of {limit}")


def _keeps_mode(image: Image.Image) -> bool:
    return image.mode in ("L", "RGB") or image.mode.startswith("I")


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Converts an array to `(height, width, 3)` uint8.

    Args:
        image: `(h, w)`, `(h, w, 1)`, `(h, w, 3)` or `(h, w, 4)`; uint8, 16-bit integers, or floats in
            0..255.

    Raises:
        ValueError: another shape or type, values that are not finite, or floats of which the largest is above
            0 and at most 1, as networks that divide by 255 take them.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or 0 in image.shape:
        raise ValueError(
            "image must be an array (height, width), (height, width, 1), (height, width, 3) or "
            f"(height, width, 4) without empty sides, not {image.shape}"
        )
    if image.dtype.newbyteorder("=") in (np.uint16, np.int32):
        image = (np.clip(image, 0, 65535) >> 8).astype(np.uint8)
    elif image.dtype == bool:
        image = image.astype(np.uint8) * 255
    elif np.issubdtype(image.dtype, np.floating):
        if not np.isfinite(image).all():
            raise ValueError("image holds values that are not finite")
        if 0 < image.max() <= 1:
            raise ValueError(
                f"image: expected floats in 0..255, and the largest is {image.max():g}: multiply it by 255, "
                "or pass uint8"
            )
        image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    elif image.dtype != np.uint8:
        raise ValueError(f"image must be uint8, uint16 or float in 0..255, not {image.dtype}")
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else np.ascontiguousarray(image[..., :3])
