"""All metrics that the annotations of a pose data set allow."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_cornernet.evaluation.keypoint_ap import keypoint_average_precision, person_area
from keras_cornernet.evaluation.pck import MEANS, pck, row_means, torso_size
from keras_cornernet.evaluation.pose_errors import auc
from keras_cornernet.results import Poses
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, PoseDataset

PCK_THRESHOLD = 0.2  # torso sizes


def evaluate_poses(
    pose_dataset: PoseDataset,
    predicted: np.ndarray,
    *,
    keypoint_scores: np.ndarray | None = None,
    person_scores: np.ndarray | None = None,
    threshold: float | None = None,
    torso: tuple[str, str] | None = None,
    engine: str = "auto",
) -> dict[str, Any]:
    """PCK, PCKh and COCO's keypoint metrics, as far as the annotations allow them.

    Metrics that cannot be computed are absent: PCKh where nobody has a head size (people without one are
    left out of it), COCO's where the skeleton has no sigmas or a person has neither area nor box, and joints
    that are annotated for nobody. For skeletons without shoulders and hips, such as a hand, the unit of PCK
    is the longer side of each person's box, if all have one; the keys then end in "of box", as in MMPose's
    PCKAccuracy. "PCK" and "PCKh" without another word are plain means over joints, without pelvis and
    thorax; compare them only with published numbers of the same mean (`pck.MEANS`). All use a strict `<`.

    Args:
        pose_dataset: the true people.
        predicted: `(n, k, 2)` image pixels, in the order of `pose_dataset.people`; NaN means no prediction
            and counts as wrong.
        keypoint_scores: `(n, k)` scores of the joints, None for 1. Only COCO's metrics use scores.
        person_scores: `(n,)` scores of the people's boxes, None for 1. People are ranked by this times the
            mean of their joint scores.
        threshold: of PCK, in torso sizes, None for the usual 0.2.
        torso: the two joints whose distance is the torso size, None for the skeleton's; see `pck.torso_size`.
        engine: of COCO's metrics: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`.

    Returns:
        Floats in 0..1: `PCK@0.2` (the key states the threshold) and `AUC`, in torso sizes, or `PCK@0.2 of
        box` and `AUC of box`; `PCKh@0.5`, its other means `PCKh@0.5 weighted` and `PCKh@0.5 weighted16`,
        `PCKh@0.1`, `PCKh AUC`; and `AP AP50 AP75 APm APl AR AR50 AR75 ARm ARl`. Dicts: `per_joint` (of PCK),
        `PCKh per_joint` and `PCKh rows` (head, shoulder .. ankle, as papers print them). Where people are of
        several categories also `PCK@0.2 mean of categories` and the dict `per_category`.

    Raises:
        ValueError: a shape does not fit, a score is not finite, or `torso` names joints that are not there.
        ImportError: COCO's metrics can be computed, but the engine is not installed.
    """
    people, skeleton = pose_dataset.people, pose_dataset.skeleton
    n, k = len(people), len(skeleton.joints)
    predicted = _checked("predicted", predicted, (n, k, 2))
    answered = np.isfinite(predicted).all(axis=-1)
    keypoint_scores = _checked_scores("keypoint_scores", keypoint_scores, answered)
    person_scores = _checked_scores("person_scores", person_scores, np.any(answered, axis=1))
    truth = np.array([person.keypoints for person in people], np.float64).reshape(n, k, 2)
    annotated = np.array([person.visibility > 0 for person in people], bool).reshape(n, k)

    metrics: dict[str, Any] = {}
    unit = _pck_unit(people, truth, annotated, skeleton, torso)
    if unit is not None:
        sizes, suffix = unit
        threshold = PCK_THRESHOLD if threshold is None else threshold
        fractions, counts = pck(predicted, truth, annotated, sizes, threshold)
        name = f"PCK@{threshold:g}{suffix}"
        metrics = {
            name: MEANS["plain"](fractions, counts, skeleton),
            f"AUC{suffix}": auc(predicted, truth, annotated, sizes, skeleton),
            "per_joint": _by_joint(fractions, skeleton),
        }
        categories = np.array([person.category or "" for person in people])
        if len(set(categories)) > 1:
            by_category = {}
            for category in sorted(set(categories)):
                those = categories == category
                part = pck(predicted[those], truth[those], annotated[those], sizes[those], threshold)
                by_category[category or "without one"] = float(MEANS["plain"](*part, skeleton))
            metrics |= {
                f"{name} mean of categories": float(np.nanmean(list(by_category.values()))),
                "per_category": by_category,
            }
    if any(person.head_size is not None for person in people):
        heads = np.array([person.head_size or np.nan for person in people], np.float64)
        metrics |= _pckh(predicted, truth, annotated, heads, skeleton)
    if n and skeleton.sigmas is not None and all(person_area(person) is not None for person in people):
        poses = _poses_by_image(people, predicted, keypoint_scores, person_scores, skeleton)
        oks = keypoint_average_precision(_by_image(people), poses, skeleton.sigmas, engine=engine)
        metrics |= {key: value for key, value in oks.items() if value >= 0}
    return {key: value for key, value in metrics.items() if isinstance(value, dict) or not np.isnan(value)}


def _pck_unit(
    people: Sequence[Person],
    truth: np.ndarray,
    annotated: np.ndarray,
    skeleton: Skeleton,
    torso: tuple[str, str] | None,
) -> tuple[np.ndarray, str] | None:
    """`(n,)` the sizes that are the unit of PCK, and the suffix of its keys; None if there are none."""
    if torso is not None or skeleton.has_torso:
        return torso_size(truth, annotated, skeleton, torso), ""
    if any(person.box is None for person in people):
        return None
    boxes = np.array([person.box for person in people], np.float64).reshape(-1, 4)
    return np.max(boxes[:, 2:] - boxes[:, :2], axis=1), " of box"


def _pckh(
    predicted: np.ndarray, truth: np.ndarray, annotated: np.ndarray, heads: np.ndarray, skeleton: Skeleton
) -> dict[str, Any]:
    fractions, counts = pck(predicted, truth, annotated, heads, 0.5)
    close, _ = pck(predicted, truth, annotated, heads, 0.1)
    return {
        "PCKh@0.5": MEANS["plain"](fractions, counts, skeleton),
        "PCKh@0.5 weighted": MEANS["weighted"](fractions, counts, skeleton),
        "PCKh@0.5 weighted16": MEANS["weighted16"](fractions, counts, skeleton),
        "PCKh@0.1": MEANS["plain"](close, counts, skeleton),
        "PCKh AUC": auc(predicted, truth, annotated, heads, skeleton),
        "PCKh per_joint": _by_joint(fractions, skeleton),
        "PCKh rows": row_means(fractions, skeleton),
    }


def _by_image(people: Sequence[Person]) -> dict[int, list[Person]]:
    grouped: dict[int, list[Person]] = defaultdict(list)
    for person in people:
        grouped[int(person.image_id)].append(person)
    return grouped


def _poses_by_image(
    people: Sequence[Person],
    predicted: np.ndarray,
    keypoint_scores: np.ndarray,
    person_scores: np.ndarray,
    skeleton: Skeleton,
) -> dict[int, Poses]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row, person in enumerate(people):
        rows[int(person.image_id)].append(row)
    # The metric does not use the boxes of poses.
    return {
        image_id: Poses(
            predicted[some], keypoint_scores[some], np.zeros((len(some), 4)), person_scores[some], skeleton
        )
        for image_id, some in rows.items()
    }


def _by_joint(fractions: np.ndarray, skeleton: Skeleton) -> dict[str, float]:
    named = zip(skeleton.joints, fractions, strict=True)
    return {joint: float(fraction) for joint, fraction in named if not np.isnan(fraction)}


def _checked(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.shape != shape:
        raise ValueError(f"{name}: expected the shape {shape}, got {values.shape}")
    return values


def _checked_scores(name: str, scores: np.ndarray | None, answered: np.ndarray) -> np.ndarray:
    """Scores, None for 1; 0 where there is no prediction and so perhaps no score."""
    checked = _checked(name, np.ones(answered.shape) if scores is None else scores, answered.shape)
    checked = np.where(answered, checked, 0)
    if not np.isfinite(checked).all():
        raise ValueError(f"{name}: expected finite numbers where predicted is finite")
    return checked
