"""The canvas that people and things are drawn on, and the sprite that is cut from it.

Points of the image plane are complex numbers, `x + 1j * y`, in units of a person's standing height:
multiplying by `1j` gives a normal, multiplying by `exp(1j * angle)` a rotation.
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
    """A person or a thing, cut to its silhouette.

    Attributes:
        image: RGBA.
        mask: `(h, w)` bool, the silhouette.
        joints: `(14, 2)` float32, sprite pixels; `(0, 2)` for a thing.
    """

    image: Image.Image
    mask: np.ndarray
    joints: np.ndarray


class Canvas:
    """A transparent image that is drawn on in units of a person's height, at twice the final size.

    A shaded shape is a dark base with a smaller, brighter shape on it that is shifted towards the light.

    Args:
        top_left, bottom_right: the extent of the canvas.
        height: pixels of a person's standing height.
        light: unit vector towards the light.
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
        """Draws a polygon of one colour."""
        self._draw.polygon([self._at(p) for p in points], fill=colour)

    def solid(self, points: Sequence[complex], colour: Colour, depth: float = 0.2) -> None:
        """Draws a shaded polygon; its brighter part is smaller by the fraction `depth`."""
        self.flat(points, shade(colour, 0.8))
        centre = sum(points, 0j) / len(points)
        reach = max(abs(p - centre) for p in points)
        shift = centre + self.light * reach * depth * 0.4
        self.flat([shift + (p - centre) * (1 - depth) for p in points], colour)

    def disc(self, centre: complex, radius: float, colour: Colour) -> None:
        """Draws a circle of one colour."""
        (x, y), r = self._at(centre), radius * self.scale
        self._draw.ellipse([x - r, y - r, x + r, y + r], fill=colour)

    def oval(self, centre: complex, along: complex, across: complex, colour: Colour) -> None:
        """Draws an ellipse of one colour with the half-axes `along` and `across`."""
        self.flat([centre + along * c + across * s for c, s in CIRCLE], colour)

    def ball(self, centre: complex, along: complex, across: complex, colour: Colour) -> None:
        """Draws a shaded ellipse."""
        self.oval(centre, along, across, shade(colour, 0.8))
        shift = centre + self.light * 0.2 * min(abs(along), abs(across))
        self.oval(shift, 0.76 * along, 0.76 * across, colour)

    def capsule(self, a: complex, b: complex, ra: float, rb: float, colour: Colour) -> None:
        """Draws a tapered stroke of one colour with round ends."""
        self.disc(a, ra, colour)
        self.disc(b, rb, colour)
        length = abs(b - a)
        if length > 1e-6:
            normal = 1j * (b - a) / length
            self.flat([a + normal * ra, b + normal * rb, b - normal * rb, a - normal * ra], colour)

    def limb(self, points: Sequence[complex], radii: Sequence[float], colours: Sequence[Colour]) -> None:
        """Draws a chain of tapered strokes, each of its own colour, shaded together."""
        strokes = list(zip(points[:-1], points[1:], radii[:-1], radii[1:], colours, strict=True))
        for a, b, ra, rb, colour in strokes:
            self.capsule(a, b, ra, rb, shade(colour, 0.76))
        for a, b, ra, rb, colour in strokes:
            lift = 0.24 * self.light
            self.capsule(a + lift * ra, b + lift * rb, 0.7 * ra, 0.7 * rb, colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Draws an upright rectangle of one colour."""
        self._draw.rectangle([*self._at(left + 1j * top), *self._at(right + 1j * bottom)], fill=colour)

    def sprite(self, joints: Sequence[complex] = ()) -> Sprite | None:
        """What was drawn, at the final size; None if no pixel of it is left.

        Args:
            joints: of a person.
        """
        image = self.sheet.reduce(SUPERSAMPLING)
        solid = image.getchannel("A").point(SOLID)
        frame = solid.getbbox()
        if frame is None:
            return None
        mask = np.asarray(solid.crop(frame)) > 0
        # A supersampled pixel i is drawn around the coordinate i and covers i..i + 1, hence the half.
        points = [[(v + 0.5) / SUPERSAMPLING for v in self._at(p)] for p in joints]
        moved = np.array(points, np.float32).reshape(-1, 2) - np.array(frame[:2], np.float32)
        return Sprite(image.crop(frame), mask, moved)
