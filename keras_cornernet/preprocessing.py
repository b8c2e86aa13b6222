"""From an image of any kind and size to the network's input: read, choose the affine, warp."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from keras_cornernet.ops import affine

Size = tuple[int, int]


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


class View(NamedTuple):
    """How an image is shown to a network.

    Attributes:
        input_from_image: `(2, 3)` affine.
        input_size: `(height, width)` of the input.
        visible: `x1, y1, x2, y2` in input pixels; outside the input stays black.
    """

    input_from_image: np.ndarray
    input_size: Size
    visible: tuple[int, int, int, int]

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The `(height, width, 3)` uint8 input."""
        return warp(image, self.input_from_image, self.input_size, visible=self.visible)

    def boxes_to_image(self, boxes: np.ndarray) -> np.ndarray:
        """`(n, 4)` boxes from input pixels back to image pixels."""
        return affine.transform_boxes(affine.invert(self.input_from_image), boxes)

    def points_to_image(self, points: np.ndarray) -> np.ndarray:
        """`(n, 2)` points from input pixels back to image pixels."""
        return affine.transform_points(affine.invert(self.input_from_image), points)


def fit_view(image_size: Size, input_size: Size) -> View:
    """The whole image, as large as it fits into a fixed input, centred on black."""
    (height, width), (rows, columns) = image_size, input_size
    scale = min(rows / height, columns / width)
    left, top = (columns - scale * width) / 2, (rows - scale * height) / 2
    placed = affine.compose(affine.translation(left, top), affine.scaling(scale, scale))
    visible = (
        math.floor(left + 1e-6),
        math.floor(top + 1e-6),
        math.ceil(left + scale * width - 1e-6),
        math.ceil(top + scale * height - 1e-6),
    )
    return View(placed, input_size, visible)


def person_view(center, side: float, input_size: Size, rotation: float = 0.0) -> View:
    """A square crop about a person, the largest that fits into a fixed input; outside the image is black.

    Args:
        center: x, y in image pixels.
        side: of the square, image pixels.
        input_size: `(height, width)` of the input.
        rotation: degrees by which the picture is turned counter-clockwise.

    Raises:
        ValueError: `side` is not positive or the centre is not finite.

    Source: Newell et al. 2016, sec. 3.1; `get_transform` of princeton-vl/pytorch_stacked_hourglass,
    `utils/img.py` (its scale is `side / 200`). The released codes truncate the corners of the crop to
    whole pixels; here it is one affine, and the way back loses nothing.
    """
    x, y = (float(v) for v in center)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"center must be two finite numbers, not {center}")
    if not (side > 0 and math.isfinite(side)):
        raise ValueError(f"side must be positive, not {side}")
    rows, columns = input_size
    scale = min(rows, columns) / side
    placed = affine.compose(
        affine.translation(columns / 2, rows / 2),
        affine.rotation(-rotation),
        affine.scaling(scale, scale),
        affine.translation(-x, -y),
    )
    return View(placed, (rows, columns), (0, 0, columns, rows))


def padded_view(image_size: Size, scale: float = 1.0, multiple: int = 128) -> View:
    """The image times `scale`, centred on a black input whose sides are `multiple * m - 1`.

    Odd sides make the network's halving exact: 511, 256, 128, ..., 4.

    Source: Law & Deng 2018, sec. 4.2 (zeros instead of resizing); `kp_detection` of princeton-vl/CornerNet,
    `test/coco.py`. As there, an image side that fills the input loses its last row or column.
    """
    height, width = (max(1, int(n * scale)) for n in image_size)
    rows, columns = height // multiple * multiple + multiple - 1, width // multiple * multiple + multiple - 1
    left, top = columns // 2 - width // 2, rows // 2 - height // 2
    placed = affine.compose(
        affine.translation(left, top), affine.scaling(width / image_size[1], height / image_size[0])
    )
    right, bottom = left + min(width, width // 2 + columns // 2), top + min(height, height // 2 + rows // 2)
    return View(placed, (rows, columns), (left, top, right, bottom))


def zoom_view(image_size: Size, center: tuple[float, float], zoom: float, input_size: Size) -> View:
    """A crop of `int(input side / zoom)` pixels about a point of the image, resized to the input.

    Outside the image the input is black, and so may be its last rows and columns, since the crop's halves are
    cut to whole pixels.

    Args:
        image_size: `(height, width)`.
        center: x, y in image pixels, cut to whole ones.
        zoom: input pixels for one of the image.
        input_size: `(height, width)`.

    Source: `crop_image_gpu` of princeton-vl/CornerNet-Lite, `core/sample/utils.py`. There the part of the
    image that is seen is resized to its whole number of input pixels; here too, by one affine.
    """
    spans = []
    for place, length, side in zip(center, image_size[::-1], input_size[::-1], strict=True):
        place, crop = int(place), zoomed_side(side, zoom)
        first = max(place - crop // 2, 0)
        last = max(min(place + crop // 2, length), first + 1)
        start = side // 2 - int((place - first) * (side / crop))
        end = max(side // 2 + int((last - place) * (side / crop)), start + 1)
        spans.append((start, end, (end - start) / (last - first), first))
    (left, right, stretch_x, x), (top, bottom, stretch_y, y) = spans
    placed = affine.compose(
        affine.translation(left, top), affine.scaling(stretch_x, stretch_y), affine.translation(-x, -y)
    )
    return View(placed, input_size, (left, top, right, bottom))


def zoomed_side(side: int, zoom: float) -> int:
    """The side of the crop that `zoom` makes `side` pixels long, in whole image pixels, at least 2."""
    return max(2, int(side / zoom))


def warp(
    image: np.ndarray,
    input_from_image: np.ndarray,
    input_size: Size,
    *,
    visible: tuple[int, int, int, int] | None = None,
    rounded: bool = True,
) -> np.ndarray:
    """Resamples an image bilinearly; the image's edge is repeated for half a pixel, then black begins.

    Equals OpenCV's bilinear resize to one grey level. Pillow samples each channel in float32, since its
    8-bit form rounds down.

    Args:
        image: `(height, width, 3)` uint8.
        input_from_image: `(2, 3)` affine.
        input_size: `(height, width)` of the result.
        visible: `x1, y1, x2, y2`; everything outside is black.
        rounded: to whole grey levels.

    Returns:
        `(*input_size, 3)` uint8, or float32 if not `rounded`.
    """
    rows, columns = input_size
    way_back = tuple(affine.invert(input_from_image).ravel())
    canvas = np.empty((rows, columns, 3), np.uint8 if rounded else np.float32)
    for channel in range(3):
        plane = Image.fromarray(image[..., channel].astype(np.float32))
        plane = plane.transform((columns, rows), Image.Transform.AFFINE, way_back, Image.Resampling.BILINEAR)
        canvas[..., channel] = np.rint(plane) if rounded else plane
    if visible is not None:
        x1, y1, x2, y2 = visible
        canvas[: max(y1, 0)] = canvas[max(y2, 0) :] = 0
        canvas[:, : max(x1, 0)] = canvas[:, max(x2, 0) :] = 0
    return canvas
