"""The demonstration: scenes are drawn, people found (and posed), and all held against the drawn truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.commands.detection import DRAWN, load_trained
from keras_cornernet.commands.evaluation import evaluate_detector
from keras_cornernet.data.readers import read_coco_people
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.evaluation import evaluate_poses
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.ops.boxes import intersection_over_union
from keras_cornernet.preprocessing import read_image
from keras_cornernet.results import Detections, Poses
from keras_cornernet.structures import PoseDataset, Progress

SEED = 20180803  # no scene of it was seen in training
MET = 0.5  # a found box that overlaps a true one so much is that person


class DemoResult(NamedTuple):
    """What `demo` wrote; the fields are plain, fit for json.

    Attributes:
        metrics: AP and the other numbers of `evaluation.evaluate_coco_files`, and of poses `PCK@0.2`,
            `per_joint`, and how many `people` there are and were `matched` by a box.
        pictures: the annotated pictures.
        sheet: all of them on one.
        predictions: the boxes in COCO result form.
        poses: the joints in COCO result form, or None without a pose network.
        annotations: the drawn truth; its images lie beside it.
    """

    metrics: dict
    pictures: list[str]
    sheet: str
    predictions: str
    poses: str | None
    annotations: str


def demo(
    output: str | Path,
    *,
    count: int = 24,
    seed: int = SEED,
    model: str = "cornernet_people",
    pose_model: str | None = "hourglass_people",
    progress: Progress = list,
) -> DemoResult:
    """Draws fresh scenes, finds the people and poses each; measures AP and PCK against the drawn truth.

    Args:
        output: folder for `scenes/`, `pictures/`, `sheet.jpg`, `predictions.json`, `metrics.json` and, with
            a pose network, `poses.json`.
        count: number of scenes.
        seed: of the scenes.
        model: a detector that ships, or the path of its `.keras` file.
        pose_model: a pose network of LSP's joints likewise; None leaves the people unposed.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.
    """
    output = Path(output)
    detector = load_trained(model)
    estimator = None if pose_model is None else load_trained(pose_model)
    annotations = make_scenes(output / "scenes", count, seed=seed)
    images = annotations.parent / "images"
    result = evaluate_detector(detector, annotations, images, progress=progress)
    metrics, pictures, predictions, posed = result.metrics, {}, [], {}
    for image_id, found in result.found.items():
        image, path = read_image(found.path), output / "pictures" / Path(found.path).name
        pictures[path] = found.replace(image=image).plot(DRAWN)
        if estimator is not None:
            posed[image_id] = _pose(estimator, image, found)
            pictures[path] = posed[image_id].replace(image=np.asarray(pictures[path])).plot()
        files.write_image(path, pictures[path])
        predictions += found.to_coco(image_id)
    poses = None
    if estimator is not None:
        metrics = metrics | _measure_poses(read_coco_people(annotations, images), posed)
        joints = [entry for image_id, found in posed.items() for entry in found.to_coco(image_id)]
        poses = str(files.write_json(output / "poses.json", joints))
    files.write_json(output / "metrics.json", metrics, indent=1)
    sheet = visualization.grid(list(pictures.values()), min(6, len(pictures)), 1800)
    return DemoResult(
        metrics=metrics,
        pictures=[str(path) for path in pictures],
        sheet=str(files.write_image(output / "sheet.jpg", sheet)),
        predictions=str(files.write_json(output / "predictions.json", predictions)),
        poses=poses,
        annotations=str(annotations),
    )


def _pose(estimator: PoseEstimator, image: np.ndarray, found: Detections) -> Poses:
    """The people in the boxes that the estimator takes for sure."""
    sure = found.with_min_score(estimator.settings.score).non_empty()
    return estimator.predict(image, [sure.boxes])[0].replace(box_scores=sure.scores)


def _measure_poses(pose_dataset: PoseDataset, posed: Mapping[int, Poses]) -> dict:
    """PCK of everyone who was drawn; whoever no box met has all joints wrong."""
    xy = np.full((len(pose_dataset.people), len(pose_dataset.skeleton.joints), 2), np.nan)
    free = {image_id: np.ones(len(poses.keypoints), bool) for image_id, poses in posed.items()}
    matched = 0
    for place, person in enumerate(pose_dataset.people):
        poses, unclaimed = posed[person.image_id], free[person.image_id]
        overlap = np.asarray(intersection_over_union(poses.boxes, person.box[None])) * unclaimed
        if len(overlap) and overlap.max() >= MET:
            best = int(overlap.argmax())
            unclaimed[best] = False
            xy[place] = poses.keypoints[best]
            matched += 1
    metrics = evaluate_poses(pose_dataset, xy)
    return {
        "PCK@0.2": metrics["PCK@0.2"],
        "per_joint": metrics["per_joint"],
        "people": len(pose_dataset.people),
        "matched": matched,
    }
