"""What every picture is drawn with: the image to draw on, widths of lines, fonts."""

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_cornernet.visualization.colours import Colour


def canvas_of(image: np.ndarray) -> Image.Image:
    """A copy of an image to draw on.

    Args:
        image: `(height, width, 3)` uint8 RGB.

    Raises:
        ValueError: the image has another shape or type.
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be (h, w, 3) uint8, got {image.shape} {image.dtype}")
    return Image.fromarray(image)


def line_width(picture: Image.Image) -> int:
    """The width of lines in pixels, in proportion to the picture."""
    return max(1, round(math.sqrt(picture.width * picture.height) / 200))


def text_size(picture: Image.Image) -> int:
    """The height of text in pixels, in proportion to the picture."""
    return int(np.clip(math.sqrt(picture.width * picture.height) / 34, 9, 96))


@lru_cache(maxsize=32)
def font_of_size(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, `size` pixels high."""
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ImportError("this Pillow was built without FreeType, which draws its text")
    return font


def draw_disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour) -> None:
    """Draws a filled circle around `(x, y)`."""
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
