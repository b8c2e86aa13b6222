"""What goes with which network: the codec, the model that users hold, the loss, the augmentation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from keras_cornernet.codecs import CenterCodec, CornerCodec, KeypointCodec, SaccadeCodec, TripletCodec
from keras_cornernet.data.augmentation import CornerNetCrop
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.inference import Detector, PoseEstimator, SaccadeDetector
from keras_cornernet.inference.model import Model
from keras_cornernet.losses import DetectionLoss, PoseLoss
from keras_cornernet.models import (
    CenterNet,
    CornerNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    LegacyStackedHourglass,
    ObjectsAsPoints,
    StackedHourglass,
)
from keras_cornernet.models.network import Network
from keras_cornernet.training import HeatmapPCK

COCO_CLASSES = 80  # of a detector that is built before its data is known


class Loss(Protocol):
    """A training loss: named scalars that add up to it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its terms."""

    def __call__(self, targets: dict[str, Any], outputs: list[Any]) -> dict[str, Any]:
        """The terms for the targets of a codec and the outputs of a network."""


class Augmentation(Protocol):
    """Draws how one image or person is shown in training; any object with such a `draw` will do.

    See `data.augmentation` for images and `data.pose_augmentation` for people.
    """

    @property
    def draw(self) -> Callable[..., Any]:
        """The function that draws."""


@dataclass(frozen=True)
class Family:
    """What a network is used with, as its paper has it.

    Attributes:
        codec: class of the codec between annotations and the network's outputs.
        model: class that users hold; its `settings_type` says what can be set.
        loss: the paper's. The released detectors sum pull and push over the images of each GPU and average
            the GPUs; `embedding_batch` is that number of images, whatever the batch size here.
        augmentation: the paper's.
        metric: shown beside the loss in training, or None.

    Source of the images per GPU: `chunk_sizes` in `config/*.json` of princeton-vl/CornerNet (9 GPUs with 5,
    one with 4), princeton-vl/CornerNet-Lite (Saccade 4 with 12; Squeeze 3 with 14, one with 13) and
    Duankaiwen/CenterNet (8 with 6).
    """

    codec: type
    model: type[Model]
    loss: Loss
    augmentation: Augmentation
    metric: HeatmapPCK | None = None


_POSE = Family(KeypointCodec, PoseEstimator, PoseLoss(), PoseAugmentation(), HeatmapPCK())

FAMILIES: dict[type[Network], Family] = {
    CornerNet: Family(CornerCodec, Detector, DetectionLoss(embedding_batch=5), CornerNetCrop()),
    CornerNetSqueeze: Family(CornerCodec, Detector, DetectionLoss(embedding_batch=14), CornerNetCrop()),
    CornerNetSaccade: Family(
        SaccadeCodec, SaccadeDetector, DetectionLoss(embedding_batch=12, attention_weight=1.0), SaccadeCrop()
    ),
    CenterNet: Family(TripletCodec, Detector, DetectionLoss(embedding_batch=6), CornerNetCrop()),
    # `opts.py` of xingyizhou/CenterNet: heatmap 1, size 0.1, offset 1, both in L1.
    ObjectsAsPoints: Family(
        CenterCodec,
        Detector,
        DetectionLoss(pull_weight=0.0, push_weight=0.0, offset_beta=0.0, size_weight=0.1),
        CornerNetCrop(of_image=True),
    ),
    StackedHourglass: _POSE,
    LegacyStackedHourglass: _POSE,
}
