"""What goes with which network of detectors: the codec, the detector, the loss."""

from typing import NamedTuple

from keras_cornernet.codecs import CornerCodec, SaccadeCodec, TripletCodec
from keras_cornernet.inference import Detector, SaccadeDetector
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import CenterNet, CornerNet, CornerNetSaccade, CornerNetSqueeze
from keras_cornernet.models.network import Network


class Family(NamedTuple):
    """What a network of detectors is used with.

    Attributes:
        codec: between boxes and the network's outputs.
        detector: how images are shown; its `settings_type` says what can be set.
        loss: the paper's.
    """

    codec: type[CornerCodec] = CornerCodec
    detector: type[Detector] = Detector
    loss: DetectionLoss = DetectionLoss()


FAMILIES: dict[type[Network], Family] = {
    CornerNet: Family(),
    CornerNetSqueeze: Family(),
    CornerNetSaccade: Family(SaccadeCodec, SaccadeDetector, DetectionLoss(attention_weight=1.0)),
    CenterNet: Family(TripletCodec),
}
