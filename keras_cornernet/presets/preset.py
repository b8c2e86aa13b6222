"""What a preset is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig, SaccadeConfig
from keras_cornernet.models.network import Network
from keras_cornernet.presets.families import Augmentation, Loss
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
        network: the class of the network, a key of `FAMILIES`.
        arguments: of the network, without the number of its classes or joints.
        input_size: `(height, width)` in training.
        settings: of inference.
        augmentation: in training.
        loss: the loss.
        codec: fields of the family's codec that differ from its defaults.
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
    codec: Mapping[str, Any] = field(default_factory=dict)
    skeleton: Skeleton | None = None
    weights: str | None = None
    published: Published | None = None
    training: TrainingConfig = field(default_factory=TrainingConfig)
