"""An exported file against the model it came from, on images."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet.export.exported import ExportedDetector, ExportedPoseEstimator
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.preprocessing import fit_view

# Boxes and joints that score less are not compared, since their order is chance: those below this, or where
# nothing reaches it, below half of the best.
SHOWN = 0.3


class Tolerance(NamedTuple):
    """How far answers may differ.

    Attributes:
        distance: between box sides or joints, as a share of the image's longer side.
        score: of boxes and joints.
        fraction: of all boxes and joints that must agree so well.
    """

    distance: float
    score: float
    fraction: float


# Float forms compute the same in another order. A joint or a box between two peaks may jump in 8 bits.
TOLERANCES = {
    "float32": Tolerance(0.005, 0.01, 1.0),
    "float16": Tolerance(0.01, 0.02, 1.0),
    "dynamic": Tolerance(0.04, 0.15, 0.8),
    "int8": Tolerance(0.04, 0.25, 0.8),
}


@dataclass(frozen=True)
class Agreement:
    """How well two models agree.

    Attributes:
        compared: boxes or joints that one of the two shows.
        fraction: of them that agree within the tolerance; 0 where nothing was shown.
        distance: median distance, as a share of the image's longer side.
        largest_distance, largest_score: the largest differences of those that the other shows at all.
        milliseconds: median time of the exported model for an image, with preparation and decoding.
        sound: whether the share is large enough.
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
        wanted = TOLERANCES[precision]
        if not self.compared:
            return f"{path}: the model finds nothing on these images, so nothing was compared: give --images"
        return (
            f"{path}: only {self.fraction:.1%} of {self.compared} boxes or joints agree with Keras "
            f"within {wanted.distance:.1%} of the image and {wanted.score} in score, and "
            f"{wanted.fraction:.0%} should"
        )


def compare(
    model: Detector | PoseEstimator,
    exported: ExportedDetector | ExportedPoseEstimator,
    images: Sequence[np.ndarray],
) -> Agreement:
    """Runs both on the same images.

    Images go in at the size that the exported file takes, so that both see the same pixels.

    Args:
        model: with the settings that it was exported with.
        exported: the loaded file.
        images: `(h, w, 3)` uint8 RGB, of any sizes.

    Raises:
        ValueError: there are no images.
    """
    if not len(images):
        raise ValueError("images must hold at least one image to compare on")
    size, tolerance = exported.description.image_size, TOLERANCES[exported.description.precision]
    images = [image if size is None else fit_view(image.shape[:2], size).apply(image) for image in images]
    exported.predict(images[0])  # the first call also prepares
    answers, times = [], []
    for image in images:
        start = time.perf_counter()
        (theirs,) = exported.predict(image, min_score=0)
        times.append(time.perf_counter() - start)
        (ours,) = model.predict(image, min_score=0, flip=None)
        answers.append((ours, theirs))
    best = max(exported.scores(answer).max(initial=0.0) for pair in answers for answer in pair)
    shown = min(SHOWN, max(best / 2, 1e-6))
    differences = []
    for image, (ours, theirs) in zip(images, answers, strict=True):
        pairs = exported.differences(ours, theirs, shown)
        pairs[:, 0] /= max(image.shape[:2])
        differences.append(pairs)
    place, score = np.concatenate(differences).T
    good = (place <= tolerance.distance) & (score <= tolerance.score)
    fraction = float(good.mean()) if len(good) else 0.0
    matched = np.isfinite(place)
    return Agreement(
        len(place),
        fraction,
        float(np.median(place[matched])) if matched.any() else 0.0,
        float(place[matched].max(initial=0.0)),
        float(score[matched].max(initial=0.0)),
        1e3 * float(np.median(times)),
        fraction >= tolerance.fraction,
    )
