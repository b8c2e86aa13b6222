"""Comparison of an exported file with the model it came from."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.export.precisions import PRECISIONS, Tolerance
from keras_cornernet.preprocessing import fit_view

# Boxes and joints with a lower score are not compared, because their order is chance. Where nothing reaches
# it, half of the best score is the limit.
MIN_SCORE = 0.3


@dataclass(frozen=True)
class Agreement:
    """How well two models agree.

    Attributes:
        compared: number of boxes or joints that one of the two models shows.
        fraction: of them that agree within the tolerance; 0 if there are none.
        distance: median distance, as a fraction of the image's longer side.
        largest_distance, largest_score: the largest differences of those that both models show.
        milliseconds: median time of the exported model for an image, with preparation and decoding.
        sound: whether `fraction` is large enough.
    """

    compared: int
    fraction: float
    distance: float
    largest_distance: float
    largest_score: float
    milliseconds: float
    sound: bool

    def disagreement(self, path: str | Path, precision: str) -> str:
        """Why the file at `path` cannot be trusted, for people."""
        wanted = PRECISIONS[precision].tolerance
        if not self.compared:
            return f"{path}: the model finds nothing on these images, so nothing was compared: give --images"
        return (
            f"{path}: only {self.fraction:.1%} of {self.compared} boxes or joints agree with Keras "
            f"within {wanted.distance:.1%} of the image and {wanted.score} in score, and "
            f"{wanted.fraction:.0%} should"
        )


def compare(model: Any, exported: Any, images: Sequence[np.ndarray]) -> Agreement:
    """Compares an exported model with the model it came from, on images.

    Images are first fitted into the size that the exported file takes, so that both get the same pixels.

    Args:
        model: with the settings that it was exported with.
        exported: the opened file, see `export.exported`.
        images: `(h, w, 3)` uint8 RGB, of any sizes.

    Raises:
        ValueError: there are no images.
    """
    if not len(images):
        raise ValueError("images must hold at least one image to compare on")
    size, precision = exported.description.image_size, exported.description.precision
    images = [image if size is None else fit_view(image.shape[:2], size).apply(image) for image in images]
    exported.predict(images[0])  # the first call prepares the runtime
    results, times = [], []
    for image in images:
        start = time.perf_counter()
        (theirs,) = exported.predict(image, min_score=0)
        times.append(time.perf_counter() - start)
        (ours,) = model.predict(image, min_score=0, flip=None)
        results.append((ours, theirs))
    best = max(exported.scores(result).max(initial=0.0) for pair in results for result in pair)
    min_score = min(MIN_SCORE, max(best / 2, 1e-6))
    differences = []
    for image, (ours, theirs) in zip(images, results, strict=True):
        pairs = exported.differences(ours, theirs, min_score)
        pairs[:, 0] /= max(image.shape[:2])
        differences.append(pairs)
    milliseconds = 1e3 * float(np.median(times))
    return _agreement(np.concatenate(differences), PRECISIONS[precision].tolerance, milliseconds)


def _agreement(differences: np.ndarray, tolerance: Tolerance, milliseconds: float) -> Agreement:
    """The agreement of `(n, 2)` differences: distances over the image's longer side, and scores."""
    distance, score = differences.T
    good = (distance <= tolerance.distance) & (score <= tolerance.score)
    fraction = float(good.mean()) if len(good) else 0.0
    matched = np.isfinite(distance)
    return Agreement(
        len(distance),
        fraction,
        float(np.median(distance[matched])) if matched.any() else 0.0,
        float(distance[matched].max(initial=0.0)),
        float(score[matched].max(initial=0.0)),
        milliseconds,
        fraction >= tolerance.fraction,
    )
