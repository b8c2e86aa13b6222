"""Boxes on an image, each with a tag of its class name and score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.visualization.canvas import canvas_of, font_of_size, line_width, text_size
from keras_cornernet.visualization.colours import Colour, darkened, ink_on, label_colour


@dataclass(frozen=True)
class _Shown:
    """A box as it is drawn: its corners, its colour, and the text of its tag."""

    corners: tuple[float, float, float, float]
    colour: Colour
    text: str


def draw_boxes(
    image: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    *,
    scores: np.ndarray | None = None,
) -> Image.Image:
    """Draws boxes with a tag of class name and score; the first box is drawn on top.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        boxes: `(n, 4)` `xyxy`, image pixels; parts outside the image are cut off.
        labels: `(n,)` integers, indices of `names`; rows labelled -1 (padding) are not drawn.
        names: one class name per label.
        scores: `(n,)` in 0..1, shown as per cent, or None.

    Returns:
        A new `PIL.Image` of the size of `image`.

    Raises:
        ValueError: an argument has another shape, or a label has no name.
    """
    picture = canvas_of(image)
    boxes, labels = _checked(boxes, labels, len(names), scores)
    shown = []
    for row in np.flatnonzero(labels >= 0):
        corners = _visible_part(boxes[row], picture)
        if corners is not None:
            text = names[labels[row]] + ("" if scores is None else f" {100 * float(scores[row]):.0f}%")
            shown.append(_Shown(corners, label_colour(labels[row]), text))
    draw = ImageDraw.Draw(picture)
    for box in reversed(shown):
        _draw_outline(draw, box, line_width(picture))
    _draw_tags(draw, picture, shown)
    return picture


def _checked(
    boxes: np.ndarray, labels: np.ndarray, classes: int, scores: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.asarray(boxes, float).reshape(-1, 4) if np.size(boxes) == 0 else np.asarray(boxes, float)
    labels = np.asarray(labels).reshape(-1).astype(int)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must have shape (n, 4), got {boxes.shape}")
    if len(labels) != len(boxes):
        raise ValueError(f"labels must have one entry per box ({len(boxes)}), got {len(labels)}")
    if len(labels) and not -1 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"labels must lie in -1..{classes - 1}, got {labels.min()}..{labels.max()}")
    if scores is not None and np.shape(scores) != (len(boxes),):
        raise ValueError(f"scores must have shape ({len(boxes)},), got {np.shape(scores)}")
    return boxes, labels


def _visible_part(box: np.ndarray, picture: Image.Image) -> tuple[float, float, float, float] | None:
    """The corners of a box near the picture, or None if it is not finite or not on the picture."""
    x1, y1, x2, y2 = box.tolist()
    if not np.isfinite(box).all() or x2 < x1 or y2 < y1:
        return None
    if x2 <= 0 or y2 <= 0 or x1 >= picture.width or y1 >= picture.height:
        return None
    # Just outside is enough to hide the line there, and Pillow cannot draw huge coordinates.
    beyond = 2.0 * line_width(picture)
    right, bottom = picture.width + beyond, picture.height + beyond
    return max(x1, -beyond), max(y1, -beyond), min(x2, right), min(y2, bottom)


def _draw_outline(draw: ImageDraw.ImageDraw, box: _Shown, width: int) -> None:
    """Draws the box; a dark rim separates the line from a background of its own colour."""
    x1, y1, x2, y2 = map(round, box.corners)
    # Coordinates are edges of pixels: the last pixel inside of the box is x2 - 1.
    x2, y2 = max(x1, x2 - 1), max(y1, y2 - 1)
    draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline=darkened(box.colour), width=width + 2)
    draw.rectangle((x1, y1, x2, y2), outline=box.colour, width=width)


def _draw_tags(draw: ImageDraw.ImageDraw, picture: Image.Image, shown: Sequence[_Shown]) -> None:
    """Writes the tag of each box where it hides least of the tags before it."""
    font = font_of_size(text_size(picture))
    ascent, descent = font.getmetrics()
    pad = max(2, ascent // 5)
    height = ascent + descent + pad
    areas = np.zeros((0, 4))
    for box in shown:
        width = draw.textlength(box.text, font) + 2 * pad
        area = _tag_area(box.corners, (width, height), picture.size, areas)
        areas = np.concatenate([areas, area[None]])
    for box, area in reversed(list(zip(shown, areas, strict=True))):
        left, top, right, bottom = map(round, area.tolist())
        draw.rectangle((left, top, right - 1, bottom - 1), fill=box.colour)
        draw.text((left + pad, top + pad / 2), box.text, ink_on(box.colour), font)


def _tag_area(
    corners: tuple[float, float, float, float],
    size: tuple[float, float],
    picture_size: tuple[int, int],
    taken: np.ndarray,
) -> np.ndarray:
    """`(4,)` `xyxy`: the area of a tag on the picture that overlaps the `(n, 4)` taken areas least."""
    (x1, y1, x2, y2), (width, height) = corners, size
    # Above the box, inside at its top, below it, inside at its bottom; at the left end, then the right.
    candidates = [(x, y) for y in (y1 - height, y1, y2, y2 - height) for x in (x1, x2 - width)]
    starts = np.clip(candidates, 0, np.maximum(np.subtract(picture_size, size), 0))
    areas = np.concatenate([starts, starts + size], axis=1)
    overlap = np.minimum(areas[:, None, 2:], taken[:, 2:]) - np.maximum(areas[:, None, :2], taken[:, :2])
    hidden = overlap.clip(0).prod(axis=-1).sum(axis=1)
    best: np.ndarray = areas[int(np.argmin(hidden))]
    return best
