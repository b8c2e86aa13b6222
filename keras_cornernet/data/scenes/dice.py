"""Random choices: a number between two others, yes or no, one of several options."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number in `low..high`, uniformly distributed."""
    return low + (high - low) * rng.random()


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with this probability."""
    return rng.random() < probability


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each with the same probability."""
    return options[int(rng.random() * len(options))]
