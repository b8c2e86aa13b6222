"""Two pictures beside each other, with a line of text below."""

from PIL import Image, ImageDraw

from keras_cornernet.visualization.canvas import font_of_size
from keras_cornernet.visualization.colours import DARK, LIGHT
from keras_cornernet.visualization.sheets import grid

WIDTH = 1000  # of the picture, in pixels
TEXT = 22  # pixels


def compare(before: Image.Image, after: Image.Image, caption: str) -> Image.Image:
    """Sets two pictures side by side above a caption.

    Args:
        before, after: of the same size.
        caption: one line; what does not fit is cut off.

    Returns:
        A `PIL.Image`, 1000 pixels wide.
    """
    sheet = grid([before, after], 2, WIDTH)
    picture = Image.new("RGB", (WIDTH, sheet.height + 2 * TEXT), LIGHT)
    picture.paste(sheet, (0, 0))
    ImageDraw.Draw(picture).text((TEXT / 2, sheet.height), caption, DARK, font_of_size(TEXT))
    return picture
