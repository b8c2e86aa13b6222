"""What differs between a run of a detector and one of a pose network."""

import math
from collections.abc import Callable

import numpy as np

from keras_cornernet import visualization
from keras_cornernet.evaluation import evaluate_detections, evaluate_poses
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import person_view, read_image
from keras_cornernet.presets import from_preset
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import DetectionDataset, OnProblem, PoseDataset, image_problem, size_problem

SHOWN = 9  # pictures of a validation


class DetectionEvaluator:
    """Builds detectors and measures their AP."""

    score = "AP"
    names = ("AP", "AP50", "AP75")

    def check(self, train_dataset: DetectionDataset, val_dataset: DetectionDataset | None) -> None:
        """Raises `ValueError` where the two sets have different classes."""
        if val_dataset is not None and val_dataset.categories != train_dataset.categories:
            raise ValueError(
                f"train and validation sets have different classes: {train_dataset.categories} and "
                f"{val_dataset.categories}"
            )

    def model(self, preset: str, train_dataset: DetectionDataset) -> Detector:
        """A detector for the classes of the data."""
        return from_preset(preset, categories=train_dataset.categories)

    def measure(
        self, detector: Detector, val_dataset: DetectionDataset, on_problem: OnProblem
    ) -> tuple[dict, list]:
        """The metrics on the validation set, and some pictures; images that cannot be used are reported."""
        by_path, pictures = {}, []
        sizes = {sample.path: sample.size for sample in val_dataset.samples}
        for found in detector.stream(list(sizes), on_error=_reporting(on_problem)):
            if problem := size_problem(found.path, sizes[found.path], found.image.shape[:2]):
                on_problem(problem)
                continue
            if len(pictures) < SHOWN:
                pictures.append(found.plot())
            by_path[found.path] = found.replace(image=None)  # a data set's images would fill the memory
        detections = {s.image_id: by_path[s.path] for s in val_dataset.samples if s.path in by_path}
        metrics = evaluate_detections(val_dataset, detections)
        return {name: metrics[name] for name in self.names}, pictures


class PoseEvaluator:
    """Builds pose estimators and measures their PCK, in torso sizes where the joints have a torso."""

    def __init__(self, skeleton: Skeleton):
        self.score = "PCK@0.2" if skeleton.has_torso else "PCK@0.2 of box"
        self.names = (self.score,)

    def check(self, train_dataset: PoseDataset, val_dataset: PoseDataset | None) -> None:
        """Raises `ValueError` where the two sets have different joints."""
        if val_dataset is not None and val_dataset.skeleton.joints != train_dataset.skeleton.joints:
            raise ValueError(
                f"train and validation sets have different joints: {train_dataset.skeleton.joints} and "
                f"{val_dataset.skeleton.joints}"
            )

    def model(self, preset: str, train_dataset: PoseDataset) -> PoseEstimator:
        """A pose estimator for the joints of the data."""
        return from_preset(preset, skeleton=train_dataset.skeleton)

    def measure(
        self, estimator: PoseEstimator, val_dataset: PoseDataset, on_problem: OnProblem
    ) -> tuple[dict, list]:
        """The metrics on the validation set, and some pictures; images that cannot be used are reported."""
        points, scores = estimator.read_dataset(val_dataset, on_error=_reporting(on_problem))
        read = np.isfinite(scores).all(axis=1)
        people = tuple(person for person, good in zip(val_dataset.people, read, strict=True) if good)
        metrics = evaluate_poses(val_dataset.replace(people=people), points[read]) if people else {}
        shown = list(zip(people, points[read], scores[read], strict=True))[:SHOWN]
        pictures = [self._picture(estimator, *each) for each in shown]
        # Nobody may have both joints of the torso, or a box, or no image may be readable.
        return {name: metrics.get(name, math.nan) for name in self.names}, pictures

    def _picture(self, estimator, person, points, scores):
        """The person's own square with the joints found, as a picture."""
        view = person_view(person.center, person.side, (384, 384))
        moved = transform_points(view.input_from_image, points)[None]
        return visualization.draw_skeletons(
            view.apply(read_image(person.path)), moved, scores[None] > 0.1, estimator.skeleton
        )


def _reporting(on_problem: OnProblem) -> Callable[[str, OSError], None]:
    return lambda path, error: on_problem(image_problem(path, error))


def evaluator_of(dataset: DetectionDataset | PoseDataset) -> DetectionEvaluator | PoseEvaluator:
    """The judge for a kind of data set."""
    return PoseEvaluator(dataset.skeleton) if isinstance(dataset, PoseDataset) else DetectionEvaluator()
