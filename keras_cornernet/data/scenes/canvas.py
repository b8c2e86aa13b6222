"""The sheet that people and things are drawn on, and the sprite that is cut from it.

Points of the image plane are complex numbers, `x + 1j * y`, in units of a person's standing height: a normal
is a product with `1j`, a rotation a product with `exp(1j * angle)`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.data.scenes.colours import Colour, shade

SUPERSAMPLING = 2
CIRCLE = [(math.cos(math.tau * i / 20), math.sin(math.tau * i / 20)) for i in range(20)]
SOLID = [255 * (value >= 128) for value in range(256)]


class Sprite(NamedTuple):
    """Something drawn on its own, cut to its silhouette."""

    image: Image.Image  # RGBA
    mask: np.ndarray  # (h, w) bool, the silhouette
    joints: np.ndarray | None = None  # (14, 2) pixels of the sprite


class Canvas:
    """A transparent sheet that is drawn on in units of a person's height, at twice the final size.

    Every shape has a dark base and a lit, smaller shape on it, shifted towards the light.
    """

    def __init__(self, top_left: complex, bottom_right: complex, height: float, light: complex = -0.6 - 0.8j):
        self.scale = SUPERSAMPLING * height
        self.origin = top_left
        extent = (bottom_right - top_left) * height
        size = (max(math.ceil(extent.real), 1), max(math.ceil(extent.imag), 1))
        self.sheet = Image.new("RGBA", (SUPERSAMPLING * size[0], SUPERSAMPLING * size[1]))
        self._draw = ImageDraw.Draw(self.sheet)
        self.light = light

    def _at(self, point: complex) -> tuple[float, float]:
        moved = (point - self.origin) * self.scale
        return moved.real, moved.imag

    def flat(self, points: Sequence[complex], colour: Colour) -> None:
        """A filled polygon of one colour."""
        self._draw.polygon([self._at(p) for p in points], fill=colour)

    def solid(self, points: Sequence[complex], colour: Colour, depth: float = 0.2) -> None:
        """A filled polygon with a lit middle; `depth` is how much smaller that is."""
        self.flat(points, shade(colour, 0.8))
        centre = sum(points) / len(points)
        reach = max(abs(p - centre) for p in points)
        shift = centre + self.light * reach * depth * 0.4
        self.flat([shift + (p - centre) * (1 - depth) for p in points], colour)

    def disc(self, centre: complex, radius: float, colour: Colour) -> None:
        """A filled circle of one colour."""
        (x, y), r = self._at(centre), radius * self.scale
        self._draw.ellipse([x - r, y - r, x + r, y + r], fill=colour)

    def oval(self, centre: complex, along: complex, across: complex, colour: Colour) -> None:
        """A filled ellipse of one colour with the half-axes `along` and `across`."""
        self.flat([centre + along * c + across * s for c, s in CIRCLE], colour)

    def ball(self, centre: complex, along: complex, across: complex, colour: Colour) -> None:
        """An ellipse with a lit side."""
        self.oval(centre, along, across, shade(colour, 0.8))
        shift = centre + self.light * 0.2 * min(abs(along), abs(across))
        self.oval(shift, 0.76 * along, 0.76 * across, colour)

    def capsule(self, a: complex, b: complex, ra: float, rb: float, colour: Colour) -> None:
        """A tapered stroke of one colour with round ends."""
        self.disc(a, ra, colour)
        self.disc(b, rb, colour)
        length = abs(b - a)
        if length > 1e-6:
            normal = 1j * (b - a) / length
            self.flat([a + normal * ra, b + normal * rb, b - normal * rb, a - normal * ra], colour)

    def limb(self, points: Sequence[complex], radii: Sequence[float], colours: Sequence[Colour]) -> None:
        """A chain of tapered strokes, one colour per stroke, lit as one body."""
        strokes = list(zip(points[:-1], points[1:], radii[:-1], radii[1:], colours, strict=True))
        for a, b, ra, rb, colour in strokes:
            self.capsule(a, b, ra, rb, shade(colour, 0.76))
        for a, b, ra, rb, colour in strokes:
            lift = 0.24 * self.light
            self.capsule(a + lift * ra, b + lift * rb, 0.7 * ra, 0.7 * rb, colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """An upright rectangle of one colour."""
        self._draw.rectangle([*self._at(left + 1j * top), *self._at(right + 1j * bottom)], fill=colour)

    def sprite(self, joints: Sequence[complex] | None = None) -> Sprite | None:
        """What was drawn, at final size; None when nothing is left of it."""
        image = self.sheet.reduce(SUPERSAMPLING)
        solid = image.getchannel("A").point(SOLID)
        frame = solid.getbbox()
        if frame is None:
            return None
        mask = np.asarray(solid.crop(frame)) > 0
        if joints is None:
            return Sprite(image.crop(frame), mask)
        # A supersampled pixel i is drawn around the coordinate i, and covers i..i + 1: hence the half.
        points = [[(v + 0.5) / SUPERSAMPLING for v in self._at(p)] for p in joints]
        return Sprite(image.crop(frame), mask, np.array(points, np.float32) - np.float32(frame[:2]))
