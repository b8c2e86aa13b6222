"""Pose metrics beside PCK at one threshold: curves and the area under them, mean errors, heatmaps."""

import numpy as np

from keras_cornernet.evaluation.pck import MEANS, fraction_within, normalized_distances
from keras_cornernet.skeletons import Skeleton

# 0, 0.01 .. 0.5 as MPII's toolkit and MMPose; pytorch-pose stops at 0.49: `THRESHOLDS[:-1]`.
THRESHOLDS = np.arange(51) / 100


def pck_curve(
    predicted: np.ndarray,
    truth: np.ndarray,
    annotated: np.ndarray,
    unit: np.ndarray,
    thresholds: np.ndarray = THRESHOLDS,
    *,
    inclusive: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """`pck` at many thresholds.

    Args:
        predicted, truth, annotated, unit, inclusive: as `pck`.
        thresholds: `(t,)` in units.

    Returns:
        Fractions `(t, k)`, NaN for joints that were never counted, and counts `(k,)`.
    """
    distances = normalized_distances(predicted, truth, annotated, unit)
    counts = (distances >= 0).sum(axis=0)
    fractions = [fraction_within(distances, threshold, inclusive=inclusive)[0] for threshold in thresholds]
    return np.array(fractions).reshape(-1, len(counts)), counts


def auc(
    predicted: np.ndarray,
    truth: np.ndarray,
    annotated: np.ndarray,
    unit: np.ndarray,
    skeleton: Skeleton,
    *,
    mean: str = "plain",
    thresholds: np.ndarray = THRESHOLDS,
    inclusive: bool = False,
) -> float:
    """The area under the PCK curve: the mean over thresholds of the mean over joints, at most 1.

    The strict `<` gives 0 at threshold 0, so perfect predictions reach 50/51; `inclusive` gives 1.

    Args:
        predicted, truth, annotated, unit, inclusive: as `pck`.
        skeleton: of the joints.
        mean: over joints, one of `MEANS`.
        thresholds: `(t,)` in units; `THRESHOLDS[:-1]` for the 50 of pytorch-pose.

    Returns:
        The area in 0..1, NaN where nothing was counted.
    """
    if mean not in MEANS:
        raise ValueError(f"mean: expected {', '.join(map(repr, MEANS))}, got {mean!r}")
    fractions, counts = pck_curve(predicted, truth, annotated, unit, thresholds, inclusive=inclusive)
    if len(skeleton.joints) != len(counts):
        raise ValueError(f"skeleton: expected {len(counts)} joints as truth, got {len(skeleton.joints)}")
    return float(np.mean([MEANS[mean](row, counts, skeleton) for row in fractions]))


def keypoint_auc(
    predicted: np.ndarray,
    truth: np.ndarray,
    annotated: np.ndarray,
    *,
    normalizer: float = 30.0,
    steps: int = 20,
) -> float:
    """MMPose's `keypoint_auc`, which differs from `auc`: distances in units of a fixed number of pixels.

    Args:
        predicted, truth, annotated: as `pck`.
        normalizer: the unit, pixels.
        steps: the number of thresholds: 0, 1 / steps .. 1 - 1 / steps.

    Returns:
        The mean over thresholds of the plain mean over all joints, NaN where nothing was counted.
    """
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    unit = np.full(len(truth), normalizer)
    fractions, counts = pck_curve(predicted, truth, annotated, unit, np.arange(steps) / steps)
    return float(fractions[:, counts > 0].mean()) if counts.any() else np.nan


def end_point_error(predicted: np.ndarray, truth: np.ndarray, annotated: np.ndarray) -> float:
    """The mean distance of predictions from the truth in pixels (MMPose's `keypoint_epe`).

    Args:
        predicted, truth, annotated: as `pck`.

    Returns:
        Pixels; infinite if a prediction is missing, NaN if nothing was counted.
    """
    return normalized_mean_error(predicted, truth, annotated, np.ones(len(truth)))


def normalized_mean_error(
    predicted: np.ndarray, truth: np.ndarray, annotated: np.ndarray, unit: np.ndarray
) -> float:
    """The mean distance of predictions from the truth in units (MMPose's `keypoint_nme`).

    Args:
        predicted, truth, annotated, unit: as `pck`.

    Returns:
        In units; infinite if a prediction is missing, NaN if nothing was counted.
    """
    distances = normalized_distances(predicted, truth, annotated, unit)
    distances = distances[distances >= 0]
    return float(distances.mean()) if distances.size else np.nan


def heatmap_pck(
    predicted: np.ndarray, target: np.ndarray, *, threshold: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of peaks that lie near those of the target, which pose-hg-train prints during training.

    Peaks are the first maxima of the maps. The unit is a tenth of the map, so that 0.5 units are 3.2 pixels
    of 64. The authors' mean is over ankles, knees, hips, wrists and elbows alone.

    Args:
        predicted: `(n, height, width, k)` heatmaps, of the last stack.
        target: `(n, height, width, k)`. A joint whose peak is in the first row or column (which includes
            one without a Gaussian) is left out, as the authors do.
        threshold: in tenths of the longer side; a distance equal to it counts as correct (Torch7's `le`).

    Returns:
        Fractions `(k,)` in 0..1, NaN where nothing was counted, and counts `(k,)`.
    """
    predicted, target = np.asarray(predicted), np.asarray(target)
    if target.ndim != 4:
        raise ValueError(f"target: expected the shape (n, height, width, k), got {target.shape}")
    if predicted.shape != target.shape:
        raise ValueError(f"predicted: expected the shape of target, {target.shape}, got {predicted.shape}")
    n, height, width = target.shape[:3]
    found, true = _peaks(predicted), _peaks(target)
    annotated: np.ndarray = np.min(true, axis=-1) > 0
    distances = normalized_distances(found, true, annotated, np.full(n, max(height, width) / 10))
    return fraction_within(distances, threshold, inclusive=True)


def _peaks(heatmaps: np.ndarray) -> np.ndarray:
    """`(n, k, 2)` x, y of each map's first maximum."""
    n, height, width, k = heatmaps.shape
    index = heatmaps.reshape(n, height * width, k).argmax(axis=1)
    return np.stack([index % width, index // width], axis=-1)
