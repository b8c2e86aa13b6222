"""Draws the head of a posed body: skull, face, ears, hair and cap."""

from keras_cornernet.data.scenes.body import Body, Figure
from keras_cornernet.data.scenes.canvas import CIRCLE, Canvas
from keras_cornernet.data.scenes.clothes import Clothes
from keras_cornernet.data.scenes.colours import shade


def draw_head(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws neck, hair, face, ears and cap."""
    at, up, facing = figure.at, figure.up, figure.facing
    size = body.head
    side = 1j * up
    # A foreshortened head stays round, since the skull is about as deep as it is high.
    top, centre = at["head_top"], at["head"]
    centre = top - up * max(abs(top - centre), 0.42 * size)
    aside = figure.gaze.real * side.real + figure.gaze.imag * side.imag
    canvas.limb([at["neck"], centre], [0.031 * (0.4 + 0.6 * body.girth)] * 2, [shade(clothes.skin, 0.92)])
    tall, wide = 0.5 * size, 0.39 * size
    bald = clothes.hairdo == "bald"
    hair = clothes.skin if bald else clothes.hair
    if clothes.hairdo == "bun":
        canvas.ball(
            centre + up * tall * 0.75 - side * aside * wide * 0.8, 0.2 * size * up, 0.2 * size * side, hair
        )
    canvas.ball(centre, tall * up, wide * side, hair)
    if facing > -0.35:
        turned = centre + side * aside * 0.24 * wide - up * 0.12 * tall
        canvas.oval(turned, 0.86 * tall * up, wide * (0.62 + 0.28 * max(facing, 0)) * side, clothes.skin)
        _draw_face(canvas, turned, up, side, aside, facing, size, clothes)
    else:  # the nape
        canvas.oval(centre - up * 0.82 * tall, 0.2 * tall * up, 0.55 * wide * side, shade(clothes.skin, 0.92))
    if abs(facing) > 0.5:
        for ear in (-1, 1):
            canvas.disc(
                centre + side * ear * wide * 0.98 - up * 0.15 * tall, 0.075 * size, shade(clothes.skin, 0.9)
            )
    if clothes.hairdo == "cap":
        rim = centre + 0.2 * tall * up
        crown = [
            rim + 1.08 * wide * side * c + 0.9 * tall * up * s for c, s in CIRCLE[: len(CIRCLE) // 2 + 1]
        ]
        canvas.solid(crown, clothes.cap, 0.12)
        back, front = (rim + side * aside * wide * reach for reach in (0.4, 1.55))
        canvas.capsule(back, front, 0.05 * size, 0.04 * size, shade(clothes.cap, 0.7))


def _draw_face(
    canvas: Canvas,
    centre: complex,
    up: complex,
    side: complex,
    aside: float,
    facing: float,
    size: float,
    clothes: Clothes,
) -> None:
    if size * canvas.scale < 14:  # too small to see
        return
    middle = centre + side * aside * 0.17 * size
    spread = 0.15 * size * max(facing, 0.0)
    dark = shade(clothes.skin, 0.35)
    eyes = (-1, 1) if facing > 0.3 else (0,)
    for eye in eyes:
        canvas.disc(middle + side * eye * spread + up * 0.07 * size, 0.04 * size, dark)
        canvas.capsule(
            middle + side * (eye * spread - 0.06 * size) + up * 0.16 * size,
            middle + side * (eye * spread + 0.06 * size) + up * 0.16 * size,
            0.016 * size,
            0.016 * size,
            shade(clothes.hair, 0.7),
        )
    nose = middle + side * aside * 0.14 * size
    canvas.capsule(
        middle + up * 0.02 * size,
        nose - up * 0.07 * size,
        0.024 * size,
        0.034 * size,
        shade(clothes.skin, 0.82),
    )
    mouth = middle - up * 0.2 * size
    canvas.capsule(
        mouth - side * 0.6 * spread, mouth + side * 0.6 * spread, 0.022 * size, 0.022 * size, (150, 70, 70)
    )


def draw_long_hair(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws the hair that falls behind the head."""
    at, up, size = figure.at, figure.up, body.head
    side = 1j * up
    aside = figure.gaze.real * side.real + figure.gaze.imag * side.imag
    crown = at["head"] + up * 0.05 * size - side * aside * 0.1 * size
    ends = crown - up * 0.85 * size - side * aside * 0.2 * size
    wide = size * (0.4 if abs(figure.facing) > 0.4 else 0.32)
    canvas.limb([crown, ends], [wide, 0.85 * wide], [clothes.hair])
