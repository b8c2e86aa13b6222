"""What goes with which network: the codec, the model that users hold, the loss, the augmentation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from keras_cornernet.codecs import CornerCodec, KeypointCodec
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
    LegacyStackedHourglass,
    ObjectsAsPoints,
    StackedHourglass,
)
from keras_cornernet.models.detector import DetectorNetwork
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
        loss: the paper's.
        augmentation: the paper's.
        metric: shown beside the loss in training, or None.
        multi_scale: the settings with which the paper tests with several scales, beside the mirror image;
            empty where it does not.
    """

    codec: type
    model: type[Model]
    loss: Loss
    augmentation: Augmentation
    metric: HeatmapPCK | None = None
    multi_scale: Mapping[str, Any] = field(default_factory=dict)


_DETECTOR = Family(CornerCodec, Detector, DetectionLoss(), CornerNetCrop())
_POSE = Family(KeypointCodec, PoseEstimator, PoseLoss(), PoseAugmentation(), HeatmapPCK())

# Law & Deng 2018, `CornerNet-multi_scale.json`; Duan et al. 2019, sec. 4.2; Zhou et al. 2019, sec. 5.
_CORNERNET_SCALES = {"scales": (0.5, 0.75, 1.0, 1.25, 1.5), "merge_exponent": 10.0}
_CENTERNET_SCALES = {"scales": (0.6, 1.0, 1.2, 1.5, 1.8), "merge_exponent": 10.0}
_POINTS_SCALES = {"scales": (0.5, 0.75, 1.0, 1.25, 1.5)}

# By network or base class, see `family_of`. A new detector needs an entry only if users hold another class
# than `Detector`, or if its paper augments images otherwise.
FAMILIES: dict[type[Network], Family] = {
    DetectorNetwork: _DETECTOR,
    CornerNet: replace(_DETECTOR, multi_scale=_CORNERNET_SCALES),
    CenterNet: replace(_DETECTOR, multi_scale=_CENTERNET_SCALES),
    CornerNetSaccade: replace(_DETECTOR, model=SaccadeDetector, augmentation=SaccadeCrop()),
    ObjectsAsPoints: replace(
        _DETECTOR, augmentation=CornerNetCrop(of_image=True), multi_scale=_POINTS_SCALES
    ),
    StackedHourglass: _POSE,
    LegacyStackedHourglass: _POSE,
}


def family_of(network: type[Network]) -> Family:
    """What a network is used with: the entry of its nearest base class, with its own codec and loss.

    Raises:
        ValueError: the class has no entry, and neither has any of its bases.
    """
    family = next((FAMILIES[base] for base in network.__mro__ if base in FAMILIES), None)
    if family is None:
        raise ValueError(f"{network.__name__} is of no known family: FAMILIES has no entry for it")
    own = {name: getattr(network, f"default_{name}", None) for name in ("codec", "loss")}
    return replace(family, **{name: value for name, value in own.items() if value is not None})
