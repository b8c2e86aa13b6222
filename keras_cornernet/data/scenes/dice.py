"""Throws of the dice: a number between two others, yes or no, one of several."""

from collections.abc import Sequence

import numpy as np


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number in `low..high`, all equally likely."""
    return low + (high - low) * rng.random()


def chance(rng: np.random.Generator, share: float) -> bool:
    """True in that share of the throws."""
    return rng.random() < share


def pick(rng: np.random.Generator, options: Sequence):
    """One of the options, all equally likely."""
    return options[int(rng.random() * len(options))]
