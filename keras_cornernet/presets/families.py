"""What goes with which network of detectors: the codec, the detector, the loss, the augmentation."""

from typing import NamedTuple

from keras_cornernet.codecs import CenterCodec, CornerCodec, HeatmapCodec, SaccadeCodec, TripletCodec
from keras_cornernet.data.augmentation import CornerNetCrop
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.inference import Detector, SaccadeDetector
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import CenterNet, CornerNet, CornerNetSaccade, CornerNetSqueeze, ObjectsAsPoints
from keras_cornernet.models.network import Network


class Family(NamedTuple):
    """What a network of detectors is used with.

    Attributes:
        codec: between boxes and the network's outputs.
        detector: how images are shown; its `settings_type` says what can be set.
        loss: the paper's. The released code sums pull and push over the images of each GPU and averages
            the GPUs; `embedding_batch` is that number of images, whatever the batch trained with here.
        augmentation: the paper's augmentation.

    Source of the images per GPU: `chunk_sizes` in `config/*.json` of princeton-vl/CornerNet (9 GPUs with 5,
    one with 4), princeton-vl/CornerNet-Lite (Saccade 4 with 12; Squeeze 3 with 14, one with 13) and
    Duankaiwen/CenterNet (8 with 6).
    """

    codec: type[HeatmapCodec] = CornerCodec
    detector: type[Detector] = Detector
    loss: DetectionLoss = DetectionLoss(embedding_batch=5)
    augmentation: CornerNetCrop | SaccadeCrop = CornerNetCrop()


FAMILIES: dict[type[Network], Family] = {
    CornerNet: Family(),
    CornerNetSqueeze: Family(loss=DetectionLoss(embedding_batch=14)),
    CornerNetSaccade: Family(
        SaccadeCodec, SaccadeDetector, DetectionLoss(embedding_batch=12, attention_weight=1.0), SaccadeCrop()
    ),
    CenterNet: Family(TripletCodec, loss=DetectionLoss(embedding_batch=6)),
    # `opts.py` of xingyizhou/CenterNet: heatmap 1, size 0.1, offset 1, both in L1.
    ObjectsAsPoints: Family(
        CenterCodec,
        loss=DetectionLoss(pull_weight=0.0, push_weight=0.0, offset_beta=0.0, size_weight=0.1),
    ),
}
