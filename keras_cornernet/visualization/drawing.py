"""Pictures of what was found: boxes, skeletons, heatmaps and contact sheets.

Everything is drawn with Pillow from plain arrays: images are `(height, width, 3)` uint8 RGB, boxes `xyxy`
and points `(x, y)` in image pixels.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_cornernet.skeletons import Skeleton

# Neighbours in the list differ strongly in hue and lightness; a label keeps its colour on every picture.
PALETTE = (
    *((230, 57, 70), (46, 134, 222), (39, 174, 96), (255, 165, 2), (142, 68, 173)),
    *((0, 184, 180), (232, 67, 147), (150, 190, 30), (120, 82, 60), (95, 75, 219)),
    *((255, 214, 10), (0, 120, 110), (255, 127, 100), (120, 200, 255), (160, 20, 60)),
    *((85, 110, 30), (205, 132, 241), (40, 60, 130), (190, 150, 90), (100, 110, 125)),
)
RIGHT, LEFT, MIDDLE = (255, 140, 26), (41, 171, 255), (98, 222, 109)
DARK, LIGHT = (20, 22, 26), (255, 255, 255)
# Black, violet, magenta, orange, pale yellow: dark to light in even steps, readable without colour too.
HEAT = ((0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164))


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
        image: `(h, w, 3)` uint8 RGB.
        boxes: `(n, 4)` `xyxy`, image pixels; parts outside the image are cut off.
        labels: `(n,)` integers, indices of `names`; rows labelled -1 (padding) are not drawn.
        names: one class name per label.
        scores: `(n,)` in 0..1, shown as per cent, or None.

    Returns:
        A new `PIL.Image` of the size of `image`.

    Raises:
        ValueError: an argument has another shape, or a label has no name.
    """
    picture = _picture(image)
    boxes = np.asarray(boxes, float).reshape(-1, 4) if np.size(boxes) == 0 else np.asarray(boxes, float)
    labels = np.asarray(labels).reshape(-1).astype(int)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must have shape (n, 4), got {boxes.shape}")
    if len(labels) != len(boxes):
        raise ValueError(f"labels must have one entry per box ({len(boxes)}), got {len(labels)}")
    if len(labels) and not -1 <= labels.min() <= labels.max() < len(names):
        raise ValueError(f"labels must lie in -1..{len(names) - 1}, got {labels.min()}..{labels.max()}")
    if scores is not None and np.shape(scores) != (len(boxes),):
        raise ValueError(f"scores must have shape ({len(boxes)},), got {np.shape(scores)}")

    width, height = picture.size
    line = _line_width(picture)
    draw = ImageDraw.Draw(picture)
    shown = []
    for row in np.flatnonzero((labels >= 0) & np.isfinite(boxes).all(1)):
        x1, y1, x2, y2 = boxes[row]
        if x2 < x1 or y2 < y1 or x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            continue
        # Just outside is enough to lose the line there, and Pillow is spared huge coordinates.
        low, high = -2.0 * line, 2.0 * line
        x1, x2 = np.clip((x1, x2), low, width + high)
        y1, y2 = np.clip((y1, y2), low, height + high)
        text = names[labels[row]] + ("" if scores is None else f" {100 * float(scores[row]):.0f}%")
        shown.append(((x1, y1, x2, y2), label_colour(labels[row]), text))
    for (x1, y1, x2, y2), colour, _ in reversed(shown):
        # Coordinates are edges of pixels; the last pixel inside the box is x2 - 1. A dark rim keeps the
        # line apart from a background of its own colour.
        corners = (round(x1), round(y1), max(round(x1), round(x2) - 1), max(round(y1), round(y2) - 1))
        rim = (corners[0] - 1, corners[1] - 1, corners[2] + 1, corners[3] + 1)
        draw.rectangle(rim, outline=_mix(colour, DARK, 0.6), width=line + 2)
        draw.rectangle(corners, outline=colour, width=line)
    _draw_tags(draw, picture.size, shown)
    return picture


def draw_skeletons(
    image: np.ndarray, points: np.ndarray, visible: np.ndarray, skeleton: Skeleton
) -> Image.Image:
    """Draws the limbs and joints of people: orange on their right side, blue left, green between.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        points: `(n, k, 2)`, `(x, y)` in image pixels.
        visible: `(n, k)` bool; joints to draw. A limb needs both of its ends.
        skeleton: names and limbs of the `k` joints.

    Returns:
        A new `PIL.Image` of the size of `image`.

    Raises:
        ValueError: an argument has another shape.
    """
    picture = _picture(image)
    points, visible = np.asarray(points, float), np.asarray(visible, bool)
    joints = len(skeleton.joints)
    if points.ndim != 3 or points.shape[1:] != (joints, 2):
        raise ValueError(f"points must have shape (n, {joints}, 2) for {skeleton.name}, got {points.shape}")
    if visible.shape != points.shape[:2]:
        raise ValueError(f"visible must have shape {points.shape[:2]}, got {visible.shape}")

    draw = ImageDraw.Draw(picture)
    sides = [{"r": RIGHT, "l": LEFT}.get(_side(name), MIDDLE) for name in skeleton.joints]
    for person, seen in zip(points, visible & np.isfinite(points).all(2), strict=True):
        # Thickness follows the person, so that small people are not buried under their skeleton.
        extent = np.ptp(person[seen], axis=0).max() if seen.any() else 0.0
        line = max(1, round(min(extent / 35, 1.5 * _line_width(picture))))
        limbs = [(a, b) for a, b in skeleton.limbs if seen[a] and seen[b]]
        for a, b in limbs:
            draw.line([*person[a], *person[b]], fill=DARK, width=line + 2)
        for a, b in limbs:
            side = sides[a] if sides[a] == sides[b] else MIDDLE
            draw.line([*person[a], *person[b]], fill=side, width=line)
        for (x, y), colour in zip(person[seen], np.array(sides)[seen], strict=True):
            draw_disc(draw, x, y, line + 1.0, DARK)
            draw_disc(draw, x, y, line, tuple(int(v) for v in colour))
    return picture


def draw_heatmap(image: np.ndarray, heatmap: np.ndarray) -> Image.Image:
    """Lays a heatmap over its image: the warmer the colour, the higher the value.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        heatmap: `(gh, gw)` float in 0..1, any grid over the whole image; NaN counts as 0.

    Returns:
        A new `PIL.Image` of the size of `image`; where the heatmap is 0 the image is only dimmed.

    Raises:
        ValueError: an argument has another shape.
    """
    picture = _picture(image)
    heatmap = np.nan_to_num(np.asarray(heatmap, np.float32))
    if heatmap.ndim != 2 or not heatmap.size:
        raise ValueError(f"heatmap must have shape (grid height, grid width), got {heatmap.shape}")
    smooth = Image.fromarray(heatmap).resize(picture.size, Image.Resampling.BILINEAR)
    heat = np.clip(np.asarray(smooth), 0.0, 1.0)
    stops = np.linspace(0.0, 1.0, len(HEAT))
    warm = np.stack([np.interp(heat, stops, channel) for channel in zip(*HEAT, strict=True)], axis=-1)
    share = (0.25 + 0.6 * np.sqrt(heat))[..., None]
    blended = (1.0 - share) * np.asarray(picture) + share * warm
    return Image.fromarray(np.rint(blended).astype(np.uint8))


def grid(images: Sequence[Image.Image], columns: int, width: int) -> Image.Image:
    """Sets images side by side on a contact sheet, row by row.

    Args:
        images: at least one; each keeps its own proportions.
        columns: images per row.
        width: of the sheet in pixels.

    Returns:
        A `PIL.Image` of that width.

    Raises:
        ValueError: no images, or `width` too small for `columns`.
    """
    if not len(images):
        raise ValueError("images must hold at least one image, got none")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    gap = max(2, width // 200)
    cell = (width - gap * (columns + 1)) // columns
    if cell < 1:
        raise ValueError(f"width must leave room for {columns} columns, got {width}")
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    cells = [[_resized(image, cell) for image in row] for row in rows]
    heights = [max(image.height for image in row) for row in cells]
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) + 1)), LIGHT)
    top = gap
    for row, height in zip(cells, heights, strict=True):
        for column, image in enumerate(row):
            sheet.paste(image, (gap + column * (cell + gap), top))
        top += height + gap
    return sheet


def _picture(image: np.ndarray) -> Image.Image:
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be (h, w, 3) uint8, got {image.shape} {image.dtype}")
    return Image.fromarray(image)


def _line_width(picture: Image.Image) -> int:
    return max(1, round(math.sqrt(picture.width * picture.height) / 200))


def label_colour(label: int) -> tuple[int, int, int]:
    """The colour of a label or curve: `PALETTE`, over and over."""
    return PALETTE[label % len(PALETTE)]


def _mix(a: tuple[int, ...], b: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round((1 - share) * x + share * y) for x, y in zip(a, b, strict=True))


def _side(joint: str) -> str:
    return joint[0] if joint.startswith(("right", "left")) else ""


def draw_disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: tuple[int, ...]) -> None:
    """Draws a filled circle around `(x, y)`."""
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)


def _resized(image: Image.Image, width: int) -> Image.Image:
    height = max(1, round(image.height * width / image.width))
    return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=32)
def font_of_size(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, `size` pixels high."""
    return ImageFont.load_default(size=size)


def _draw_tags(draw: ImageDraw.ImageDraw, size: tuple[int, int], shown: list[tuple]) -> None:
    """Writes the tags of `(corners, colour, text)` rows, each where it covers the others least."""
    width, height = size
    font = font_of_size(int(np.clip(math.sqrt(width * height) / 34, 9, 28)))
    ascent, descent = font.getmetrics()
    pad = max(2, ascent // 5)
    tall = ascent + descent + pad
    taken = np.zeros((0, 4))
    placed = []
    for (x1, y1, x2, y2), colour, text in shown:
        wide = draw.textlength(text, font) + 2 * pad
        # Above the box, inside at its top, below it, inside at its bottom; left end first, then right.
        tops = (y1 - tall, y1, y2, y2 - tall)
        corners = np.array([(left, top) for top in tops for left in (x1, x2 - wide)])
        corners = np.clip(corners, 0, np.maximum((width - wide, height - tall), 0))
        spots = np.concatenate([corners, corners + np.array((wide, tall))], axis=1)
        overlap = np.minimum(spots[:, None, 2:], taken[None, :, 2:])
        overlap = (overlap - np.maximum(spots[:, None, :2], taken[None, :, :2])).clip(0).prod(-1).sum(1)
        spot = spots[int(np.argmin(overlap))]
        taken = np.concatenate([taken, spot[None]])
        placed.append((spot, colour, text))
    for spot, colour, text in reversed(placed):
        left, top, right, bottom = (round(v) for v in spot)
        luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        draw.rectangle([left, top, right - 1, bottom - 1], fill=colour)
        ink = DARK if luminance > 140 else LIGHT
        draw.text((left + pad, top + pad / 2), text, ink, font)
