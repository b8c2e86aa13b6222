"""What all detectors share: a body, and branches on the features of each stack."""

from collections.abc import Iterator
from typing import Any, ClassVar

import keras

from keras_cornernet.codecs.heatmaps import HeatmapCodec
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models.body import normalize, stacked_features, strided_stem
from keras_cornernet.models.config import DetectorConfig
from keras_cornernet.models.network import Network

Branches = dict[str, dict[str, Any]]


class DetectorNetwork(Network):
    """A body, and on the features of each stack the branches that a subclass defines.

    A subclass also names what it is used with: `default_codec`, between boxes and its maps, and
    `default_loss`, its paper's. The released detectors sum pull and push over the images of each GPU and
    average the GPUs; `embedding_batch` of the loss is that number of images, whatever the batch size here.

    Args:
        num_classes: channels of the heatmaps.
        metadata: see `Network`.
        name: of the model.
        settings: the other fields of the subclass's `config_type`.

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of
    `{branch: {head: tensor}}`.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    config_type: ClassVar[type[DetectorConfig]] = DetectorConfig
    default_name: ClassVar[str]
    default_codec: ClassVar[type[HeatmapCodec]]
    default_loss: ClassVar[DetectionLoss] = DetectionLoss()

    def __init__(
        self,
        num_classes: int = 80,
        *,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **settings: Any,
    ):
        config = self.config_type(num_classes=num_classes, **settings)
        images = keras.Input((*(config.input_size or (None, None)), 3), name="images")
        outputs = [
            self.branches(features, merged, stack, config)
            for stack, (features, merged) in enumerate(_features(images, config))
        ]
        super().__init__(images, outputs, config=config, metadata=metadata, name=name or self.default_name)

    @staticmethod
    def branches(features: Any, merged: list[Any], stack: int, config: Any) -> Branches:
        """The branches of one stack.

        Args:
            features: `(batch, h, w, channels)` maps of the stack.
            merged: the merged maps of its hourglass, deepest first; none with a backbone.
            stack: its number, to name layers by.
            config: of the network, a `config_type`.

        Returns:
            `{branch: {head: tensor}}`.
        """
        raise NotImplementedError


def _features(images: Any, config: DetectorConfig) -> Iterator[tuple[Any, list[Any]]]:
    """The features and merged maps of each stack."""
    if config.backbone is not None:
        return iter([(config.backbone(images), [])])
    x = strided_stem(normalize(images, config.mean, config.std), config.stem)
    return stacked_features(x, config)
