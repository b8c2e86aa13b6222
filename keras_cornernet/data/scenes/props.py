"""Props: things in a scene that are not people, from trees to loose limbs that belong to no person."""

from collections.abc import Callable

import numpy as np

from keras_cornernet.data.scenes.canvas import Canvas, Sprite
from keras_cornernet.data.scenes.colours import METALS, SKINS, WOODS, any_colour, shade, varied
from keras_cornernet.data.scenes.dice import between, chance, pick
from keras_cornernet.data.scenes.nature import draw_animal, draw_bush, draw_cactus, draw_tree
from keras_cornernet.data.scenes.things import (
    draw_ball,
    draw_barrel,
    draw_box,
    draw_car,
    draw_chair,
    draw_coat_rack,
    draw_lamp,
    draw_sign,
)


def draw_prop(rng: np.random.Generator, height: float) -> Sprite | None:
    """Draws a random thing at the scale at which a person is `height` pixels tall."""
    draw, half, tall = pick(rng, PROPS)
    canvas = Canvas(complex(-half, -tall), complex(half, 0.1), height)
    draw(rng, canvas)
    return canvas.sprite()


def draw_seat(rng: np.random.Generator, width: float, height: float) -> Sprite | None:
    """Draws a block to sit on; `width` and `height` are in pixels."""
    colour = varied(rng, pick(rng, WOODS + METALS))
    canvas = Canvas(0j, complex(width / height, 1), height)
    canvas.box(0, 0, width / height, 1, shade(colour, 0.75))
    canvas.box(0, 0, width / height, 0.18, colour)
    return canvas.sprite()


def _draw_sticks(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws loose limbs in the colours of skin and clothes that belong to no person."""
    at = complex(0, -0.08)
    for _ in range(int(2 + rng.random() * 3)):
        step = complex(between(rng, -0.22, 0.22), -between(rng, 0.05, 0.22))
        colour = pick(rng, SKINS) if chance(rng, 0.5) else any_colour(rng)
        canvas.limb([at, at + step], [between(rng, 0.025, 0.06), between(rng, 0.02, 0.05)], [colour])
        at += step * between(rng, 0.3, 1.2)


# How each thing is drawn, and half of its width and its height in units of a person's height.
PROPS: tuple[tuple[Callable[[np.random.Generator, Canvas], None], float, float], ...] = (
    *((draw_tree, 0.8, 2.5), (draw_bush, 0.85, 0.6), (draw_cactus, 0.4, 1.35), (draw_lamp, 0.5, 2.6)),
    *((draw_sign, 0.3, 1.65), (draw_coat_rack, 0.25, 1.15), (draw_box, 0.55, 0.85), (draw_ball, 0.3, 0.5)),
    *((draw_car, 1.15, 0.9), (draw_animal, 0.9, 1.2), (draw_chair, 0.35, 0.7), (draw_barrel, 0.3, 0.65)),
    (_draw_sticks, 1.0, 1.1),
)
