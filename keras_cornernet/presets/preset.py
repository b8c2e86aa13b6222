"""What a preset is."""

from dataclasses import dataclass, field
from typing import NamedTuple

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.inference import InferenceConfig, SaccadeConfig
from keras_cornernet.inference.pose_estimator import PoseInferenceConfig
from keras_cornernet.losses import DetectionLoss, PoseLoss
from keras_cornernet.models import CornerNet, LegacyStackedHourglass, StackedHourglass
from keras_cornernet.models.network import Network
from keras_cornernet.skeletons import MPII, Skeleton


class Published(NamedTuple):
    """What a paper reports; not measured here.

    Attributes:
        ap: in percent.
        source: on which images, how tested, and where it is written.
        checkpoint: the authors' file that `convert` turns into this network, or None.
    """

    ap: float
    source: str
    checkpoint: str | None = None


@dataclass(frozen=True)
class Preset:
    """How a detector is put together and trained.

    Attributes:
        summary: one line for people.
        arguments: of the network, without the number of classes.
        input_size: `(height, width)` in training.
        settings: how images are shown at test.
        augmentation: augmentation in training.
        loss: the loss.
        codec: fields of the codec, without the number of classes.
        network: which of the detectors; decides the codec.
        weights: file of `keras_cornernet_weights`, or None.
        published: what the paper reports on COCO, or None.
        training: fields of `experiment.TrainingConfig` that the paper's training sets.
    """

    summary: str
    arguments: dict
    input_size: tuple[int, int]
    settings: InferenceConfig | SaccadeConfig
    augmentation: CornerNetCrop | SaccadeCrop | SmallDataAugmentation
    loss: DetectionLoss = field(default_factory=DetectionLoss)
    codec: dict = field(default_factory=dict)
    network: type[Network] = CornerNet
    weights: str | None = None
    published: Published | None = None
    training: dict = field(default_factory=dict)


@dataclass(frozen=True)
class PosePreset:
    """How a pose network is put together and trained.

    Attributes:
        summary: one line for people.
        arguments: of the network, without the number of joints.
        input_size: `(height, width)` in training.
        settings: how people are shown at test.
        augmentation: augmentation in training.
        loss: the loss.
        codec: fields of the codec.
        network: which of the pose networks.
        skeleton: of a network that is built without data.
        weights: file of `keras_cornernet_weights`, or None.
        training: as of `Preset`.
    """

    summary: str
    arguments: dict
    input_size: tuple[int, int]
    settings: PoseInferenceConfig
    augmentation: PoseAugmentation = field(default_factory=PoseAugmentation)
    loss: PoseLoss = field(default_factory=PoseLoss)
    codec: dict = field(default_factory=dict)
    network: type[StackedHourglass | LegacyStackedHourglass] = StackedHourglass
    skeleton: Skeleton = MPII
    weights: str | None = None
    training: dict = field(default_factory=dict)
