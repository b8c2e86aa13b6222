"""What a converted network carries besides its weights: how it is tested, and what its outputs are called."""

from collections.abc import Sequence
from dataclasses import asdict

from keras_cornernet.coco_names import COCO_CLASSES
from keras_cornernet.codecs import CornerCodec, KeypointCodec
from keras_cornernet.inference.detector import TestSettings
from keras_cornernet.inference.pose_estimator import PoseSettings
from keras_cornernet.models import CornerNet, StackedHourglass
from keras_cornernet.skeletons import SKELETONS
from keras_cornernet.structures import Categories


def categories_of(count: int, categories: Categories | Sequence[str] | None) -> Categories | None:
    """The categories of so many classes: those given, else COCO's where there are 80.

    Raises:
        ValueError: there are not as many names as classes.
    """
    if categories is None:
        named = count == len(COCO_CLASSES)
        return Categories(tuple(COCO_CLASSES.values()), tuple(COCO_CLASSES)) if named else None
    if not isinstance(categories, Categories):
        categories = Categories(tuple(categories), tuple(range(1, len(categories) + 1)))
    if len(categories.names) != count:
        raise ValueError(
            f"categories has {len(categories.names)} names for {count} classes; num_classes asks for fresh "
            "heads of another number"
        )
    return categories


def detector_task(network: CornerNet, categories: Categories | None) -> dict:
    """How the paper tests: whole images, padded so that every hourglass level halves exactly."""
    codec = asdict(CornerCodec(network.arguments["num_classes"]))
    codec.pop("num_classes")
    task = {"settings": asdict(TestSettings(multiple=network.multiple)), "codec": codec}
    if categories is not None:
        task["categories"] = {"names": list(categories.names), "ids": list(categories.ids)}
    return task


def pose_task(network: StackedHourglass, codec: str) -> dict:
    """How a repository tests its pose networks; its files say nothing of the joints but their number.

    Args:
        codec: the repository's name in `KeypointCodec.named`.
    """
    settings = PoseSettings(input_size=(256, 256), flip=True, shift_mirrored=codec == "mmpose")
    task = {"settings": asdict(settings), "codec": asdict(KeypointCodec.named(codec))}
    by_count = {len(skeleton.joints): skeleton for skeleton in SKELETONS.values()}
    skeleton = by_count.get(network.arguments["num_joints"])
    if skeleton is not None:
        task["skeleton"] = skeleton._asdict()
    return task
