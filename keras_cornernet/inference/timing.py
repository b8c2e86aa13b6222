"""The time that results take."""

import time
from typing import Self

from keras_cornernet.results import Speed


class Stopwatch:
    """Adds up the time spent in its `with` blocks.

    Attributes:
        milliseconds: the sum so far.
    """

    def __init__(self) -> None:
        self.milliseconds = 0.0
        self._start = 0.0

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.milliseconds += 1e3 * (time.perf_counter() - self._start)


def speed_of(reading: float, total: Stopwatch, graph: Stopwatch, images: int = 1) -> Speed:
    """The speed of one of several images that were processed together.

    Args:
        reading: milliseconds that reading this image took.
        total: time for all images after they were read.
        graph: the part of `total` that was spent in compiled graphs.
        images: number of images that share `total`.
    """
    return Speed(reading, graph.milliseconds / images, (total.milliseconds - graph.milliseconds) / images)
