"""Contact sheets."""

from collections.abc import Sequence

from PIL import Image

from keras_cornernet.visualization.colours import LIGHT


def grid(images: Sequence[Image.Image], columns: int, width: int) -> Image.Image:
    """Sets images side by side on a contact sheet, row by row.

    Args:
        images: at least one; each keeps its proportions.
        columns: images per row.
        width: of the sheet in pixels.

    Returns:
        A `PIL.Image` of that width.

    Raises:
        ValueError: there are no images, or `width` is too small for `columns`.
    """
    if not len(images):
        raise ValueError("images must hold at least one image, got none")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    gap = max(2, width // 200)
    cell = (width - gap * (columns + 1)) // columns
    if cell < 1:
        raise ValueError(f"width must leave room for {columns} columns, got {width}")
    cells = [_resized(image, cell) for image in images]
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    heights = [max(image.height for image in row) for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) + 1)), LIGHT)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        for column, image in enumerate(row):
            sheet.paste(image, (gap + column * (cell + gap), top))
        top += height + gap
    return sheet


def _resized(image: Image.Image, width: int) -> Image.Image:
    height = max(1, round(image.height * width / image.width))
    return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
