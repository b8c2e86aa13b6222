"""Colours of things and people, and functions that choose and vary them."""

import colorsys

import numpy as np

from keras_cornernet.data.scenes.dice import between, chance

Colour = tuple[int, int, int]

SKINS = ((255, 224, 196), (241, 194, 160), (224, 172, 130), (198, 134, 92), (150, 98, 64), (110, 70, 46))
WOODS = ((120, 82, 52), (92, 62, 42), (160, 118, 76), (70, 52, 40))
METALS = ((70, 74, 80), (120, 126, 132), (48, 60, 52), (160, 164, 168))


def shade(colour: Colour, factor: float) -> Colour:
    """The colour darkened (`factor` below 1) or lightened."""
    red, green, blue = (min(255, int(channel * factor)) for channel in colour)
    return red, green, blue


def any_colour(rng: np.random.Generator) -> Colour:
    """A colour of clothes or paint: mostly a saturated one, sometimes nearly grey."""
    saturation = between(rng, 0.0, 0.15) if chance(rng, 0.25) else between(rng, 0.3, 0.95)
    return from_hsv(rng.random(), saturation, between(rng, 0.22, 0.97))


def from_hsv(hue: float, saturation: float, value: float) -> Colour:
    """The colour of a hue, a saturation and a value, each in 0..1."""
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return int(255 * red), int(255 * green), int(255 * blue)


def varied(rng: np.random.Generator, colour: Colour, spread: float = 0.12) -> Colour:
    """The colour darkened or lightened by at most the fraction `spread`."""
    return shade(colour, 1 + between(rng, -spread, spread))
