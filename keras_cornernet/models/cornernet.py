"""CornerNet: objects as pairs of corners (Law & Deng, ECCV 2018)."""

from typing import Any, ClassVar

import keras

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.config import CornerConfig
from keras_cornernet.models.detector import Branches, DetectorNetwork
from keras_cornernet.models.heads import corner_branches


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNet(DetectorNetwork):
    """Stacked hourglasses, each followed by its own top-left and bottom-right predictions.

    The defaults are the paper's network (Hourglass-104, 201,035,212 parameters); `stacks=1` is Hourglass-52.

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `CornerConfig`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of
    `{"top_left" | "bottom_right": {"heatmap": (batch, h, w, num_classes) logits, "embedding":
    (batch, h, w, 1 or 2), "offset": (batch, h, w, 2) as x, y in cells}}` with `h = ceil(height / 4)`
    for the default stem.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Law & Deng 2018, sec. 3; princeton-vl/CornerNet, `models/CornerNet.py` and
    `models/py_utils/kp.py`. Paper and code supervise the predictions of each stack; they do not enter the
    next stack.

    Example:
        >>> network = CornerNet(3, stacks=1, channels=(64, 96), num_blocks=(1, 1), stem=(32, 64))
        >>> network.stride, network.size_divisor
        (4, 8)
    """

    config_type: ClassVar[type[CornerConfig]] = CornerConfig
    default_name = "cornernet"
    default_codec = CornerCodec
    # `chunk_sizes` of `config/CornerNet.json` of princeton-vl/CornerNet: nine GPUs with 5 images, one with 4.
    default_loss = DetectionLoss(embedding_batch=5)

    @staticmethod
    def branches(features: Any, merged: list[Any], stack: int, config: CornerConfig) -> Branches:
        """See `DetectorNetwork.branches`."""
        return corner_branches(features, stack, config)
