"""Weights that no network can work with."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def check_finite(weights: Iterable[Any], source: object) -> None:
    """Raises `ValueError` where a weight holds a number that is not finite, or a variance below 0.

    Args:
        weights: Keras variables, or pairs of the path of one and an array.
        source: what they belong to, for the message.
    """
    for weight in weights:
        path, values = weight if isinstance(weight, tuple) else (weight.path, weight.numpy())
        values = np.asarray(values)
        if values.dtype.kind in "iub":  # counters
            continue
        if values.dtype.kind != "f":  # types of two bytes that NumPy lacks
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError(f"{source}: the weight {path} holds numbers that are not finite")
        if path.endswith("moving_variance") and values.size and values.min() < 0:
            raise ValueError(f"{source}: the weight {path} is a variance and holds numbers below 0")
