"""Poses on whole images: everyone is cropped, read, and put back."""

from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from keras_cornernet.backend import jit
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.evaluating import MeasuresPoses
from keras_cornernet.inference.model import Model
from keras_cornernet.inference.pose_reader import PoseReader
from keras_cornernet.preprocessing import View, person_view
from keras_cornernet.skeletons import Skeleton


class PoseEstimator(MeasuresPoses, PoseReader, Model):
    """Reads the joints of people with a network, its codec and test settings.

    Args:
        network: images `(batch, height, width, 3)` RGB 0..255 to heatmaps.
        codec: has `decode(outputs, input_size)`.
        skeleton: names, limbs and left-right pairs of the joints.
        settings: see `PoseInferenceConfig`.
        detector: finds the people when `boxes="detect"`.

    Example:
        >>> estimator = keras_cornernet.from_preset("pose.keras")
        >>> estimator.detector = keras_cornernet.from_preset("cornernet_people")
        >>> poses = estimator.predict("street.jpg", boxes="detect")[0]
        >>> poses.save("street_posed.jpg")
    """

    task = "pose"
    labels_field = "skeleton"
    settings_type = PoseInferenceConfig

    def __init__(
        self,
        network,
        codec,
        skeleton: Skeleton,
        settings: PoseInferenceConfig | None = None,
        *,
        detector=None,
    ):
        super().__init__(skeleton, settings or PoseInferenceConfig(), detector)
        self.network = network
        self.codec = codec
        self._find = jit(self._read, network)

    def with_settings(self, **changes: Any) -> "PoseEstimator":
        """The same estimator with other settings of inference.

        Args:
            changes: fields of `PoseInferenceConfig`.
        """
        settings = replace(self.settings, **changes)
        return PoseEstimator(self.network, self.codec, self.skeleton, settings, detector=self.detector)

    @classmethod
    def unnamed(cls, count: int) -> Skeleton:
        """Joints `joint_0`, `joint_1`, .. for a network whose file names none."""
        return Skeleton("unnamed", tuple(f"joint_{i}" for i in range(count)), (), ())

    def only_view(self, image_size: tuple[int, int]) -> View:
        """The view of a whole image of `(height, width)` as one person."""
        height, width = image_size
        return person_view((width / 2, height / 2), max(image_size), self.settings.input_size)

    def read_inputs(self, inputs: np.ndarray, *, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """See `PoseReader.read_inputs`."""
        # One size of batch, so that the graph is compiled once.
        padded = np.zeros((batch_size, *inputs.shape[1:]), np.float32)
        padded[: len(inputs)] = inputs
        found, scores = (np.asarray(part)[: len(inputs)] for part in self._find(padded))
        return found, scores

    def heatmaps(self, images):
        """The last stack's maps for `(batch, height, width, 3)` inputs, averaged with the mirror image's."""
        maps = self.network(images, training=False)[-1]["keypoints"]["heatmap"]
        if not self.settings.flip:
            return maps
        mirrored = self.network(images[:, :, ::-1], training=False)[-1]["keypoints"]["heatmap"]
        return (maps + unmirror(mirrored, self.skeleton, shift=self.settings.shift_mirrored)) / 2

    def _read(self, images):
        outputs = [{"keypoints": {"heatmap": self.heatmaps(images)}}]
        return tuple(self.codec.decode(outputs, tuple(images.shape[1:3])))


def unmirror(heatmaps, skeleton: Skeleton, *, shift: bool = False):
    """The heatmaps of mirrored images, mirrored back, left and right joints exchanged.

    Args:
        heatmaps: `(batch, h, w, k)`.
        skeleton: of the `k` joints.
        shift: then moved right by one cell, the first column doubled, as mmpose does.
    """
    back = ops.take(heatmaps[:, :, ::-1], np.array(skeleton.flip_order), axis=3)
    return ops.concatenate([back[:, :, :1], back[:, :, :-1]], axis=2) if shift else back
