"""Reading poses: people with keypoints in, keypoints out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.data.checking import summarize_people
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.data.readers import READERS
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.data.writers import WRITERS, coco_of_people
from keras_cornernet.evaluation import EvaluationResult
from keras_cornernet.export.exported import ExportedPoseEstimator
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import person_view, read_image
from keras_cornernet.structures import PoseDataset
from keras_cornernet.tasks.joint_auditor import JointAuditor
from keras_cornernet.tasks.task import Auditor, Prediction

if TYPE_CHECKING:
    from keras_cornernet.inference import PoseEstimator
    from keras_cornernet.models.network import Network
    from keras_cornernet.presets import Family, Preset

MIN_KEYPOINT_SCORE = 0.1  # of keypoints that are drawn on validation pictures


class PoseTask:
    """See `Task`."""

    name: ClassVar[str] = "pose"
    noun: ClassVar[str] = "people"
    dataset: ClassVar[Any] = PoseDataset
    loader: ClassVar[Any] = PersonLoader
    exported: ClassVar[Any] = ExportedPoseEstimator
    readers: ClassVar[Mapping[str, Any]] = READERS["pose"]
    writers: ClassVar[Mapping[str, Any]] = WRITERS["pose"]
    default_preset: ClassVar[str] = "hourglass_phone"
    auditor: ClassVar[Auditor | None] = JointAuditor()

    @property
    def families(self) -> Mapping[type[Network], Family]:
        """The networks of `PoseEstimator`."""
        from keras_cornernet.inference.pose_estimator import PoseEstimator
        from keras_cornernet.presets import FAMILIES

        return {
            network: family for network, family in FAMILIES.items() if issubclass(family.model, PoseEstimator)
        }

    def to_coco(self, dataset: PoseDataset, root: str | Path) -> dict[str, Any]:
        """See `data.writers.coco_of_people`."""
        return coco_of_people(dataset, root)

    def to_results(self, dataset: PoseDataset, result: EvaluationResult) -> list[dict[str, Any]]:
        """The keypoints `x, y, score` of each person, the score being their mean."""
        found = result.predictions
        rows = []
        for person, points, scores in zip(
            found.dataset.people, found.keypoints, found.keypoint_scores, strict=True
        ):
            triples = np.concatenate([points, scores[:, None]], axis=1).astype(np.float64)
            row = {"image_id": int(person.image_id), "category_id": 1, "score": float(scores.mean())}
            rows.append({**row, "keypoints": triples.round(3).ravel().tolist()})
        return rows

    def summarize(self, dataset: PoseDataset) -> dict[str, Any]:
        """Counts of images, people and joints."""
        return summarize_people(dataset)

    def draw_targets(self, dataset: PoseDataset, index: int, preset: Preset) -> Image.Image:
        """The person's square with the joints, and with the drawn heatmaps."""
        loader = PersonLoader(dataset.select([index]), preset.input_size)
        shown, keypoints, weights = loader.load(0, 0)
        image = shown.astype(np.uint8)
        posed = visualization.draw_skeletons(image, keypoints[None], weights[None] > 0, dataset.skeleton)
        annotations = {"keypoints": keypoints[None], "keypoint_weights": weights[None]}
        codec = preset.codec_for(len(dataset.names))
        targets = codec.encode(annotations, preset.input_size, preset.grid_size)
        heatmap = np.asarray(targets["keypoints"]["heatmap"])[0].max(-1)
        return visualization.grid([posed, visualization.draw_heatmap(image, heatmap)], 2, 1000)

    def draw_predictions(
        self, model: PoseEstimator, result: EvaluationResult, count: int
    ) -> Sequence[Image.Image]:
        """The first people, each in the annotated square, with the keypoints that were found."""
        found, pictures = result.predictions, []
        for i, person in enumerate(found.dataset.people[:count]):
            view = person_view(person.center, person.side, (384, 384))
            keypoints = transform_points(view.input_from_image, found.keypoints[i])
            visible = found.keypoint_scores[i] > MIN_KEYPOINT_SCORE
            shown = view.apply(read_image(person.path))
            pictures.append(
                visualization.draw_skeletons(shown, keypoints[None], visible[None], model.skeleton)
            )
        return pictures

    def prediction(self, model: Any, *, detector: Any | None, min_score: float | None) -> Prediction:
        """Everyone whom the detector finds, or each image as one person who fills it."""
        if detector is None:
            if min_score is not None:
                raise ValueError("--min-score is of the detector's boxes, and no --detector is given")
            return Prediction(model)
        model.detector = _checked_detector(detector)
        options: dict[str, Any] = {"boxes": "detect"}
        if min_score is not None:
            options["min_score"] = min_score
        return Prediction(model, options, options)

    def operating_point(
        self, model: Any, dataset: PoseDataset, result: EvaluationResult, min_precision: float | None = None
    ) -> None:
        """None: a pose network reads everyone whom it is shown."""

    def with_names_of(self, dataset: PoseDataset, other: PoseDataset) -> PoseDataset:
        """The people as they are: joints are never left out."""
        return dataset

    def with_detector(self, detector: Any) -> Mapping[str, Any]:
        """People are read in the boxes that the detector finds."""
        return {"detector": _checked_detector(detector)}

    def export_images(self, model: PoseEstimator, count: int) -> Sequence[np.ndarray]:
        """One person of each drawn scene."""
        crops = []
        for seed in range(count):
            image, boxes, *_ = draw_scene(seed, max_people=2)
            x1, y1, x2, y2 = boxes.xyxy[0].astype(int)
            crops.append(np.ascontiguousarray(image[max(y1, 0) : y2 + 1, max(x1, 0) : x2 + 1]))
        return crops

    def annotated_images(self, model: PoseEstimator, dataset: PoseDataset) -> Sequence[np.ndarray]:
        """Everyone in the annotated square, as the network sees it."""
        size = model.settings.input_size
        return [person_view(p.center, p.side, size).apply(read_image(p.path)) for p in dataset.people]


def _checked_detector(detector: Any) -> Any:
    """The detector, or `ValueError` if it is something else."""
    if getattr(detector, "task", None) != "detection":
        raise ValueError(
            "--detector must be a detector, and the model given is a pose network, which finds nobody"
        )
    return detector
