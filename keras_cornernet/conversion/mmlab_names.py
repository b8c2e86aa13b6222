"""Names in checkpoints of OpenMMLab's hourglass, for pose (mmpose) and for corners (mmdetection)."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from keras_cornernet.conversion.corner_names import CORNERS
from keras_cornernet.conversion.layout import Layout
from keras_cornernet.conversion.metadata import cornernet_metadata, pose_metadata
from keras_cornernet.conversion.parts import CONV_NORM, RESIDUAL, Module, Reader, hourglass_blocks, level
from keras_cornernet.models import CornerNet, StackedHourglass

BASIC = {theirs.replace("skip", "downsample"): ours for theirs, ours in RESIDUAL.items()}
PREDICTION = {
    f"{theirs}.{their_part}": f"{ours}/{our_part}"
    for theirs, ours in {
        "direction1_conv": "vertical",
        "direction2_conv": "horizontal",
        "aftpool_conv": "pooled",
        "conv1": "shortcut",
        "conv2": "last",
    }.items()
    for their_part, our_part in CONV_NORM.items()
}
HEAD = {"0.conv": "hidden/conv", "1.conv": "last"}
HEADS = {"heat": "heatmap", "emb": "embedding", "off": "offset"}

# RGB, of images in 0..1.
IMAGENET = {
    "mean": (123.675 / 255, 116.28 / 255, 103.53 / 255),
    "std": (58.395 / 255, 57.12 / 255, 57.375 / 255),
}
COCO_JOINTS = 17  # of a backbone without heads
_UNUSED = {
    "backbone.inters.": "follows the last stack and is not used",
    "data_preprocessor.": "mean and deviation, which all files of this network share",
}


def _body(arguments: Mapping[str, Any]) -> Iterator[Module]:
    stacks = arguments["stacks"]
    yield "backbone.stem.0", "stem_conv", CONV_NORM
    yield "backbone.stem.1.0", "stem_residual_0", BASIC
    for s in range(stacks):
        hourglass = f"backbone.hourglass_modules.{s}"
        for theirs, ours in hourglass_blocks(hourglass, f"hourglass_{s}", arguments["num_blocks"]):
            yield theirs, ours, BASIC
        yield f"backbone.out_convs.{s}", f"features_{s}", CONV_NORM
        yield f"backbone.conv1x1s.{s}", f"carry_input_{s}", CONV_NORM
        yield f"backbone.remap_convs.{s}", f"carry_features_{s}", CONV_NORM
        yield f"backbone.inters.{s}", f"fusion_{s}", BASIC


def _mmpose(arguments: Mapping[str, Any], head: str | None) -> Iterator[Module]:
    yield from _body(arguments)
    for s in range(arguments["stacks"]):
        yield f"{head}.multi_final_layers.{s}", f"keypoints_heatmap_{s}", {"": ""}


def _mmdet(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield from _body(arguments)
    for s in range(arguments["stacks"]):
        for theirs, ours in CORNERS.items():
            yield f"bbox_head.{theirs}_pool.{s}", f"{ours}_{s}", PREDICTION
            for their_head, our_head in HEADS.items():
                yield f"bbox_head.{theirs}_{their_head}.{s}", f"{ours}_{our_head}_{s}", HEAD


def _read_body(read: Reader) -> dict[str, Any]:
    hourglass = "backbone.hourglass_modules.0"
    order = read.depth(hourglass, "up1")
    levels = [level(hourglass, k) + ".up1" for k in range(order)] + [level(hourglass, order)]
    return {
        "stacks": read.count("backbone.hourglass_modules"),
        "channels": tuple(read.size(f"{name}.0.conv2.weight") for name in levels),
        "num_blocks": tuple(read.count(name) for name in levels),
        **IMAGENET,
    }


def _read_mmpose(read: Reader, head: str | None) -> dict[str, Any]:
    return {
        "num_joints": read.size(f"{head}.multi_final_layers.0.weight") if head else COCO_JOINTS,
        **_read_body(read),
        "block": "basic",
        "stem": (read.size("backbone.stem.0.conv.weight"),),
        "stem_kernel_size": read.size("backbone.stem.0.conv.weight", 2),
    }


def _read_mmdet(read: Reader) -> dict[str, Any]:
    stem = ("backbone.stem.0.conv.weight", "backbone.stem.1.0.conv2.weight")
    heat = "bbox_head.tl_heat.0"
    return {
        "num_classes": read.size(f"{heat}.1.conv.weight"),
        **_read_body(read),
        "stem": tuple(read.size(name) for name in stem),
        "pool_channels": read.size("bbox_head.tl_pool.0.direction1_conv.conv.weight"),
        "head_channels": read.size(f"{heat}.0.conv.weight"),
        "head_kernel_size": read.size(f"{heat}.0.conv.weight", 2),
    }


def _mmpose_layout(head: str | None) -> Layout:
    return Layout(
        f"open-mmlab/mmpose ({head or 'no head'})",
        ("backbone.hourglass_modules.0.", *([f"{head}.multi_final_layers.0."] if head else ())),
        StackedHourglass,
        partial(_mmpose, head=head),
        partial(_read_mmpose, head=head),
        partial(pose_metadata, codec="mmpose"),
        unused=_UNUSED,
        fresh=() if head else ("keypoints_heatmap_",),
    )


MMDETECTION = Layout(
    "open-mmlab/mmdetection",
    ("backbone.hourglass_modules.0.", "bbox_head.tl_heat.0."),
    CornerNet,
    _mmdet,
    _read_mmdet,
    cornernet_metadata,
    unused=_UNUSED,
)
# The backbone alone comes last, since the others have its names too.
MMLAB_LAYOUTS = (MMDETECTION, *(_mmpose_layout(head) for head in ("head", "keypoint_head", None)))
