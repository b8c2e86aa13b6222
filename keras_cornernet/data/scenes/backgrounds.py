"""Backgrounds: landscapes, towns, rooms, walls and patterns, split by a horizon."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.data.scenes.colours import WOODS, Colour, from_hsv, shade, varied
from keras_cornernet.data.scenes.dice import between, chance, pick
from keras_cornernet.preprocessing import Size


def paint_background(rng: np.random.Generator, size: Size, horizon: int) -> Image.Image:
    """Paints an RGB image of `size` `(height, width)` whose ground begins at the row `horizon`."""
    return pick(rng, BACKGROUNDS)(rng, size, horizon)


def _paint_landscape(rng: np.random.Generator, size: Size, horizon: int) -> Image.Image:
    height, width = size
    skies = ((110, 160, 220), (170, 190, 205), (240, 180, 130), (70, 80, 120), (200, 215, 230))
    grounds = (
        (110, 140, 70),
        (196, 178, 130),
        (120, 116, 110),
        (150, 120, 84),
        (225, 228, 232),
        (70, 110, 60),
    )
    sky, ground = varied(rng, pick(rng, skies)), varied(rng, pick(rng, grounds))
    picture = _gradient(size, shade(sky, 0.85), shade(sky, 1.15))
    picture.paste(_gradient((height - horizon, width), shade(ground, 1.1), shade(ground, 0.8)), (0, horizon))
    draw = ImageDraw.Draw(picture)
    choice = rng.random()
    if choice < 0.4:  # hills
        for _ in range(int(1 + rng.random() * 3)):
            top, phase = between(rng, 0.2, 0.7) * horizon, rng.random() * 6
            waves = [
                (x, horizon - top * (0.5 + 0.5 * math.sin(phase + 5 * x / width)))
                for x in range(0, width + 8, 8)
            ]
            draw.polygon([(0, horizon), *waves, (width, horizon)], fill=varied(rng, ground, 0.35))
    elif choice < 0.7:  # a town
        x = 0.0
        while x < width:
            wide, top = between(rng, 0.06, 0.2) * width, between(rng, 0.15, 0.95) * horizon
            wall = _tone(rng, 0.35, 0.3, 0.85)
            draw.rectangle([x, horizon - top, x + wide, horizon], fill=wall)
            step, pane = max(6.0, 0.045 * height), shade(wall, pick(rng, (0.6, 1.3)))
            for row in range(int(top / step)):
                y = horizon - top + (row + 0.3) * step
                for column in range(int(wide / step)):
                    left = x + (column + 0.25) * step
                    draw.rectangle([left, y, left + 0.45 * step, y + 0.5 * step], fill=pane)
            x += wide
    if chance(rng, 0.35):  # a road or path towards the horizon
        at, near = rng.random() * width, rng.random() * width
        spread = between(rng, 0.15, 0.5) * width
        path = [(at, horizon), (near - spread, height), (near + spread, height)]
        draw.polygon(path, fill=_tone(rng, 0.1, 0.35, 0.7))
    return _clouded(rng, picture, pick(rng, (6, 20, 60)), between(rng, 0.05, 0.3))


def _paint_room(rng: np.random.Generator, size: Size, horizon: int) -> Image.Image:
    height, width = size
    wall, floor = (
        _tone(rng, 0.4, 0.45, 0.95),
        varied(rng, pick(rng, (*WOODS, (150, 150, 150), (176, 160, 140)))),
    )
    picture = _gradient(size, shade(wall, 1.05), shade(wall, 0.85))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.random() * 4)):  # windows, pictures, doors
        x, wide = rng.random() * width, between(rng, 0.1, 0.25) * width
        door = chance(rng, 0.3)
        y, tall = (0.2 * horizon, horizon) if door else (between(rng, 0.05, 0.3) * horizon, 0.5 * horizon)
        frame, pane = pick(rng, ((240, 238, 230), (90, 66, 46), (50, 50, 54))), _tone(rng, 0.6, 0.2, 1.0)
        draw.rectangle([x, y, x + wide, y + tall], fill=frame)
        rim = max(2.0, 0.012 * width)
        if min(wide, tall) > 2 * rim:  # in tiny pictures the frame is all there is
            draw.rectangle([x + rim, y + rim, x + wide - rim, y + tall - rim], fill=pane)
        draw.line([x + wide / 2, y, x + wide / 2, y + tall], fill=frame, width=int(rim))
    draw.rectangle([0, horizon, width, height], fill=floor)
    draw.rectangle([0, horizon - 0.025 * height, width, horizon], fill=shade(wall, 0.7))
    vanishing, dark = rng.random() * width, shade(floor, 0.82)
    for x in range(-width, 2 * width, max(8, width // 14)):
        draw.line([vanishing + (x - vanishing) * 0.4, horizon, x, height], fill=dark)
    return _clouded(rng, picture, 3, between(rng, 0.05, 0.3))


def _paint_bricks(rng: np.random.Generator, size: Size, horizon: int) -> Image.Image:
    height, width = size
    brick = pick(rng, ((158, 82, 62), (176, 140, 112), (130, 130, 130), (210, 200, 186), (96, 70, 66)))
    picture = Image.new("RGB", (width, height), shade(brick, pick(rng, (0.7, 1.3))))
    draw = ImageDraw.Draw(picture)
    tall = max(5.0, between(rng, 0.035, 0.08) * height)
    wide = tall * between(rng, 1.8, 2.6)
    shades = [varied(rng, brick, 0.14) for _ in range(5)]
    for row in range(int(horizon / tall) + 1):
        for column in range(int(width / wide) + 2):
            left, top = (column - 0.5 * (row % 2) - 0.3) * wide, row * tall
            colour = shades[(row * 7 + column * 3 + row * column) % 5]
            draw.rectangle([left, top, left + wide - 2, top + tall - 2], fill=colour)
    ground = _tone(rng, 0.25, 0.3, 0.75)
    picture.paste(_gradient((height - horizon, width), shade(ground, 1.1), shade(ground, 0.8)), (0, horizon))
    return _clouded(rng, picture, pick(rng, (4, 40)), between(rng, 0.05, 0.25))


def _paint_pattern(rng: np.random.Generator, size: Size, horizon: int) -> Image.Image:
    """Stripes, tiles or random shapes, so that a network cannot rely on the surroundings of people."""
    height, width = size
    a, b = _tone(rng, 0.7, 0.3, 0.95), _tone(rng, 0.7, 0.3, 0.95)
    picture = _gradient(size, a, shade(a, between(rng, 0.6, 1.2)))
    draw = ImageDraw.Draw(picture)
    choice = rng.random()
    step = between(rng, 0.03, 0.14) * width
    if choice < 0.35:
        slant = between(rng, -1, 1) * height
        for i in range(-int(height / step) - 1, int((width + height) / step) + 1, 2):
            left = i * step
            draw.polygon(
                [(left, 0), (left + step, 0), (left + step + slant, height), (left + slant, height)], fill=b
            )
    elif choice < 0.55:
        for row in range(int(height / step) + 1):
            for column in range(row % 2, int(width / step) + 1, 2):
                draw.rectangle([column * step, row * step, (column + 1) * step, (row + 1) * step], fill=b)
    else:
        for _ in range(30):
            x, y, r = rng.random() * width, rng.random() * height, between(rng, 0.02, 0.16) * width
            colour, flat = _tone(rng, 0.8, 0.2, 1.0), between(rng, 0.3, 1.0)
            if chance(rng, 0.5):
                draw.ellipse([x - r, y - flat * r, x + r, y + flat * r], fill=colour)
            else:
                angles = [rng.random() * math.tau + turn for turn in (0, 2, 4)]
                draw.polygon([(x + r * math.cos(t), y + r * math.sin(t)) for t in angles], fill=colour)
    return _clouded(rng, picture, pick(rng, (5, 30)), between(rng, 0.1, 0.5))


def _paint_texture(rng: np.random.Generator, size: Size, horizon: int) -> Image.Image:
    """Walls and grounds of patches of several sizes."""
    a, b = _tone(rng, 0.6, 0.4, 0.95), _tone(rng, 0.5, 0.3, 0.8)
    picture = _gradient(size, a, shade(a, 0.8))
    picture.paste(_gradient((size[0] - horizon, size[1]), b, shade(b, 0.7)), (0, horizon))
    for cells in (4, 15, 70):
        picture = _clouded(rng, picture, cells, between(rng, 0.1, 0.45))
    return picture


def _gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    column = np.linspace(top, bottom, size[0])[:, None]
    return Image.fromarray(np.broadcast_to(np.rint(column).astype(np.uint8), (*size, 3)).copy())


def _clouded(rng: np.random.Generator, picture: Image.Image, cells: int, strength: float) -> Image.Image:
    """Darkens an image in soft patches, `cells` of them along its longer side."""
    width, height = picture.size
    step = max(width, height) / cells
    shape = (max(2, round(height / step)), max(2, round(width / step)))
    coarse = rng.integers(0, 256, shape, dtype=np.uint8)
    patches = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    low, high = picture.point([v * (1 - strength) for v in range(256)] * 3), picture
    return Image.composite(high, low, patches)


def _tone(rng: np.random.Generator, saturation: float, low: float, high: float) -> Colour:
    return from_hsv(rng.random(), saturation * rng.random(), between(rng, low, high))


BACKGROUNDS: tuple[Callable[[np.random.Generator, Size, int], Image.Image], ...] = (
    *(_paint_landscape, _paint_landscape, _paint_landscape, _paint_room, _paint_room),
    *(_paint_bricks, _paint_pattern, _paint_texture),
)
