"""Evaluation of a pose network on annotated people."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import files
from keras_cornernet.commands.detection import flipped, load_trained
from keras_cornernet.commands.reading import read_for
from keras_cornernet.data.checking import raise_if_empty
from keras_cornernet.evaluation import evaluate_poses
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.structures import PoseDataset, Progress


class PoseEvaluationResult(NamedTuple):
    """What `evaluate` measured on people.

    Attributes:
        metrics: of `evaluation.evaluate_poses`.
        people: those that were measured.
        keypoints: `(n, k, 2)` the joints found, image pixels.
        scores: `(n, k)` of the joints.
        problems: what was wrong in the annotations and left out, but cost nobody.
        failed: people left out for their annotations, and images that cannot be read.
    """

    metrics: dict
    people: PoseDataset
    keypoints: np.ndarray
    scores: np.ndarray
    problems: list[str]
    failed: list[str]


def evaluate(
    model: str,
    annotations: str | Path,
    images: str | Path,
    *,
    annotation_format: str = "coco",
    split: str | None = None,
    adjusted: bool | None = None,
    head_boxes: str | Path | None = None,
    json_file: str | Path | None = None,
    flip: bool | None = None,
    progress: Progress = list,
) -> PoseEvaluationResult:
    """Measures PCK and what else the annotations allow for.

    Args:
        model: a preset with weights, a `.keras` file or an exported file, of a pose network.
        annotations, images: the file and the folder of its images.
        annotation_format: `"coco"`, `"lsp"`, `"mpii"` or `"flic"`.
        split: the part of a file of MPII or LSP that holds several; None takes "val".
        adjusted, head_boxes: of MPII, see `read_mpii`.
        json_file: receives the metrics.
        flip: average with the mirror image; None leaves it to the model's settings.
        progress: wraps the people to show how far it is, such as `tqdm.tqdm`.

    Raises:
        ValueError: no such model, a file of another format, no image can be read, or other joints.
    """
    estimator = flipped(load_trained(model), flip)
    reading = {"split": split, "default_split": "val", "adjusted": adjusted, "head_boxes": head_boxes}
    pose_dataset = read_for(True, annotations, images, annotation_format, **reading)
    raise_if_empty(pose_dataset, annotations)
    result = evaluate_estimator(estimator, pose_dataset, progress=progress)
    if json_file is not None:
        files.write_json(json_file, result.metrics, indent=1)
    return result


def evaluate_estimator(
    estimator: PoseEstimator, pose_dataset: PoseDataset, *, progress: Progress = list
) -> PoseEvaluationResult:
    """`evaluate` of an estimator and people that are loaded already."""
    if estimator.skeleton.joints != pose_dataset.skeleton.joints:
        raise ValueError(
            f"the model's joints ({', '.join(estimator.skeleton.joints)}) are not those of the annotations "
            f"({', '.join(pose_dataset.skeleton.joints)})"
        )
    unusable: list[str] = []
    xy, scores = estimator.read_dataset(
        pose_dataset, on_error=lambda path, error: unusable.append(str(error)), progress=progress
    )
    read = np.isfinite(scores).all(axis=1)
    if not read.any():
        first = f"; the first: {unusable[0]}" if unusable else ""
        raise ValueError(f"none of the images of the annotated people can be used{first}")
    people = tuple(person for person, good in zip(pose_dataset.people, read, strict=True) if good)
    measured = pose_dataset.replace(people=people)
    metrics = evaluate_poses(measured, xy[read], keypoint_scores=scores[read])
    problems = [str(problem) for problem in pose_dataset.problems if not problem.costs_image]
    failed = [str(problem) for problem in pose_dataset.problems if problem.costs_image] + unusable
    return PoseEvaluationResult(metrics, measured, xy[read], scores[read], problems, failed)
