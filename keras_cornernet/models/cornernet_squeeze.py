"""CornerNet-Squeeze: CornerNet of fire blocks on a coarser grid (Law et al., BMVC 2020)."""

from dataclasses import dataclass
from typing import ClassVar

import keras

from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.config import CornerConfig
from keras_cornernet.models.cornernet import CornerNet


@dataclass(frozen=True, kw_only=True)
class CornerNetSqueezeConfig(CornerConfig):
    """The settings of `CornerNetSqueeze`: those of CornerNet with other defaults.

    Attributes:
        stem: three widths give a grid of an eighth of the input.
        channels: even numbers.
    """

    channels: tuple[int, ...] = (256, 256, 384, 384, 512)
    num_blocks: tuple[int, ...] = (2, 2, 2, 2, 4)
    block: str = "fire"
    upsampling: str = "transposed"
    stem: tuple[int, ...] = (128, 256, 256)
    head_kernel_size: int = 1


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerNetSqueeze(CornerNet):
    """CornerNet with cheap hourglasses: fire blocks, a grid of an eighth, transposed convolutions, 1x1 heads.

    The defaults are the paper's network (31,771,852 parameters; 51 GMAC at 511 x 511, where CornerNet has
    343).

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `CornerNetSqueezeConfig`.

    Input and output: see `CornerNet`, with `h = ceil(height / 8)` for the default stem.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Law, Teng, Russakovsky & Deng 2019 (arXiv 1904.08900), sec. 4; princeton-vl/CornerNet-Lite,
    `core/models/CornerNet_Squeeze.py`. The prediction modules and the fusion keep their 3x3 convolutions;
    only the heads become 1x1.
    """

    config_type: ClassVar[type[CornerNetSqueezeConfig]] = CornerNetSqueezeConfig
    default_name = "cornernet_squeeze"
    # `chunk_sizes` of princeton-vl/CornerNet-Lite: three GPUs with 14 images, one with 13.
    default_loss = DetectionLoss(embedding_batch=14)
