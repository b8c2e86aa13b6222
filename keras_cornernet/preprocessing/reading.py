"""Image files and arrays of any kind, as RGB."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


def read_image(path: str | Path) -> np.ndarray:
    """Reads an image file as RGB.

    EXIF orientation is applied, grey and palette images become RGB, 16-bit ones keep their high byte,
    transparency is dropped, of an animation the first frame is taken.

    Returns:
        `(height, width, 3)` uint8.

    Raises:
        OSError: the file is missing or no readable image; the message names it.
    """
    try:
        with Image.open(path) as image:
            _check_size(image)
            image = ImageOps.exif_transpose(image)
            return to_rgb(np.asarray(image if _keeps_mode(image) else image.convert("RGB")))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise OSError(f"{path}: not an image that can be read") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise OSError(f"{path}: the image cannot be read ({error})") from None


def _check_size(image):
    # Pillow only warns here. Its warning is not turned into an error, since threads share the filters.
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise ValueError(f"{image.width} x {image.height} pixels exceed the limit of {limit}")


def _keeps_mode(image) -> bool:
    return image.mode in ("L", "RGB") or image.mode.startswith("I")


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Turns an array into `(height, width, 3)` uint8.

    Args:
        image: `(h, w)`, `(h, w, 1)`, `(h, w, 3)` or `(h, w, 4)`; uint8, 16-bit integers, or floats in
            0..255.

    Raises:
        ValueError: another shape or type, or values that are not finite.
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
        image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    elif image.dtype != np.uint8:
        raise ValueError(f"image must be uint8, uint16 or float in 0..255, not {image.dtype}")
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else np.ascontiguousarray(image[..., :3])
