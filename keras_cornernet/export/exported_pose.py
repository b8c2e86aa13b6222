"""Pose networks in exported files."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from keras_cornernet.export.differences import keypoint_differences
from keras_cornernet.export.exported_model import Exported, arrays_of
from keras_cornernet.export.runtimes import Runtime
from keras_cornernet.inference.batches import Batching
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.evaluating import MeasuresPoses
from keras_cornernet.inference.placement import Placement
from keras_cornernet.inference.pose_reader import Keypoints, PoseReader, finite
from keras_cornernet.inference.reading import ReadImage
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import Size
from keras_cornernet.results import Poses


class ExportedPoseEstimator(MeasuresPoses, Exported, PoseReader):
    """A pose network in an exported file, used like a `PoseEstimator`.

    The file takes one person per image. With boxes, given or found by the `detector`, each person is cropped
    as `PoseEstimator` does; the images that the file takes must then be the network's input, or square.
    Without boxes the whole image is one person. A SavedModel, which takes images of any size, is given the
    square crop of each person; where the network's input is not square, the rest of the input is black.
    """

    task: ClassVar[str] = "pose"
    differences = staticmethod(keypoint_differences)
    everything: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self, runtime: Runtime, settings: PoseInferenceConfig | None = None, *, detector: Any = None
    ):
        Exported.__init__(self, runtime)
        description = self.description
        size = description.image_size or (description.shorter_side,) * 2
        # The mirror image, if any, is used inside the file.
        settings = settings or PoseInferenceConfig(
            size, description.padding, flip=False, label=description.label
        )
        PoseReader.__init__(self, description.joints, settings, detector)

    @staticmethod
    def described(model: Any) -> dict[str, Any]:
        """The fields of `Description` that only pose networks have."""
        skeleton = model.skeleton
        return {
            "names": skeleton.joints,
            "skeleton": skeleton.name,
            "limbs": skeleton.limbs,
            "flip_pairs": skeleton.flip_pairs,
            "score": 0.2,
            "padding": model.settings.padding,
            "label": model.settings.labels,
        }

    @staticmethod
    def scores(result: Poses) -> np.ndarray:
        """The scores of what a result shows."""
        return result.keypoint_scores

    @staticmethod
    def plain(result: Poses) -> dict[str, np.ndarray]:
        """The one person of a result as arrays by name."""
        return {"keypoints": result.keypoints[0], "scores": result.keypoint_scores[0]}

    @staticmethod
    def kept(plain: dict[str, np.ndarray], min_score: float, most: int) -> dict[str, np.ndarray]:
        """All joints, whose order tells which is which."""
        return plain

    def result_of(self, plain: Mapping[str, Any]) -> Poses:
        """The result with the one person of `plain`.

        Raises:
            ValueError: an array is missing or has another shape.
        """
        points, scores = (arrays_of(plain, name).astype(np.float32) for name in ("keypoints", "scores"))
        nowhere = np.zeros((1, 4), np.float32)
        return Poses(points[None], scores[None], nowhere, np.ones(1, np.float32), self.description.joints)

    @property
    def takes(self) -> Size:
        """See `Exported.takes`."""
        size: Size = self.settings.input_size
        return size

    def with_settings(self, **changes: Any) -> Self:
        """The same file with other settings of how people are found and cropped.

        Args:
            changes: `min_score`, `label` or `padding`, see `PoseInferenceConfig`.

        Raises:
            ValueError: another setting, which is fixed in the file.
        """
        if fixed := sorted(set(changes) - {"min_score", "label", "padding"}):
            Exported.with_settings(self, **dict.fromkeys(fixed))
        return type(self)(self.runtime, replace(self.settings, **changes), detector=self.detector)

    def read_inputs(
        self, inputs: np.ndarray, placement: Placement, *, batch_size: int, flip: bool
    ) -> Keypoints:
        """See `PoseReader.read_inputs`.

        Raises:
            ValueError: the file takes oblong images and fits them into the network's input by their longer
                side, so that the square of a person cannot fill it; or `flip`, which is fixed in the file.
        """
        self.check_flip(flip)
        size = self.description.image_size
        if not self._takes_inputs and size is not None and size[0] != size[1]:
            raise ValueError(
                f"boxes: this file was exported with image_size {size} and reads one person who fills such "
                "an image; for people in boxes export it without image_size, or with a square one"
            )
        one_by_one = size is not None
        groups = np.split(inputs, len(inputs)) if one_by_one else [inputs]
        answers = [self.runtime.run(group) for group in groups]
        points, scores = (np.concatenate([answer[k] for answer in answers]) for k in ("keypoints", "scores"))
        points, scores = finite(points, scores)
        ways_back = zip(placement.image_from_input, points, strict=True)
        return np.stack([transform_points(affine, mine) for affine, mine in ways_back]), scores

    @property
    def _takes_inputs(self) -> bool:
        """Whether the images that the file takes are the network's inputs."""
        return self.description.image_size == self.description.input_size

    def _read_boxes(
        self, image: ReadImage, boxes: np.ndarray, batching: Batching, *, whole: bool
    ) -> Keypoints:
        if not whole or self._takes_inputs:
            return super()._read_boxes(image, boxes, batching, whole=whole)
        self.check_flip(batching.flip)
        answers, view = self.answers(image.image, batching.graph)
        points, scores = finite(answers["keypoints"], answers["scores"])
        points = points if view is None else view.points_to_image(points)
        return points[None].astype(np.float32), scores[None]
