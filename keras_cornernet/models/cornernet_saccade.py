"""CornerNet-Saccade: corners, and attention maps that say where to look closer (Law et al., BMVC 2020)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from keras_cornernet.codecs import SaccadeCodec
from keras_cornernet.layers.head import HEATMAP_BIAS, Head
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.config import CornerConfig
from keras_cornernet.models.detector import Branches, DetectorNetwork
from keras_cornernet.models.heads import corner_branches

# Of the objects that each attention map marks; the deepest merged map comes first.
SIZES = ("large", "medium", "small")


@dataclass(frozen=True, kw_only=True)
class CornerNetSaccadeConfig(CornerConfig):
    """The settings of `CornerNetSaccade`: those of CornerNet with other defaults.

    Attributes:
        channels: four widths, since there are three merged maps, one for each attention map.
        head_channels: width of the hidden layer of all heads, those of the attention maps too.
    """

    stacks: int = 3
    channels: tuple[int, ...] = (256, 384, 384, 512)
    num_blocks: tuple[int, ...] = (1, 1, 1, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backbone is not None:
            raise ValueError("backbone must be None: attention maps are read from the maps of an hourglass")
        if len(self.channels) != len(SIZES) + 1:
            raise ValueError(
                f"channels must have {len(SIZES) + 1} widths, one merged map for each of {SIZES}, "
                f"not {self.channels}"
            )


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNetSaccade(DetectorNetwork):
    """CornerNet with shallow hourglasses and attention maps, for small crops of an image.

    Each stack also predicts where objects of three sizes lie, from three merged maps of its hourglass: large
    ones from the deepest map, small ones from the last. The defaults are the paper's network (Hourglass-54,
    116,969,339 parameters, 96 GMAC for a crop of 255 x 255).

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `CornerNetSaccadeConfig`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: see `CornerNet`, and in each stack
    `"attention": {"large" | "medium" | "small": (batch, h, w, 1)}` logits on grids of a sixteenth, an eighth
    and a quarter of the input.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Law, Teng, Russakovsky & Deng 2019 (arXiv 1904.08900), sec. 3; princeton-vl/CornerNet-Lite,
    `core/models/CornerNet_Saccade.py`.
    """

    config_type: ClassVar[type[CornerNetSaccadeConfig]] = CornerNetSaccadeConfig
    default_name = "cornernet_saccade"
    default_codec = SaccadeCodec
    # `chunk_sizes` of princeton-vl/CornerNet-Lite: four GPUs with 12 images.
    default_loss = DetectionLoss(embedding_batch=12, attention_weight=1.0)

    @staticmethod
    def branches(features: Any, merged: list[Any], stack: int, config: CornerConfig) -> Branches:
        """See `DetectorNetwork.branches`."""
        attention = {
            size: Head(1, config.head_channels, 3, bias=HEATMAP_BIAS, name=f"attention_{size}_{stack}")(maps)
            for size, maps in zip(SIZES, merged, strict=True)
        }
        return {**corner_branches(features, stack, config), "attention": attention}
