"""What a converted network carries besides its weights: how it is tested, and what its outputs are called."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from keras_cornernet.coco_names import COCO_CLASSES
from keras_cornernet.codecs import (
    CenterCodec,
    CornerCodec,
    HeatmapCodec,
    KeypointCodec,
    SaccadeCodec,
    TripletCodec,
)
from keras_cornernet.inference import InferenceConfig, SaccadeConfig
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import (
    CenterNet,
    CornerNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    ObjectsAsPoints,
    StackedHourglass,
)
from keras_cornernet.models.network import Network
from keras_cornernet.skeletons import SKELETONS
from keras_cornernet.structures import Categories


def default_categories(count: int, categories: Categories | Sequence[str] | None) -> Categories | None:
    """The categories of so many classes: those given, else COCO's where there are 80.

    Raises:
        ValueError: there are not as many names as classes.
    """
    if categories is None:
        named = count == len(COCO_CLASSES)
        return Categories(tuple(COCO_CLASSES.values()), tuple(COCO_CLASSES)) if named else None
    categories = Categories.of(categories)
    if len(categories) != count:
        raise ValueError(
            f"categories has {len(categories)} names for {count} classes; num_classes asks for fresh "
            "heads of another number"
        )
    return categories


def cornernet_metadata(network: CornerNet) -> dict[str, Any]:
    """Whole images, padded so that hourglasses halve exactly, and mirrored; Law & Deng 2018, sec. 4.2."""
    return _detector_metadata(
        CornerCodec(_classes(network)), InferenceConfig(size_divisor=network.size_divisor)
    )


def squeeze_metadata(network: CornerNetSqueeze) -> dict[str, Any]:
    """As CornerNet with fewer corners and no mirror; CornerNet-Lite, `configs/CornerNet_Squeeze.json`."""
    codec = CornerCodec(_classes(network), top_k=20, num_detections=100)
    return _detector_metadata(codec, InferenceConfig(size_divisor=network.size_divisor, flip=False))


def centernet_metadata(network: CenterNet) -> dict[str, Any]:
    """As CornerNet with 70 points of each kind, boxes within the image; Duankaiwen/CenterNet, `test`."""
    settings = InferenceConfig(size_divisor=network.size_divisor, border=5.0)
    return _detector_metadata(TripletCodec(_classes(network)), settings)


def points_metadata(network: ObjectsAsPoints) -> dict[str, Any]:
    """Whole images, padded, and no suppression; xingyizhou/CenterNet, `experiments/ctdet_coco_hg.sh`.

    The maps of the mirror image are averaged in, as for the published figures of one scale.
    """
    settings = InferenceConfig(size_divisor=network.size_divisor, whole_multiples=True, method="none")
    codec = CenterCodec(_classes(network), size_per_class=network.arguments["size_per_class"])
    return _detector_metadata(codec, settings)


def saccade_metadata(network: CornerNetSaccade) -> dict[str, Any]:
    """Crops with few corners each; princeton-vl/CornerNet-Lite, `configs/CornerNet_Saccade.json`.

    Boxes come back to the image as in the released code, so that its published numbers can be had.
    """
    return _detector_metadata(SaccadeCodec(_classes(network)), SaccadeConfig(released_geometry=True))


def _classes(network: Network) -> int:
    return int(network.arguments["num_classes"])


def _detector_metadata(codec: HeatmapCodec, settings: InferenceConfig | SaccadeConfig) -> dict[str, Any]:
    fields = asdict(codec)
    fields.pop("num_classes")
    return {"settings": asdict(settings), "codec": fields}


def pose_metadata(network: StackedHourglass, codec: str) -> dict[str, Any]:
    """How a repository tests its pose networks; its files say nothing of the joints but their number.

    Args:
        codec: the repository's name in `KeypointCodec.named`.
    """
    settings = PoseInferenceConfig(input_size=(256, 256), flip=True, shift_mirrored=codec == "mmpose")
    metadata = {"settings": asdict(settings), "codec": asdict(KeypointCodec.named(codec))}
    by_count = {len(skeleton.joints): skeleton for skeleton in SKELETONS.values()}
    skeleton = by_count.get(network.arguments["num_joints"])
    if skeleton is not None:
        metadata["skeleton"] = asdict(skeleton)
    return metadata
