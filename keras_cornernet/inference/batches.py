"""Batches of inputs for graphs that are compiled for one batch size."""

from typing import NamedTuple

import numpy as np

from keras_cornernet.inference.timing import Stopwatch


class Batching(NamedTuple):
    """How inputs go through a network.

    Attributes:
        size: inputs in a batch; the last batch is filled up.
        flip: whether the mirror images go through the network too.
        graph: measures the time in compiled graphs.
    """

    size: int
    flip: bool
    graph: Stopwatch


def filled_up(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` rows: those given, at least one, and the last one repeated."""
    return np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])
