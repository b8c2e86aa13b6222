"""Percentage of correct keypoints (PCK, PCKh): the fraction of joints that lie close enough to the truth.

"Close" is a threshold times a size of the person: the head (PCKh, Andriluka et al. 2014) or the torso
(PCK, Sapp & Taskar 2013). All functions take NumPy arrays and return fractions of 1; most released codes
print percent. A joint that is annotated for nobody gets NaN and is left out of every mean; MMPose gives it
-100 percent, which makes the mean of left and right negative.
"""

import numpy as np

from keras_cornernet.skeletons import Skeleton

# The rows of the papers' PCKh tables. MPII's own toolkit may average neck and head top for "head"; the
# released Python codes (pytorch-pose, MMPose) take the head top alone, as we do.
ROWS = {
    "head": ("head_top",),
    **{
        row: (f"left_{row}", f"right_{row}") for row in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
NOT_IN_MEAN = ("pelvis", "thorax")


def pck(
    predicted: np.ndarray,
    truth: np.ndarray,
    annotated: np.ndarray,
    unit: np.ndarray,
    threshold: float,
    *,
    inclusive: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of the predictions of each joint that are correct: nearer than `threshold * unit`.

    Args:
        predicted: `(n, k, 2)` image pixels; NaN means no prediction and counts as wrong.
        truth: `(n, k, 2)` image pixels.
        annotated: `(n, k)` bool; hidden joints that are annotated count.
        unit: `(n,)` or `(n, k)` pixels, such as head sizes. Where it is NaN, 0 or less, joints are left out.
        threshold: in units.
        inclusive: count a distance equal to the threshold as correct (`<=`), as the authors' Torch7 code and
            MPII's toolkit do; pytorch-pose, MMPose and pytorch_stacked_hourglass are strict.

    Returns:
        Fractions `(k,)` in 0..1, NaN where nothing was counted, and counts `(k,)`.

    Raises:
        ValueError: the shapes do not fit, or an annotated joint of the truth is not finite.
    """
    distances = normalized_distances(predicted, truth, annotated, unit)
    return fraction_within(distances, threshold, inclusive=inclusive)


def normalized_distances(
    predicted: np.ndarray, truth: np.ndarray, annotated: np.ndarray, unit: np.ndarray
) -> np.ndarray:
    """Distances between predictions and truth in units of each person's size.

    Args:
        predicted, truth, annotated, unit: as `pck`.

    Returns:
        `(n, k)` float64: -1 for joints that do not count (as in pose-hg-train), infinite where there is no
        prediction.

    Raises:
        ValueError: as `pck`.
    """
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    annotated, unit = np.asarray(annotated), np.asarray(unit, np.float64)
    if truth.ndim != 3 or truth.shape[2] != 2:
        raise ValueError(f"truth: expected the shape (n, k, 2), got {truth.shape}")
    n, k, _ = truth.shape
    if predicted.shape != truth.shape:
        raise ValueError(f"predicted: expected the shape of truth, {truth.shape}, got {predicted.shape}")
    if annotated.shape != (n, k) or annotated.dtype != bool:
        raise ValueError(f"annotated: expected {(n, k)} bool, got {annotated.shape} {annotated.dtype}")
    if unit.shape not in ((n,), (n, k)):
        raise ValueError(f"unit: expected the shape {(n,)} or {(n, k)}, got {unit.shape}")
    unit = np.broadcast_to(unit.reshape(n, -1), (n, k)) if n else unit.reshape(0, k)
    if not np.isfinite(truth[annotated]).all():
        person, joint = np.argwhere(annotated & ~np.isfinite(truth).all(axis=2))[0]
        raise ValueError(f"truth: joint {joint} of person {person} is annotated, got {truth[person, joint]}")
    counted = annotated & np.isfinite(unit) & (unit > 0)
    gaps = np.linalg.norm(predicted[counted] - truth[counted], axis=-1) / unit[counted]
    distances = np.full((n, k), -1.0)
    distances[counted] = np.where(np.isnan(gaps), np.inf, gaps)
    return distances


def fraction_within(
    distances: np.ndarray, threshold: float, *, inclusive: bool = False, leave_out_zeros: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The fraction of the distances of each joint that lie within a threshold.

    Args:
        distances: `(n, k)`, negative for joints that do not count.
        threshold: in the unit of the distances.
        inclusive: as `pck`.
        leave_out_zeros: leave out distances of exactly 0, too, which is only needed to reproduce numbers of
            pose-hg-train's `pypose/eval.py`: by default it sets absent joints to 0 and leaves them out in
            this way. (Its other option counts absent joints as correct.)

    Returns:
        As `pck`.
    """
    if not threshold >= 0:
        raise ValueError(f"threshold: expected a number of at least 0, got {threshold}")
    counted = distances > 0 if leave_out_zeros else distances >= 0
    within = distances <= threshold if inclusive else distances < threshold
    counts = counted.sum(axis=0)
    fractions = np.full(counts.shape, np.nan)
    np.divide((within & counted).sum(axis=0), counts, out=fractions, where=counts > 0)
    return fractions, counts


def head_size_from_boxes(headboxes: np.ndarray) -> np.ndarray:
    """The unit of PCKh: 0.6 of the head box's diagonal (Andriluka et al. 2014, the toolkit's `SC_BIAS`).

    Args:
        headboxes: `(n, 4)` `xyxy`, image pixels.

    Returns:
        `(n,)` float64 pixels.
    """
    headboxes = np.asarray(headboxes, np.float64)
    if headboxes.ndim != 2 or headboxes.shape[1] != 4:
        raise ValueError(f"headboxes: expected the shape (n, 4), got {headboxes.shape}")
    diagonals: np.ndarray = np.linalg.norm(headboxes[:, 2:] - headboxes[:, :2], axis=1)
    return 0.6 * diagonals


def torso_size(
    truth: np.ndarray,
    annotated: np.ndarray,
    skeleton: Skeleton,
    joints: tuple[str, str] | None = None,
) -> np.ndarray:
    """The unit of PCK on FLIC and LSP: the distance from a shoulder to the hip of the other side.

    Toolkits differ in the diagonal: LSP's takes the left shoulder and right hip, as we do for all but FLIC,
    whose takes the right shoulder and left hip. Sides are the person's own.

    Args:
        truth: `(n, k, 2)` image pixels.
        annotated: `(n, k)` bool.
        skeleton: of the joints.
        joints: the two ends, None for the skeleton's.

    Returns:
        `(n,)` float64 pixels, NaN where an end is not annotated: `pck` then leaves the person out.

    Raises:
        ValueError: a joint is not one of the skeleton's, or the shapes do not fit.
    """
    joints = skeleton.torso if joints is None else joints
    for joint in joints:
        if joint not in skeleton.joints:
            raise ValueError(f"torso joints: expected joints of {skeleton.name}, got {joint!r}")
    a, b = (skeleton.joints.index(joint) for joint in joints)
    truth, annotated = np.asarray(truth, np.float64), np.asarray(annotated, bool)
    k = len(skeleton.joints)
    if truth.ndim != 3 or truth.shape[1:] != (k, 2):
        raise ValueError(f"truth: expected the shape (n, {k}, 2) for {skeleton.name}, got {truth.shape}")
    if annotated.shape != truth.shape[:2]:
        raise ValueError(f"annotated: expected the shape {truth.shape[:2]}, got {annotated.shape}")
    sizes = np.linalg.norm(truth[:, a] - truth[:, b], axis=-1)
    return np.where(annotated[:, a] & annotated[:, b], sizes, np.nan)


def plain_mean(fractions: np.ndarray, counts: np.ndarray, skeleton: Skeleton) -> float:
    """The mean over joints, without pelvis and thorax (pytorch-pose; the 14 joints of MPII's toolkit)."""
    keep = _in_mean(skeleton) & (counts > 0)
    return float(fractions[keep].mean()) if keep.any() else np.nan


def weighted_mean(fractions: np.ndarray, counts: np.ndarray, skeleton: Skeleton) -> float:
    """The mean over joints weighted by their counts, without pelvis and thorax (MMPose, HRNet)."""
    return _weighted(fractions, counts, _in_mean(skeleton))


def weighted_mean_of_all(fractions: np.ndarray, counts: np.ndarray, skeleton: Skeleton) -> float:
    """The mean over all joints weighted by their counts (pytorch_stacked_hourglass).

    On MPII it is 1 to 2 points higher than the others.
    """
    return _weighted(fractions, counts, np.ones(len(skeleton.joints), bool))


# Each takes `(k,)` fractions, `(k,)` counts and the skeleton. The published PCKh of a model depends on the
# mean: 86.9, 87.4 and 88.3 for the same network of two stacks.
MEANS = {"plain": plain_mean, "weighted": weighted_mean, "weighted16": weighted_mean_of_all}


def row_means(fractions: np.ndarray, skeleton: Skeleton) -> dict[str, float]:
    """The rows of a PCKh table, from head to ankle: the mean of left and right.

    Args:
        fractions: `(k,)`, NaN for joints that were never counted.
        skeleton: of the joints.

    Returns:
        Value by row; rows without a counted joint are absent.
    """
    rows = {}
    for row, joints in ROWS.items():
        of_row = [fractions[skeleton.joints.index(joint)] for joint in joints if joint in skeleton.joints]
        counted = [fraction for fraction in of_row if not np.isnan(fraction)]
        if counted:
            rows[row] = float(np.mean(counted))
    return rows


def _in_mean(skeleton: Skeleton) -> np.ndarray:
    return np.array([joint not in NOT_IN_MEAN for joint in skeleton.joints], bool)


def _weighted(fractions: np.ndarray, counts: np.ndarray, keep: np.ndarray) -> float:
    keep = keep & (counts > 0)
    return float(np.average(fractions[keep], weights=counts[keep])) if keep.any() else np.nan
