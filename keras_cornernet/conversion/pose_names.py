"""Names of the authors' pose checkpoints and of our weights, side by side."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from keras_cornernet.conversion.layout import Layout
from keras_cornernet.conversion.metadata import pose_metadata
from keras_cornernet.conversion.parts import CONV_NORM, Module, Reader, hourglass_blocks, level
from keras_cornernet.models import StackedHourglass

_BRANCH = {"1": "first", "2": "second", "3": "third"}
_NORMS = {f"bn{i}": f"{ours}/norm" for i, ours in _BRANCH.items()}
UMICH_BOTTLENECK = {
    **_NORMS,
    **{f"conv{i}.conv": f"{ours}/conv" for i, ours in _BRANCH.items()},
    "skip_layer.conv": "shortcut",
}
BEARPAW_BOTTLENECK = {
    **_NORMS,
    **{f"conv{i}": f"{ours}/conv" for i, ours in _BRANCH.items()},
    "downsample.0": "shortcut",
}
# Of RGB images in 0..1, by the number of joints, which is all that a file states of its data set: LSP's and
# COCO's, and MPII's for any other. The deviation that bearpaw's repository stores is not applied there.
BEARPAW_MEANS = {14: (0.444208, 0.430216, 0.403950), 17: (0.456608, 0.436882, 0.406142)}
BEARPAW_MPII_MEAN = (0.440443, 0.444027, 0.432683)


def _umich(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield "pre.0", "stem_conv", CONV_NORM
    for i, number in enumerate((1, 3, 4)):
        yield f"pre.{number}", f"stem_residual_{i}", UMICH_BOTTLENECK
    for s in range(arguments["stacks"]):
        for theirs, ours in hourglass_blocks(f"hgs.{s}.0", f"hourglass_{s}", arguments["num_blocks"]):
            yield theirs.removesuffix(".0"), ours, UMICH_BOTTLENECK  # one residual each, not a list
        yield f"features.{s}.0", f"after_{s}_0", UMICH_BOTTLENECK
        yield f"features.{s}.1", f"features_{s}", CONV_NORM
        yield f"outs.{s}.conv", f"keypoints_heatmap_{s}", {"": ""}
        yield f"merge_features.{s}.conv.conv", f"carry_features_{s}", {"": ""}
        yield f"merge_preds.{s}.conv.conv", f"carry_heatmap_{s}", {"": ""}


def _read_umich(read: Reader) -> dict[str, Any]:
    order = read.depth("hgs.0.0", "up1")
    levels = [level("hgs.0.0", k) + ".up1" for k in range(order)] + [level("hgs.0.0", order)]
    stem = ("pre.0.conv", "pre.1.conv3.conv", "pre.3.conv3.conv")
    return {
        "num_joints": read.size("outs.0.conv.weight"),
        "stacks": read.count("hgs"),
        "channels": tuple(read.size(f"{name}.conv3.conv.weight") for name in levels),
        "num_blocks": (1,) * len(levels),
        "stem": tuple(read.size(f"{name}.weight") for name in stem),
        "stem_kernel_size": read.size("pre.0.conv.weight", 2),
    }


def _bearpaw(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield "", "stem_conv", {"conv1": "conv", "bn1": "norm"}
    for i in range(3):
        yield f"layer{i + 1}.0", f"stem_residual_{i}", BEARPAW_BOTTLENECK
    num_blocks = arguments["num_blocks"]
    innermost = len(num_blocks) - 2  # their levels count from the bottom
    for s in range(arguments["stacks"]):
        for k, count in enumerate(num_blocks[:-1]):
            for number, ours in enumerate(("aside", "down", "up")):
                for b in range(count):
                    theirs = f"hg.{s}.hg.{innermost - k}.{number}.{b}"
                    yield theirs, f"hourglass_{s}/{ours}_{k}_{b}", BEARPAW_BOTTLENECK
        for b in range(num_blocks[-1]):
            yield f"hg.{s}.hg.0.3.{b}", f"hourglass_{s}/bottom_{b}", BEARPAW_BOTTLENECK
        for b in range(num_blocks[0]):
            yield f"res.{s}.{b}", f"after_{s}_{b}", BEARPAW_BOTTLENECK
        yield f"fc.{s}", f"features_{s}", {"0": "conv", "1": "norm"}
        yield f"score.{s}", f"keypoints_heatmap_{s}", {"": ""}
        yield f"fc_.{s}", f"carry_features_{s}", {"": ""}
        yield f"score_.{s}", f"carry_heatmap_{s}", {"": ""}


def _read_bearpaw(read: Reader) -> dict[str, Any]:
    levels = [f"hg.0.hg.{k}.0" for k in reversed(range(read.count("hg.0.hg")))] + ["hg.0.hg.0.3"]
    stem = ("conv1", "layer1.0.conv3", "layer2.0.conv3")
    num_joints = read.size("score.0.weight")
    return {
        "num_joints": num_joints,
        "stacks": read.count("hg"),
        "channels": tuple(read.size(f"{name}.0.conv3.weight") for name in levels),
        "num_blocks": tuple(read.count(name) for name in levels),
        "stem": tuple(read.size(f"{name}.weight") for name in stem),
        "stem_kernel_size": read.size("conv1.weight", 2),
        "mean": BEARPAW_MEANS.get(num_joints, BEARPAW_MPII_MEAN),
    }


POSE_LAYOUTS = (
    Layout(
        "princeton-vl/pytorch_stacked_hourglass",
        ("hgs.0.", "outs.0."),
        StackedHourglass,
        _umich,
        _read_umich,
        partial(pose_metadata, codec="umich"),
        unused={"skip_layer.": "is allocated and not used: the residual keeps its width"},
    ),
    Layout(
        "bearpaw/pytorch-pose",
        ("hg.0.hg.0.", "score.0."),
        StackedHourglass,
        _bearpaw,
        _read_bearpaw,
        partial(pose_metadata, codec="bearpaw"),
    ),
)
