"""Average precision of poses as COCO counts it, by object keypoint similarity (OKS), for any skeleton.

Lin et al. 2014; the 10 numbers of cocodataset.org, "Keypoint Evaluation".
"""

import contextlib
import io
from collections.abc import Mapping, Sequence

import numpy as np

from keras_cornernet.evaluation.average_precision import (
    IOU_75,
    Entry,
    coco_table,
    engine_classes,
    entry,
    mean_of_defined,
)
from keras_cornernet.results import Poses
from keras_cornernet.structures import Person

AREAS = {"": "all", "m": "medium", "l": "large"}  # small people have no keypoints in COCO
# COCO's areas are those of outlines. Where a data set has boxes alone, the area of the outline is taken to be
# this fraction of the box, as in the evaluator of CrowdPose (xtcocotools, `use_area=False`).
OUTLINE_OF_BOX = 0.53
FAR = 1e7  # pixels; a joint there has similarity 0, and its square does not overflow


def keypoint_average_precision(
    people_by_image: Mapping[int, Sequence[Person]],
    poses_by_image: Mapping[int, Poses],
    sigmas: Sequence[float] | None,
    *,
    max_people: int = 20,
    engine: str = "auto",
) -> dict[str, float]:
    """COCO's 10 numbers for poses.

    People without an annotated joint need not be found, and a pose near one of them is not an error.

    Args:
        people_by_image: the true people by image id; an image without people has an empty list. Their area
            is `Person.area`, or 0.53 of the area of their box.
        poses_by_image: the poses that were found by image id; an image without an entry has none. A joint at
            NaN was not predicted, and a pose of such joints alone is left out. `Poses.scores` rank the
            people: as in MMPose, the score of the box times the mean of the joints' scores, but over all
            joints instead of those above 0.2.
        sigmas: one per joint, `Skeleton.sigmas`.
        max_people: the number of people per image that count, those of the highest scores.
        engine: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`: the first that is installed.

    Returns:
        `AP AP50 AP75 APm APl AR AR50 AR75 ARm ARl` in 0..1, -1 where there is nobody to find.

    Raises:
        ValueError: there are no sigmas, a person has neither area nor box, or poses do not fit.
        ImportError: the engine is not installed.
    """
    constants = _checked_sigmas(sigmas)
    k = len(constants)
    if max_people < 1:
        raise ValueError(f"max_people: expected at least 1, got {max_people}")
    new_coco, new_evaluator = engine_classes(engine)
    unknown = set(poses_by_image) - set(people_by_image)
    if unknown:
        raise ValueError(f"poses_by_image: no people are stated for the image ids {sorted(unknown)[:10]}")
    truth = [_true_entry(id_, p, k) for id_, people in people_by_image.items() for p in people]
    found = [row for id_, poses in poses_by_image.items() for row in _found_entries(id_, poses, k)]
    if not truth:  # the evaluators fail on empty tables
        shape = (1, len(AREAS), 1)
        return _metrics(np.full((10, 101, *shape), -1.0), np.full((10, *shape), -1.0))
    images = sorted(int(id_) for id_ in people_by_image)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        tables = (coco_table(new_coco, images, {1: "person"}, entries) for entries in (truth, found))
        evaluator = new_evaluator(*tables, "keypoints")
        evaluator.params.kpt_oks_sigmas = constants
        evaluator.params.maxDets = [max_people]
        evaluator.evaluate()
        evaluator.accumulate()
    return _metrics(evaluator.eval["precision"], evaluator.eval["recall"])


def object_keypoint_similarity(
    predicted: np.ndarray,
    truth: np.ndarray,
    annotated: np.ndarray,
    area: np.ndarray,
    sigmas: Sequence[float],
) -> np.ndarray:
    """How well each pose fits its person: the mean of `exp(-d^2 / (2 area (2 sigma)^2))` over joints.

    Args:
        predicted: `(n, k, 2)` image pixels; NaN means no prediction and has similarity 0.
        truth: `(n, k, 2)` image pixels.
        annotated: `(n, k)` bool; other joints are left out of the mean.
        area: `(n,)` of the people's outlines, square pixels.
        sigmas: `(k,)`.

    Returns:
        `(n,)` in 0..1, NaN where no joint is annotated.

    Raises:
        ValueError: the shapes do not fit.
    """
    constants = _checked_sigmas(sigmas)
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    annotated, area = np.asarray(annotated, bool), np.asarray(area, np.float64)
    n, k = len(truth), len(constants)
    for name, array, shape in [
        ("truth", truth, (n, k, 2)),
        ("predicted", predicted, (n, k, 2)),
        ("annotated", annotated, (n, k)),
        ("area", area, (n,)),
    ]:
        if array.shape != shape:
            raise ValueError(f"{name}: expected the shape {shape}, got {array.shape}")
    squares = np.square(predicted - np.where(annotated[..., None], truth, 0)).sum(axis=-1)
    # The spacing avoids a division by an area of 0, as in COCO's evaluator.
    exponents = squares / np.square(2 * constants) / (area[:, None] + np.spacing(1)) / 2
    similarity = np.where(annotated & ~np.isnan(squares), np.exp(-exponents), 0).sum(axis=1)
    counts = annotated.sum(axis=1)
    means = np.full(n, np.nan)
    np.divide(similarity, counts, out=means, where=counts > 0)
    return means


def person_area(person: Person) -> float | None:
    """The area of a person's outline in square pixels, 0.53 of the box where none is stated, or None."""
    if person.area is not None:
        return float(person.area)
    if person.box is not None:
        x1, y1, x2, y2 = np.asarray(person.box, np.float64)
        return float(OUTLINE_OF_BOX * (x2 - x1) * (y2 - y1))
    return None


def _checked_sigmas(sigmas: Sequence[float] | None) -> np.ndarray:
    if sigmas is None:
        raise ValueError("sigmas: expected one number per joint, got None: this skeleton states none")
    constants = np.asarray(sigmas, np.float64)
    if constants.ndim != 1 or not len(constants) or not (np.isfinite(constants) & (constants > 0)).all():
        raise ValueError(f"sigmas: expected one number above 0 per joint, got {constants.tolist()}")
    return constants


def _true_entry(image_id: int, person: Person, k: int) -> Entry:
    """A true person as the engines take it."""
    if person.keypoints.shape != (k, 2) or person.visibility.shape != (k,):
        shapes = f"xy {person.keypoints.shape}, visibility {person.visibility.shape}"
        raise ValueError(f"people_by_image[{image_id}]: expected {k} joints as sigmas, got {shapes}")
    area = person_area(person)
    if area is None:
        raise ValueError(f"people_by_image[{image_id}]: expected an area or a box, a person has neither")
    box = person.box
    if box is None:  # COCO uses it only where no joint is annotated, to find the poses near that person
        box = np.concatenate([person.center - person.side / 2, person.center + person.side / 2])
    box = np.asarray(box, np.float64)
    annotated = person.visibility > 0
    return entry(image_id, 1, [*box[:2], *(box[2:] - box[:2])], area) | {
        "keypoints": _triples(np.where(annotated[:, None], person.keypoints, 0), person.visibility),
        "num_keypoints": int(annotated.sum()),
    }


def _found_entries(image_id: int, poses: Poses, k: int) -> list[Entry]:
    """The poses of an image as the engines take them, without those that have no joint."""
    if poses.keypoints.shape[1:] != (k, 2):
        raise ValueError(
            f"poses_by_image[{image_id}]: expected {k} joints as sigmas, got {poses.keypoints.shape}"
        )
    entries = []
    for xy, score in zip(poses.keypoints.astype(np.float64), poses.scores, strict=True):
        given = np.isfinite(xy).all(axis=1)
        if not given.any():
            continue
        if not np.isfinite(score):
            raise ValueError(f"poses_by_image[{image_id}]: expected finite scores, got {score}")
        # The extent of the joints, as in COCO's `loadRes`, decides which poses count for APm and APl.
        low, high = xy[given].min(axis=0), xy[given].max(axis=0)
        triples = _triples(np.where(given[:, None], xy, FAR), given)
        pose = entry(image_id, 1, [*low, *(high - low)], np.prod(high - low))
        entries.append(pose | {"keypoints": triples, "score": float(score)})
    return entries


def _triples(xy: np.ndarray, third: np.ndarray) -> list[float]:
    """COCO's flat `x, y, v` of each joint."""
    return np.concatenate([xy, third[:, None]], axis=1).astype(np.float64).ravel().tolist()


def _metrics(precision: np.ndarray, recall: np.ndarray) -> dict[str, float]:
    """The named numbers of `(iou, recall, 1, area, 1)` precision and `(iou, 1, area, 1)` recall."""
    metrics = {}
    for name, values in (("AP", precision), ("AR", recall)):
        metrics[name] = mean_of_defined(values[..., 0, 0])
        metrics[f"{name}50"] = mean_of_defined(values[0, ..., 0, 0])
        metrics[f"{name}75"] = mean_of_defined(values[IOU_75, ..., 0, 0])
        for index, letter in enumerate(AREAS):
            if letter:
                metrics[f"{name}{letter}"] = mean_of_defined(values[..., index, 0])
    return metrics
