"""Matrices of counts as coloured squares."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_cornernet.visualization.canvas import font_of_size
from keras_cornernet.visualization.colours import DARK, LIGHT, label_colour

LEAST, MOST = 14, 72  # sides of a cell in pixels
FULL_SIZE = 12  # classes that still get cells of full size
WRITTEN_FROM = 30  # side of a cell in pixels from which on its count is written into it
MARGIN = 12
TITLE = 15  # height of its letters in pixels


def draw_matrix(
    counts: np.ndarray, names: Sequence[str], title: str, *, rows: str, columns: str
) -> Image.Image:
    """Draws a square matrix of counts; the darker a cell, the larger its fraction of the row.

    Args:
        counts: `(n, n)`, not negative.
        names: of rows and columns.
        title: written above.
        rows, columns: what the names of rows and of columns are.

    Raises:
        ValueError: the shape does not fit the names.
    """
    n = len(names)
    if counts.shape != (n, n):
        raise ValueError(f"counts: expected the shape ({n}, {n}), got {counts.shape}")
    cell = int(np.clip(MOST * FULL_SIZE / max(n, 1), LEAST, MOST))
    font = font_of_size(int(np.clip(cell / 3, 10, 18)))
    measure = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    label = int(max(measure.textlength(name, font) for name in (*names, rows))) + 2 * MARGIN
    title = f"{title} (rows: {rows}, columns: {columns})"
    wide = int(measure.textlength(title, font_of_size(TITLE)))
    top = 44 + label
    size = max(label + n * cell, MARGIN + wide) + MARGIN, top + n * cell + MARGIN
    sheet = Image.new("RGB", size, LIGHT)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, DARK, font_of_size(TITLE))
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    light, full = np.array(LIGHT, float), np.array(label_colour(0), float)
    for i, name in enumerate(names):
        middle = (i + 0.5) * cell
        draw.text((label - MARGIN, top + middle), name, DARK, font, anchor="rm")
        _write_upwards(sheet, name, font, (label + middle, top - MARGIN))
        for j in range(n):
            colour = tuple(int(v) for v in light + (full - light) * fractions[i, j])
            x, y = label + j * cell, top + i * cell
            draw.rectangle((x, y, x + cell - 2, y + cell - 2), fill=colour, outline=(226, 229, 234))
            if cell >= WRITTEN_FROM and counts[i, j]:
                ink = DARK if fractions[i, j] < 0.6 else LIGHT
                draw.text((x + cell / 2, y + cell / 2), str(int(counts[i, j])), ink, font, anchor="mm")
    return sheet


def _write_upwards(
    sheet: Image.Image, text: str, font: ImageFont.FreeTypeFont, bottom: tuple[float, float]
) -> None:
    """Writes a text that runs upwards and ends at its bottom in the middle of `bottom`."""
    _, _, right, lower = font.getbbox(text)
    mask = Image.new("L", (int(right) + 2, int(lower) + 4), 0)
    ImageDraw.Draw(mask).text((0, 0), text, 255, font)
    mask = mask.rotate(90, expand=True)
    place = (int(bottom[0] - mask.width / 2), int(bottom[1] - mask.height))
    sheet.paste(Image.new("RGB", mask.size, DARK), place, mask)
