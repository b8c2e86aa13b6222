"""The check of the arrays that a result is made of."""

import numpy as np


def check_shapes(**arrays: tuple[np.ndarray, tuple[int, ...]]) -> None:
    """Raises `ValueError` for the first array, by name with the shape expected of it, that has another."""
    for name, (array, shape) in arrays.items():
        if array.shape != shape:
            raise ValueError(f"{name}: expected the shape {shape}, got {array.shape}")
