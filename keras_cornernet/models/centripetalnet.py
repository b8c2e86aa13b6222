"""CentripetalNet: objects as pairs of corners that point to one centre (Dong et al. 2020)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from keras_cornernet.codecs import CentripetalCodec
from keras_cornernet.losses import DetectionLoss, gaussian_focal_loss
from keras_cornernet.losses.heatmap import TINY
from keras_cornernet.models.config import CornerPoolConfig
from keras_cornernet.models.detector import Branches, DetectorNetwork
from keras_cornernet.models.heads import pooled_corners


@dataclass(frozen=True, kw_only=True)
class CentripetalConfig(CornerPoolConfig):
    """The settings of `CentripetalNet`.

    Attributes:
        guiding: also predict the shift from a corner's cell to the centre in cells. In the paper it steers a
            deformable convolution; here it is a second task that the features learn from.
    """

    guiding: bool = True


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CentripetalNet(DetectorNetwork):
    """Stacked hourglasses, each followed by its own corners, which tell how far off their centre is.

    CornerNet with centripetal shifts in place of embeddings. The paper's deformable convolution before the
    shifts, and its head for masks, are left out, so that no published checkpoint fits.

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `CentripetalConfig`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of
    `{"top_left" | "bottom_right": {"heatmap": (batch, h, w, num_classes) logits, "offset": (batch, h, w, 2)
    as x, y in cells, "centripetal": (batch, h, w, 2), the logarithm of the distance to the centre along x and
    y in cells}}`, and with `guiding` also `"guiding"`, that distance itself from the cell's corner.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Dong et al. 2020 (arXiv 2003.09119), sec. 3; open-mmlab/mmdetection,
    `mmdet/models/dense_heads/centripetal_head.py`.

    Example:
        >>> network = CentripetalNet(3, stacks=1, channels=(64, 96), num_blocks=(1, 1), stem=(32, 64))
        >>> sorted(network.output[0]["top_left"])
        ['centripetal', 'guiding', 'heatmap', 'offset']
    """

    config_type: ClassVar[type[CentripetalConfig]] = CentripetalConfig
    default_name = "centripetalnet"
    default_codec = CentripetalCodec
    # `configs/centripetalnet` of open-mmlab/mmdetection; it sums over the stacks.
    default_loss = DetectionLoss(
        pull_weight=0.0,
        push_weight=0.0,
        centripetal_weight=1.0,
        guiding_weight=0.05,
        mean_over_stacks=False,
        mean_over_branches=True,
        count_epsilon=TINY,
        heatmap_loss=gaussian_focal_loss,
    )

    @staticmethod
    def branches(features: Any, merged: list[Any], stack: int, config: CentripetalConfig) -> Branches:
        """See `DetectorNetwork.branches`."""
        sizes = {"offset": 2, "centripetal": 2, **({"guiding": 2} if config.guiding else {})}
        return pooled_corners(features, stack, config, sizes)
