"""Colours of things and people: how they are chosen, darkened and varied."""

import colorsys

import numpy as np

from keras_cornernet.data.scenes.dice import between, chance

Colour = tuple[int, int, int]

SKINS = ((255, 224, 196), (241, 194, 160), (224, 172, 130), (198, 134, 92), (150, 98, 64), (110, 70, 46))
WOODS = ((120, 82, 52), (92, 62, 42), (160, 118, 76), (70, 52, 40))
METALS = ((70, 74, 80), (120, 126, 132), (48, 60, 52), (160, 164, 168))


def shade(colour: Colour, factor: float) -> Colour:
    """The colour darkened (`factor` below 1) or lightened."""
    return tuple(min(255, int(channel * factor)) for channel in colour)


def any_colour(rng: np.random.Generator) -> Colour:
    """Clothes and paint: mostly a hue of some strength, sometimes a grey."""
    saturation = between(rng, 0.0, 0.15) if chance(rng, 0.25) else between(rng, 0.3, 0.95)
    rgb = colorsys.hsv_to_rgb(rng.random(), saturation, between(rng, 0.22, 0.97))
    return tuple(int(255 * channel) for channel in rgb)


def varied(rng: np.random.Generator, colour: Colour, spread: float = 0.12) -> Colour:
    """The colour a little darker or lighter, by at most the share `spread`."""
    return shade(colour, 1 + between(rng, -spread, spread))
