"""What a preset is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from keras_cornernet.codecs import HeatmapCodec, KeypointCodec
from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig
from keras_cornernet.inference.saccade_config import SaccadeConfig
from keras_cornernet.models.network import Network
from keras_cornernet.presets.families import Augmentation, Loss, family_of
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.training.config import TrainingConfig


class Published(NamedTuple):
    """What a paper reports; not measured here.

    Attributes:
        ap: average precision in percent.
        source: the images, the way of testing, and where it is published.
        checkpoint: the authors' file that `convert` turns into this network, or None.
    """

    ap: float
    source: str
    checkpoint: str | None = None


@dataclass(frozen=True)
class Preset:
    """How a model is put together, trained and used. The network decides the task.

    Attributes:
        summary: one line for people.
        network: the class of the network, which `family_of` knows.
        arguments: of the network, without the number of its classes or joints.
        input_size: `(height, width)` in training.
        settings: of inference.
        augmentation: in training.
        loss: the loss.
        codec: of the network's outputs; None is its family's with default settings. The number of classes in
            it is replaced by the data's.
        skeleton: of a pose network that is built without data; None for detectors.
        weights: file of `keras_cornernet_weights`, or None.
        published: what the paper reports on COCO, or None.
        training: the settings of a training run.
    """

    summary: str
    network: type[Network]
    arguments: Mapping[str, Any]
    input_size: tuple[int, int]
    settings: InferenceConfig | SaccadeConfig | PoseInferenceConfig
    augmentation: Augmentation
    loss: Loss
    codec: HeatmapCodec | KeypointCodec | None = None
    skeleton: Skeleton | None = None
    weights: str | None = None
    published: Published | None = None
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def codec_for(self, count: int) -> Any:
        """The codec for so many classes or joints."""
        kind = family_of(self.network).codec if self.codec is None else type(self.codec)
        sized = {"num_classes": count} if any(item.name == "num_classes" for item in fields(kind)) else {}
        return kind(**sized) if self.codec is None else replace(self.codec, **sized)  # type: ignore[arg-type]

    @property
    def grid_size(self) -> tuple[int, int]:
        """`(rows, columns)` of the network's maps in training."""
        stride = self.network.config_type(**self.arguments).stride
        height, width = self.input_size
        return -(-height // stride), -(-width // stride)
