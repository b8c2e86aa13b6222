"""Draws plants and animals. Each stands at y = 0, in the middle of its canvas."""

import math

import numpy as np

from keras_cornernet.data.scenes.canvas import Canvas
from keras_cornernet.data.scenes.colours import WOODS, shade, varied
from keras_cornernet.data.scenes.dice import between, chance, pick

LEAVES = ((58, 110, 52), (84, 132, 58), (40, 84, 54), (150, 120, 50), (110, 140, 80))
FURS = ((96, 64, 40), (170, 120, 74), (60, 54, 52), (210, 196, 176), (140, 140, 140))


def draw_tree(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a tree: bare, a fir or one with leaves."""
    bark, leaf = varied(rng, pick(rng, WOODS)), pick(rng, LEAVES)
    tall = between(rng, 1.3, 2.3)
    fork = -0.55j * tall
    canvas.limb([0.02, fork], [0.08, 0.05], [bark])
    for side in (-1, 1):
        canvas.limb([fork, fork + complex(side * 0.25, -0.3)], [0.05, 0.025], [bark])
    if chance(rng, 0.2):  # bare
        for angle in (-0.7, -0.2, 0.3, 0.8):
            tip = complex(math.sin(angle), -math.cos(angle)) * 0.45 * tall
            canvas.limb([fork, fork + tip], [0.035, 0.01], [bark])
    elif chance(rng, 0.35):  # fir
        for level in range(3):
            half, top = 0.42 - 0.09 * level, -tall * (0.55 + 0.22 * level)
            base = top + 0.34 * tall
            canvas.solid(
                [complex(-half, base), complex(half, base), complex(0, top)], varied(rng, leaf), 0.15
            )
    else:
        for _ in range(9):
            centre = complex(between(rng, -0.42, 0.42), -tall * between(rng, 0.6, 0.9))
            r = between(rng, 0.16, 0.3)
            canvas.ball(centre, 1j * r, r, varied(rng, leaf))


def draw_bush(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a bush."""
    leaf, wide = pick(rng, LEAVES), between(rng, 0.25, 0.6)
    for _ in range(8):
        r = between(rng, 0.1, 0.2)
        centre = complex(between(rng, -wide, wide), -between(rng, 0.08, 0.35))
        canvas.ball(centre, 1j * r, r, varied(rng, leaf, 0.2))


def draw_cactus(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a cactus with two arms."""
    green, tall = varied(rng, (70, 128, 72)), between(rng, 0.7, 1.2)
    canvas.limb([0, -1j * tall], [0.085, 0.075], [green])
    for side in (-1, 1):
        root = -1j * tall * between(rng, 0.4, 0.6)
        elbow = root + side * between(rng, 0.17, 0.24)
        canvas.limb([root, elbow, elbow - 1j * between(rng, 0.15, 0.4)], [0.05, 0.05, 0.045], [green] * 2)


def draw_animal(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draws a quadruped between dog and horse in size and shape."""
    fur, way, k = varied(rng, pick(rng, FURS)), pick(rng, (-1, 1)), between(rng, 0.4, 1.0)

    def at(x: float, y: float) -> complex:
        return complex(way * x, y) * k

    for x, tint in ((-0.34, 0.7), (0.3, 0.7), (-0.28, 1.0), (0.36, 1.0)):
        foot = x + between(rng, -0.13, 0.13)
        points = [at(x, -0.46), at(0.5 * (x + foot) + 0.03, -0.24), at(foot, -0.03)]
        canvas.limb(points, [0.075 * k, 0.05 * k, 0.035 * k], [shade(fur, tint)] * 2)
    canvas.limb([at(-0.4, -0.55), at(-0.62, -between(rng, 0.3, 0.85))], [0.035 * k, 0.02 * k], [fur])
    canvas.limb([at(-0.32, -0.56), at(0.3, -0.54)], [0.14 * k, 0.155 * k], [fur])
    head = at(0.56, -between(rng, 0.72, 0.95))
    canvas.limb([at(0.34, -0.6), head], [0.11 * k, 0.07 * k], [fur])
    canvas.limb([head, head + at(0.17, 0.06)], [0.085 * k, 0.05 * k], [fur])
    canvas.limb([head + at(-0.03, -0.05), head + at(-0.08, -0.15)], [0.035 * k, 0.015 * k], [shade(fur, 0.7)])
    canvas.disc(head + at(0.05, -0.02), 0.014 * k, (20, 16, 16))
