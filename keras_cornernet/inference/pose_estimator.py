"""Poses on whole images with a network in Keras."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

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
from keras_cornernet.preprocessing import Size, View, person_view
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.tensors import Tensor


class PoseEstimator(MeasuresPoses, PoseReader, Model):
    """Reads the joints of people with a network, its codec and settings.

    Args:
        network: images `(batch, height, width, 3)` RGB 0..255 to heatmaps.
        codec: has `decode(outputs, input_size)`.
        skeleton: names, limbs and left-right pairs of the joints.
        settings: see `PoseInferenceConfig`.
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
        super().__init__(skeleton, settings or PoseInferenceConfig(), detector)
        self.network = network
        self.codec = codec
        self.check_settings()
        self.answers = KeypointAnswers(codec, skeleton, self.settings)
        self._find = jit(self._keypoints, network)

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
