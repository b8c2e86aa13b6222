"""Every number that a data set of people allows for the answers of a pose network, and its table."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from keras_cornernet.evaluation.keypoint_ap import keypoint_average_precision, person_area
from keras_cornernet.evaluation.pck import MEANS, ROWS, pck, row_means, torso_size
from keras_cornernet.evaluation.pose_errors import auc
from keras_cornernet.results import Poses
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Person, PoseDataset


def evaluate_poses(
    pose_dataset: PoseDataset,
    predicted: np.ndarray,
    *,
    keypoint_scores: np.ndarray | None = None,
    person_scores: np.ndarray | None = None,
    threshold: float | None = None,
    torso: tuple[str, str] | None = None,
    engine: str = "auto",
) -> dict:
    """PCK, PCKh and COCO's keypoint numbers, as far as the annotations go.

    Numbers that cannot be had are absent: PCKh where nobody has a head size (who has none is left out of
    it), the COCO numbers where the skeleton has no sigmas or a person neither area nor box, a joint that
    nobody has annotated. Joints without shoulders and hips, such as a hand's, have PCK in units of the longer
    side of each person's box, if all have one; its keys end in "of box", as in MMPose's PCKAccuracy. "PCK"
    and "PCKh" without another word are plain means over joints, without pelvis and thorax; compare with a
    published number only by the same mean (`pck.MEANS`). All compare with a strict `<`.

    Args:
        pose_dataset: the true people.
        predicted: `(n, k, 2)` image pixels, in the order of `pose_dataset.people`; NaN is no answer and
            counts as wrong.
        keypoint_scores: `(n, k)` heights of the joints' peaks, None for 1. Only the COCO numbers use scores.
        person_scores: `(n,)` of the people's boxes, None for 1. People are ranked by this times the mean of
            their joint scores.
        threshold: of PCK, in torso sizes, None for the usual 0.2.
        torso: the two joints whose distance is the torso size, None for the skeleton's; see `pck.torso_size`.
        engine: of the COCO numbers: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`.

    Returns:
        Floats in 0..1: `PCK@0.2` (the key states the threshold) and `AUC`, in torso sizes, or `PCK@0.2 of
        box` and `AUC of box`; `PCKh@0.5`, its
        other means `PCKh@0.5 weighted` and `PCKh@0.5 weighted16`, `PCKh@0.1`, `PCKh AUC`; and `AP AP50 AP75
        APm APl AR AR50 AR75 ARm ARl`. Dicts: `per_joint` (of PCK), `PCKh per_joint` and `PCKh rows` (head,
        shoulder .. ankle, as papers print it).

    Raises:
        ValueError: a shape does not fit, a score is not finite, or `torso` names joints that are not there.
        ImportError: COCO numbers could be had, but the engine is not installed.
    """
    people, skeleton = pose_dataset.people, pose_dataset.skeleton
    n, k = len(people), len(skeleton.joints)
    predicted = _checked("predicted", predicted, (n, k, 2))
    keypoint_scores = _checked(
        "keypoint_scores", np.ones((n, k)) if keypoint_scores is None else keypoint_scores, (n, k)
    )
    person_scores = _checked("person_scores", np.ones(n) if person_scores is None else person_scores, (n,))
    answered = np.isfinite(predicted).all(axis=-1)
    keypoint_scores = np.where(answered, keypoint_scores, 0)  # where there is no answer, a score may lack too
    if not np.isfinite(keypoint_scores).all():
        raise ValueError("keypoint_scores: expected finite numbers where predicted is finite")
    if not np.isfinite(person_scores[answered.any(axis=1)]).all():
        raise ValueError("person_scores: expected finite numbers where predicted is finite")
    truth = np.array([person.keypoints for person in people], np.float64).reshape(n, k, 2)
    annotated = np.array([person.visibility > 0 for person in people], bool).reshape(n, k)

    threshold = 0.2 if threshold is None else threshold
    metrics = {}
    if torso is not None or skeleton.has_torso:
        unit, of = torso_size(truth, annotated, skeleton, torso), ""
    else:
        unit, of = _box_size(people), " of box"
    if unit is not None:
        fractions, counts = pck(predicted, truth, annotated, unit, threshold)
        metrics = {
            f"PCK@{threshold:g}{of}": MEANS["plain"](fractions, counts, skeleton),
            f"AUC{of}": auc(predicted, truth, annotated, unit, skeleton),
            "per_joint": _by_joint(fractions, skeleton),
        }
    if any(person.head_size is not None for person in people):
        unit = np.array([person.head_size or np.nan for person in people], np.float64)
        metrics |= _pckh(predicted, truth, annotated, unit, skeleton)
    if n and skeleton.sigmas is not None and all(person_area(person) is not None for person in people):
        people_by_image, poses_by_image = _by_image(
            people, predicted, keypoint_scores, person_scores, skeleton
        )
        oks = keypoint_average_precision(people_by_image, poses_by_image, skeleton.sigmas, engine=engine)
        metrics |= {key: value for key, value in oks.items() if value >= 0}
    return {key: value for key, value in metrics.items() if isinstance(value, dict) or not np.isnan(value)}


def format_pose_table(metrics: Mapping) -> str:
    """The metrics as text, in percent: one line each, the rows of the papers' PCKh tables, the joints.

    Args:
        metrics: what `evaluate_poses` returned.
    """
    numbers = {key: value for key, value in metrics.items() if not isinstance(value, Mapping)}
    width = max(map(len, numbers), default=0)
    lines = [f" {key:<{width}} {100 * value:6.2f}" for key, value in numbers.items()]
    rows = metrics.get("PCKh rows", {})
    if rows:
        shown = [row for row in ROWS if row in rows]
        lines += ["", " PCKh@0.5 " + "".join(f" {row:>8}" for row in shown)]
        lines += [" " * 10 + "".join(f" {100 * rows[row]:8.2f}" for row in shown)]
    pck_key = next((key for key in metrics if key.startswith("PCK@")), "PCK")
    columns = {pck_key: metrics.get("per_joint", {}), "PCKh@0.5": metrics.get("PCKh per_joint", {})}
    columns = {title: column for title, column in columns.items() if column}
    joints = list(dict.fromkeys(joint for column in columns.values() for joint in column))
    if joints:
        width = max(map(len, joints))
        lines += ["", f" {'joint':<{width}}" + "".join(f" {title:>8}" for title in columns)]
    for joint in joints:
        values = [
            f"{100 * column[joint]:8.2f}" if joint in column else " " * 8 for column in columns.values()
        ]
        lines.append(f" {joint:<{width}} " + " ".join(values))
    return "\n".join(lines)


def _pckh(
    predicted: np.ndarray, truth: np.ndarray, annotated: np.ndarray, unit: np.ndarray, skeleton: Skeleton
) -> dict:
    fractions, counts = pck(predicted, truth, annotated, unit, 0.5)
    close, _ = pck(predicted, truth, annotated, unit, 0.1)
    return {
        "PCKh@0.5": MEANS["plain"](fractions, counts, skeleton),
        "PCKh@0.5 weighted": MEANS["weighted"](fractions, counts, skeleton),
        "PCKh@0.5 weighted16": MEANS["weighted16"](fractions, counts, skeleton),
        "PCKh@0.1": MEANS["plain"](close, counts, skeleton),
        "PCKh AUC": auc(predicted, truth, annotated, unit, skeleton),
        "PCKh per_joint": _by_joint(fractions, skeleton),
        "PCKh rows": row_means(fractions, skeleton),
    }


def _by_image(
    people: tuple[Person, ...],
    predicted: np.ndarray,
    keypoint_scores: np.ndarray,
    person_scores: np.ndarray,
    skeleton: Skeleton,
) -> tuple[dict[int, list[Person]], dict[int, Poses]]:
    """The people and the answers by image id."""
    places = defaultdict(list)
    for place, person in enumerate(people):
        places[int(person.image_id)].append(place)
    poses = {}
    for image_id, some in places.items():
        nowhere = np.zeros((len(some), 4), np.float32)  # the metric does not look at the answers' boxes
        poses[image_id] = Poses(
            predicted[some], keypoint_scores[some], nowhere, person_scores[some], skeleton
        )
    return {image_id: [people[place] for place in some] for image_id, some in places.items()}, poses


def _box_size(people: tuple[Person, ...]) -> np.ndarray | None:
    """`(n,)` pixels: the longer side of each person's box; None where somebody has none."""
    if any(person.box is None for person in people):
        return None
    boxes = np.array([person.box for person in people], np.float64).reshape(-1, 4)
    return (boxes[:, 2:] - boxes[:, :2]).max(axis=1)


def _by_joint(fractions: np.ndarray, skeleton: Skeleton) -> dict[str, float]:
    named = zip(skeleton.joints, fractions, strict=True)
    return {joint: float(fraction) for joint, fraction in named if not np.isnan(fraction)}


def _checked(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.shape != shape:
        raise ValueError(f"{name}: expected the shape {shape}, got {values.shape}")
    return values
