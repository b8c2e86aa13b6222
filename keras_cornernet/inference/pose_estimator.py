"""Poses on whole images with a network in Keras."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from keras import ops

from keras_cornernet.backend import jit
from keras_cornernet.data.pose_augmentation import PHOTO_POSES
from keras_cornernet.inference.answers import KeypointAnswers
from keras_cornernet.inference.batches import filled_up
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.evaluating import MeasuresPoses
from keras_cornernet.inference.mirroring import with_mirror_inputs
from keras_cornernet.inference.model import Model
from keras_cornernet.inference.placement import Placement
from keras_cornernet.inference.pose_reader import PoseReader
from keras_cornernet.inference.reading import OnError
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.ops.gather import flatten_cells, gather_rows
from keras_cornernet.preprocessing import Size, View, person_view
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import PoseDataset, Progress
from keras_cornernet.tensors import Tensor


class PoseEstimator(MeasuresPoses, PoseReader, Model):
    """Reads the joints of people with a network, its codec and settings.

    Args:
        network: images `(batch, height, width, 3)` RGB 0..255 to heatmaps.
        codec: has `decode(outputs, input_size)`.
        skeleton: names, limbs and left-right pairs of the joints.
        settings: see `PoseInferenceConfig`. Where the pairs of left and right are not known, `flip` is off.
        detector: finds the people when `boxes="detect"`.

    Attributes:
        answers: how heatmaps become keypoints in image pixels.
        why_no_graph: why the model cannot be exported as one graph; empty if it can.
        augmentations: for training, by name.

    Example:
        >>> estimator = keras_cornernet.from_preset("pose.keras")
        >>> estimator.detector = keras_cornernet.from_preset("cornernet_people")
        >>> poses = estimator.predict("street.jpg", boxes="detect")[0]
        >>> poses.save("street_posed.jpg")
        PosixPath('street_posed.jpg')
    """

    task: ClassVar[str] = "pose"
    labels_field: ClassVar[str] = "skeleton"
    settings_type: ClassVar[type[PoseInferenceConfig]] = PoseInferenceConfig
    why_no_graph: ClassVar[str] = ""
    augmentations: ClassVar[Mapping[str, Any]] = {"photos": PHOTO_POSES}

    def __init__(
        self,
        network: Any,
        codec: Any,
        skeleton: Skeleton,
        settings: PoseInferenceConfig | None = None,
        *,
        detector: Any = None,
    ):
        settings = settings or PoseInferenceConfig()
        if settings.flip and not skeleton.can_be_mirrored:
            settings = replace(settings, flip=False)
        super().__init__(skeleton, settings, detector)
        self.network = network
        self.codec = codec
        self.check_settings()
        self.answers = KeypointAnswers(codec, skeleton, self.settings)
        self._find = jit(self._keypoints, network)
        self._heights = jit(self._heights_near, network)

    def with_settings(self, **changes: Any) -> Self:
        """The same estimator with other settings.

        Args:
            changes: fields of `PoseInferenceConfig`.
        """
        settings = replace(self.settings, **changes)
        return type(self)(self.network, self.codec, self.skeleton, settings, detector=self.detector)

    @classmethod
    def unnamed(cls, count: int) -> Skeleton:
        """Joints `joint_0`, `joint_1`, .. for a network whose file names none."""
        return Skeleton("unnamed", tuple(f"joint_{i}" for i in range(count)), (), ())

    def only_view(self, image_size: Size) -> View:
        """The view of a whole image of `(height, width)` as one person."""
        height, width = image_size
        return person_view((width / 2, height / 2), max(image_size), self.settings.input_size)

    def heatmaps(self, inputs: np.ndarray, *, flip: bool | None = None) -> Tensor:
        """The heatmaps of the last stack, uncompiled.

        Args:
            inputs: `(batch, height, width, 3)` RGB 0..255.
            flip: average with the mirror image; None follows `settings.flip`.

        Returns:
            `(batch, h, w, k)`.
        """
        flip = self.settings.flip if flip is None else flip
        outputs = self.network(with_mirror_inputs(inputs, flip), training=False)
        return self.answers.heatmaps(outputs, flip=flip)

    def heights_at_joints(
        self,
        pose_dataset: PoseDataset,
        *,
        batch_size: int = 16,
        flip: bool | None = None,
        on_error: OnError | None = None,
        progress: Progress = list,
    ) -> np.ndarray:
        """How high the heatmaps are near the annotated joints of people.

        Args:
            pose_dataset, batch_size, flip, on_error, progress: see `read_dataset`.

        Returns:
            `(n, k, k)` float32: of each joint's heatmap (second axis) the highest of the 5x5 cells around
            each annotated joint (third axis); NaN for people whose image cannot be used.
        """
        k = len(self.skeleton.joints)
        heights = np.full((len(pose_dataset), k, k), np.nan, np.float32)
        flip = self.settings.flip if flip is None else flip
        for read, pairs in self._views_of(pose_dataset, batch_size, on_error, progress):
            shown = np.stack([view.apply(image) for view, image in pairs]).astype(np.float32)
            points = [
                transform_points(view.input_from_image, pose_dataset.people[i].keypoints)
                for i, (view, _) in zip(read, pairs, strict=True)
            ]
            filled = (filled_up(part, batch_size) for part in (shown, np.stack(points).astype(np.float32)))
            inputs, joints = filled
            heights[read] = np.asarray(self._heights(with_mirror_inputs(inputs, flip), joints))[: len(read)]
        return heights

    def _heights_near(self, inputs: Tensor, joints: Tensor) -> Tensor:
        """`(batch, k, k)`, see `heights_at_joints`; `inputs` may hold mirror images too."""
        outputs = self.network(inputs, training=False)
        flip = inputs.shape[0] != joints.shape[0]
        maps = ops.cast(self.answers.heatmaps(outputs, flip=flip), "float32")
        (height, width), (rows, columns) = inputs.shape[1:3], maps.shape[1:3]
        near = flatten_cells(ops.max_pool(maps, 5, strides=1, padding="same"))
        cell = ops.floor(joints * np.array([columns / width, rows / height], np.float32))
        x, y = ops.clip(cell[..., 0], 0, columns - 1), ops.clip(cell[..., 1], 0, rows - 1)
        index = ops.cast(y * columns + x, "int32")
        return ops.transpose(gather_rows(near, index), (0, 2, 1))

    def read_inputs(
        self, inputs: np.ndarray, placement: Placement, *, batch_size: int, flip: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `PoseReader.read_inputs`."""
        # One batch size, so that the graph is compiled once.
        shown, *placed = (filled_up(part, batch_size) for part in (inputs, *placement))
        found = self._find(with_mirror_inputs(shown, flip), Placement(*placed))
        keypoints, scores = (np.asarray(found[name])[: len(inputs)] for name in self.answers.outputs)
        return keypoints, scores

    def _keypoints(self, inputs: Tensor, placement: Placement) -> dict[str, Tensor]:
        """The keypoints on crops; `inputs` may hold mirror images too."""
        outputs = self.network(inputs, training=False)
        flip = inputs.shape[0] != placement.image_size.shape[0]
        return self.answers.answers(outputs, placement, tuple(inputs.shape[1:3]), flip=flip)
