"""Draws things that people make. Each stands at y = 0, in the middle of its canvas."""

import numpy as np

from keras_cornernet.data.scenes.canvas import Canvas
from keras_cornernet.data.scenes.colours import METALS, WOODS, any_colour, shade, varied
from keras_cornernet.data.scenes.dice import between, chance, pick


def draw_lamp(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a street lamp."""
    metal, tall = pick(rng, METALS), between(rng, 1.5, 2.4)
    top = -1j * tall
    canvas.limb([0, -0.2j, top], [0.06, 0.03, 0.02], [metal] * 2)
    if chance(rng, 0.5):
        canvas.ball(top, 0.11j, 0.11, (250, 240, 190))
    else:
        arm = top + pick(rng, (-0.35, 0.35))
        canvas.limb([top, arm], [0.02, 0.02], [metal])
        canvas.ball(arm, 0.045j, 0.1, (245, 240, 215))


def draw_sign(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a traffic sign."""
    tall, colour = between(rng, 0.9, 1.4), any_colour(rng)
    canvas.limb([0, -1j * tall], [0.022, 0.022], [pick(rng, METALS)])
    if chance(rng, 0.5):
        canvas.ball(-1j * tall, 0.16j, 0.16, colour)
        canvas.oval(-1j * tall, 0.04j, 0.11, (245, 245, 245))
    else:
        canvas.box(-0.24, -tall - 0.14, 0.24, -tall + 0.14, shade(colour, 0.7))
        canvas.box(-0.21, -tall - 0.11, 0.21, -tall + 0.11, colour)


def draw_coat_rack(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a coat rack with a coat."""
    wood, cloth = varied(rng, pick(rng, WOODS)), any_colour(rng)
    canvas.limb([-0.16, -0.12j, 0.16], [0.02, 0.03, 0.02], [wood] * 2)
    canvas.limb([0, -1j], [0.025, 0.02], [wood])
    for side in (-1, 1):
        canvas.limb([-0.9j, complex(0.14 * side, -1.0)], [0.018, 0.014], [wood])
    coat = [-0.88j, 0.13 - 0.8j, 0.17 - 0.3j, -0.14 - 0.27j, -0.12 - 0.8j]
    canvas.solid(coat, cloth, 0.15)
    if chance(rng, 0.6):
        canvas.limb([0.11 - 0.76j, 0.17 - 0.42j], [0.035, 0.03], [shade(cloth, 0.9)])
    if chance(rng, 0.5):
        canvas.ball(-1.03j, 0.05j, 0.09, any_colour(rng))


def draw_box(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a box."""
    colour, wide, tall = any_colour(rng), between(rng, 0.2, 0.6), between(rng, 0.2, 0.7)
    skew = pick(rng, (-1, 1)) * between(rng, 0.1, 0.2)
    canvas.box(-wide / 2, -tall, wide / 2, 0, shade(colour, 0.85))
    corner = wide / 2 if skew > 0 else -wide / 2
    canvas.flat(
        [corner, corner - 1j * tall, corner + skew - 1j * (tall + 0.1), corner + skew - 0.1j],
        shade(colour, 0.6),
    )
    canvas.flat(
        [
            -wide / 2 - 1j * tall,
            wide / 2 - 1j * tall,
            wide / 2 + skew - 1j * (tall + 0.1),
            -wide / 2 + skew - 1j * (tall + 0.1),
        ],
        colour,
    )
    if chance(rng, 0.5):
        canvas.box(-0.03, -tall, 0.03, 0, shade(colour, 0.65))


def draw_ball(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a ball."""
    r, colour = between(rng, 0.08, 0.22), any_colour(rng)
    canvas.ball(-1j * r, 1j * r, r, colour)
    if chance(rng, 0.6):
        canvas.oval(-1j * r, 0.9j * r, 0.25 * r, any_colour(rng))


def draw_car(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a car."""
    colour, way = any_colour(rng), pick(rng, (-1, 1))
    cabin = [-0.62 - 0.42j, -0.42 - 0.82j, 0.25 - 0.82j, 0.55 - 0.45j]
    glass = [-0.5 - 0.45j, -0.36 - 0.76j, 0.21 - 0.76j, 0.43 - 0.46j]
    hull = [-1.05 - 0.12j, -1.08 - 0.4j, -0.6 - 0.5j, 0.55 - 0.5j, 1.02 - 0.38j, 1.08 - 0.12j]
    canvas.solid([complex(way * p.real, p.imag) for p in cabin], colour, 0.1)
    canvas.flat([complex(way * p.real, p.imag) for p in glass], (150, 176, 190))
    canvas.box(-0.1, -0.78, -0.05, -0.45, shade(colour, 0.8))
    canvas.solid([complex(way * p.real, p.imag) for p in hull], colour, 0.1)
    canvas.ball(way * 1.0 - 0.34j, 0.04j, 0.05, (250, 244, 200))
    for x in (-0.64, 0.64):
        canvas.disc(x - 0.15j, 0.16, (34, 34, 38))
        canvas.disc(x - 0.15j, 0.08, (150, 152, 158))


def draw_chair(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a chair."""
    wood, way = varied(rng, pick(rng, WOODS + METALS)), pick(rng, (-1, 1))
    seat = shade(wood, 1.2) if chance(rng, 0.5) else any_colour(rng)
    for x in (-0.17, 0.17, -0.1, 0.22):
        canvas.limb([x - 0.27j, x * 1.1 - 0.01j], [0.018, 0.015], [wood])
    canvas.limb([complex(-0.17 * way, -0.27), complex(-0.21 * way, -0.58)], [0.022, 0.02], [wood])
    canvas.solid([-0.2 - 0.25j, -0.14 - 0.31j, 0.26 - 0.31j, 0.2 - 0.25j], seat, 0.1)
    back = [complex(way * x, y) for x, y in ((-0.2, -0.4), (-0.13, -0.44), (-0.16, -0.62), (-0.23, -0.58))]
    canvas.solid(back, seat, 0.1)


def draw_barrel(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a barrel."""
    colour, r, tall = any_colour(rng), between(rng, 0.12, 0.2), between(rng, 0.3, 0.55)
    canvas.solid(
        [-r, -1.12 * r - 0.5j * tall, -r - 1j * tall, r - 1j * tall, 1.12 * r - 0.5j * tall, r], colour
    )
    for level in (0.25, 0.75):
        canvas.box(-1.06 * r, -tall * level - 0.015, 1.06 * r, -tall * level + 0.015, shade(colour, 0.55))
    canvas.oval(-1j * tall, 0.3j * r, r, shade(colour, 0.9))
