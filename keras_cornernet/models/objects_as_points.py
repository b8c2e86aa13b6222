"""Objects as Points: objects as their centres, with a size (Zhou et al. 2019)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from keras_cornernet.codecs import CenterCodec
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.config import DetectorConfig
from keras_cornernet.models.detector import Branches, DetectorNetwork
from keras_cornernet.models.heads import heads


@dataclass(frozen=True, kw_only=True)
class ObjectsAsPointsConfig(DetectorConfig):
    """The settings of `ObjectsAsPoints`.

    Attributes:
        size_per_class: predict one size for each class (`cat_spec_wh` of the released code).
    """

    size_per_class: bool = False


@keras.saving.register_keras_serializable(package="keras_cornernet")
class ObjectsAsPoints(DetectorNetwork):
    """Stacked hourglasses, each followed by heads for the centre, the size and the offset of objects.

    The heads read the features directly: there is no corner pooling and there are no embeddings. The defaults
    are the paper's network with Hourglass-104 (191,284,008 parameters). Its authors call it CenterNet, as
    Duan et al. call another network of the same year, see `CenterNet`.

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of `ObjectsAsPointsConfig`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of `{"center": {"heatmap":
    (batch, h, w, num_classes) logits, "size": (batch, h, w, 2 or 2 * num_classes) as width, height in cells,
    "offset": (batch, h, w, 2) as x, y in cells}}`.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Zhou, Wang & Kraehenbuehl 2019 (arXiv 1904.07850), secs. 3 and 5; xingyizhou/CenterNet,
    `src/lib/models/networks/large_hourglass.py`.
    """

    config_type: ClassVar[type[ObjectsAsPointsConfig]] = ObjectsAsPointsConfig
    default_name = "objects_as_points"
    default_codec = CenterCodec
    # `opts.py` of xingyizhou/CenterNet: heatmap 1, size 0.1, offset 1, both in L1.
    default_loss = DetectionLoss(pull_weight=0.0, push_weight=0.0, offset_beta=0.0, size_weight=0.1)

    @staticmethod
    def branches(features: Any, merged: list[Any], stack: int, config: ObjectsAsPointsConfig) -> Branches:
        """See `DetectorNetwork.branches`."""
        sizes = {"size": 2 * config.num_classes if config.size_per_class else 2, "offset": 2}
        return {"center": heads(features, "center", stack, config, sizes)}
