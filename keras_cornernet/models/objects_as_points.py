"""Objects as Points: objects as their centres, with a size (Zhou et al. 2019)."""

import keras

from keras_cornernet.models.body import MEAN, STD
from keras_cornernet.models.heads import checked, head_outputs, images_and_features
from keras_cornernet.models.network import Network


@keras.saving.register_keras_serializable(package="keras_cornernet")
class ObjectsAsPoints(Network):
    """Stacked hourglasses, each followed by heads for the centre, the size and the offset of objects.

    The heads read the features directly: there is no corner pooling and there are no embeddings. The defaults
    are the paper's network with Hourglass-104 (191,284,008 parameters). Its authors call it CenterNet, as
    Duan et al. call another network of the same year, see `CenterNet`.

    Args:
        num_classes, stacks, channels, num_blocks, stem, head_channels, head_kernel_size, input_size, mean,
            std: see `CornerNet`.
        size_per_class: predict one size for each class (`cat_spec_wh` of the released code).

    Input: `(batch, height, width, 3)` RGB in 0..255. Output: a list over stacks of `{"center": {"heatmap":
    (batch, h, w, num_classes) logits, "size": (batch, h, w, 2 or 2 * num_classes) as width, height in cells,
    "offset": (batch, h, w, 2) as x, y in cells}}`.

    Raises:
        ValueError: a number below 1, or a stem that does not end with `channels[0]`.

    Source: Zhou, Wang & Kraehenbuehl 2019 (arXiv 1904.07850), secs. 3 and 5; xingyizhou/CenterNet,
    `src/lib/models/networks/large_hourglass.py`.
    """

    def __init__(
        self,
        num_classes=80,
        *,
        stacks=2,
        channels=(256, 256, 384, 384, 384, 512),
        num_blocks=(2, 2, 2, 2, 2, 4),
        stem=(128, 256),
        head_channels=256,
        head_kernel_size=3,
        size_per_class=False,
        input_size=None,
        mean=MEAN,
        std=STD,
        metadata=None,
        name="objects_as_points",
    ):
        arguments = checked(
            {
                "num_classes": num_classes,
                "stacks": stacks,
                "channels": channels,
                "num_blocks": num_blocks,
                "stem": stem,
                "head_channels": head_channels,
                "head_kernel_size": head_kernel_size,
                "size_per_class": size_per_class,
                "input_size": input_size,
                "mean": mean,
                "std": std,
            }
        )
        images, stacked = images_and_features(arguments)
        heads = {"size": 2 * num_classes if size_per_class else 2, "offset": 2}
        outputs = [
            {"center": head_outputs(features, "center", stack, arguments, heads)}
            for stack, (features, _) in enumerate(stacked)
        ]
        super().__init__(images, outputs, arguments=arguments, metadata=metadata, name=name)
