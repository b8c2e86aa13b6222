"""CenterNet: objects as triplets of two corners and a centre (Duan et al., ICCV 2019)."""

from typing import Any, ClassVar

import keras

from keras_cornernet.codecs import TripletCodec
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.config import CornerConfig
from keras_cornernet.models.detector import Branches, DetectorNetwork
from keras_cornernet.models.heads import center_branch, corner_branches


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CenterNet(DetectorNetwork):
    """CornerNet with cascade corner pooling and a third branch for centres.

    A box is kept only if the centre of an object of its class lies in its middle. The defaults are the
    paper's CenterNet-104 (210,062,960 parameters); `stacks=1` is CenterNet-52 (104,844,152). "Objects as
    Points", whose authors use the same name, is `ObjectsAsPoints`.

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `CornerConfig`. The centres have no embedding.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: see `CornerNet`, and in each stack
    `"center": {"heatmap": (batch, h, w, num_classes) logits, "offset": (batch, h, w, 2)}`.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Duan, Bai, Xie, Qi, Huang & Tian 2019 (arXiv 1904.08189), sec. 3; Duankaiwen/CenterNet,
    `models/CenterNet-104.py` and `models/py_utils/kp.py`.
    """

    config_type: ClassVar[type[CornerConfig]] = CornerConfig
    default_name = "centernet"
    default_codec = TripletCodec
    # `chunk_sizes` of Duankaiwen/CenterNet: eight GPUs with 6 images.
    default_loss = DetectionLoss(embedding_batch=6)

    @staticmethod
    def branches(features: Any, merged: list[Any], stack: int, config: CornerConfig) -> Branches:
        """See `DetectorNetwork.branches`."""
        corners = corner_branches(features, stack, config, cascade=True)
        return {**corners, "center": center_branch(features, stack, config)}
