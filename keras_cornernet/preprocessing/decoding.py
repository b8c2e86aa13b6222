"""Decodes plain image files with OpenCV, which does not hold Python's lock; Pillow decodes all others."""

import io
from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.preprocessing import opencv
from keras_cornernet.preprocessing.reading import ORIENTATION, open_image, read_image

TAIL = 1024  # bytes at the end of a file among which its end mark is looked for


class ImageReader:
    """Reads image files as `read_image` does, plain ones with OpenCV where it is installed.

    Plain is a whole JPEG, PNG or WebP file of 8-bit RGB or grey pixels without EXIF rotation, palette,
    transparency or animation. Pillow, which opens no format but those of `FORMATS`, says so when a file is
    read for the first time. The two decoders of JPEG may differ by a few grey levels in single pixels.
    """

    def __init__(self) -> None:
        self._plain: dict[str, bool] = {}

    def read(self, path: str) -> np.ndarray:
        """Reads an image file.

        Returns:
            `(height, width, 3)` uint8 RGB.

        Raises:
            OSError: as `read_image`.
        """
        if opencv.cv2 is None or self._plain.get(path) is False:
            return read_image(path)
        files.check_is_file(path)
        data = Path(path).read_bytes()
        if not _is_whole(data):
            return read_image(path)
        if path not in self._plain:
            self._plain[path] = _is_plain(data)
        image = _decode(data) if self._plain[path] else None
        return read_image(path) if image is None else image


def _is_whole(data: bytes) -> bool:
    """Whether these are the bytes of a JPEG, PNG or WebP file that was not cut off."""
    if data.startswith(b"\xff\xd8\xff"):
        return b"\xff\xd9" in data[-TAIL:]
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" in data[-TAIL:] and data[24:25] == b"\x08"  # bits of a channel
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return int.from_bytes(data[4:8], "little") + 8 <= len(data)
    return False


def _is_plain(data: bytes) -> bool:
    """Whether Pillow would return the stored pixels as they are."""
    try:
        with open_image(io.BytesIO(data)) as image:
            return (
                image.mode in ("L", "RGB")
                and "transparency" not in image.info
                and image.getexif().get(ORIENTATION, 1) == 1
                and getattr(image, "n_frames", 1) == 1
                and max(image.size) <= opencv.LONGEST_SIDE
            )
    except OSError:
        return False  # reading it again raises the error that names the file


def _decode(data: bytes) -> np.ndarray | None:
    """The pixels, or None if OpenCV cannot decode them."""
    cv2 = opencv.cv2
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if image is None:
        return None
    found: np.ndarray = cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return found
