"""Names of published pose checkpoints and of our weights, side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from keras_cornernet.conversion.parts import (
    CONV_NORM,
    RESIDUAL,
    Module,
    Reader,
    hourglass_blocks,
    level,
    weights_of,
)

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
MMPOSE_BASIC = {theirs.replace("skip", "downsample"): ours for theirs, ours in RESIDUAL.items()}
# Of images in 0..1. bearpaw's is MPII's; the deviation that its repository stores is not applied there.
BEARPAW_MEAN = (0.440443, 0.444027, 0.432683)
IMAGENET_MEAN = (123.675 / 255, 116.28 / 255, 103.53 / 255)
IMAGENET_STD = (58.395 / 255, 57.12 / 255, 57.375 / 255)


class PoseLayout(NamedTuple):
    """One way of naming the weights of `StackedHourglass`.

    Attributes:
        name: the repository that writes files like this.
        marks: prefixes of names by which a file is recognised; all of them must occur.
        modules: from the network's arguments to pairs of modules.
        read: from a `Reader` of the file to the network's arguments.
        codec: what `KeypointCodec.named` calls that of the repository.
        unused: parts of names of weights that the authors' code allocates without always using them, and
            why they may be left out.
        headless: the file holds no heads, and ours start fresh.
        bgr: the stem reads BGR images.
    """

    name: str
    marks: tuple[str, ...]
    modules: Callable[[Mapping], Iterable[Module]]
    read: Callable[[Reader], dict]
    codec: str
    unused: dict[str, str] = {}  # noqa: RUF012  (of a tuple: nobody changes it)
    headless: bool = False
    bgr: bool = False

    def weight_names(self, arguments: Mapping) -> dict[str, str]:
        """Our weight paths and the file's names; every residual with a shortcut, needed or not."""
        return weights_of(self.modules(arguments))

    def infer(self, state: Mapping) -> dict:
        """The arguments of `StackedHourglass` that names and shapes tell."""
        return self.read(Reader(state, self))

    def reason_unused(self, name: str) -> str | None:
        """Why a weight of the file may be left out, if it may."""
        return next((why for part, why in self.unused.items() if part in name), None)


def _umich(arguments) -> Iterator[Module]:
    yield "pre.0", "stem_conv", CONV_NORM
    for i, number in enumerate((1, 3, 4)):
        yield f"pre.{number}", f"stem_residual_{i}", UMICH_BOTTLENECK
    for s in range(arguments["stacks"]):
        for theirs, ours in hourglass_blocks(f"hgs.{s}.0", f"hourglass_{s}", arguments["counts"]):
            yield theirs.removesuffix(".0"), ours, UMICH_BOTTLENECK  # one residual a place, not a list
        yield f"features.{s}.0", f"after_{s}_0", UMICH_BOTTLENECK
        yield f"features.{s}.1", f"features_{s}", CONV_NORM
        yield f"outs.{s}.conv", f"keypoints_heatmap_{s}", {"": ""}
        yield f"merge_features.{s}.conv.conv", f"carry_features_{s}", {"": ""}
        yield f"merge_preds.{s}.conv.conv", f"carry_heatmap_{s}", {"": ""}


def _read_umich(read: Reader) -> dict:
    order = read.depth("hgs.0.0", "up1")
    levels = [level("hgs.0.0", k) + ".up1" for k in range(order)] + [level("hgs.0.0", order)]
    stem = ("pre.0.conv", "pre.1.conv3.conv", "pre.3.conv3.conv")
    return {
        "num_joints": read.size("outs.0.conv.weight"),
        "stacks": read.count("hgs"),
        "channels": tuple(read.size(f"{name}.conv3.conv.weight") for name in levels),
        "counts": (1,) * len(levels),
        "stem": tuple(read.size(f"{name}.weight") for name in stem),
        "stem_kernel_size": read.size("pre.0.conv.weight", 2),
    }


def _bearpaw(arguments) -> Iterator[Module]:
    yield "", "stem_conv", {"conv1": "conv", "bn1": "norm"}
    for i in range(3):
        yield f"layer{i + 1}.0", f"stem_residual_{i}", BEARPAW_BOTTLENECK
    counts = arguments["counts"]
    innermost = len(counts) - 2  # their levels count from the bottom
    for s in range(arguments["stacks"]):
        for k, count in enumerate(counts[:-1]):
            for number, ours in enumerate(("aside", "down", "up")):
                for b in range(count):
                    theirs = f"hg.{s}.hg.{innermost - k}.{number}.{b}"
                    yield theirs, f"hourglass_{s}/{ours}_{k}_{b}", BEARPAW_BOTTLENECK
        for b in range(counts[-1]):
            yield f"hg.{s}.hg.0.3.{b}", f"hourglass_{s}/bottom_{b}", BEARPAW_BOTTLENECK
        for b in range(counts[0]):
            yield f"res.{s}.{b}", f"after_{s}_{b}", BEARPAW_BOTTLENECK
        yield f"fc.{s}", f"features_{s}", {"0": "conv", "1": "norm"}
        yield f"score.{s}", f"keypoints_heatmap_{s}", {"": ""}
        yield f"fc_.{s}", f"carry_features_{s}", {"": ""}
        yield f"score_.{s}", f"carry_heatmap_{s}", {"": ""}


def _read_bearpaw(read: Reader) -> dict:
    levels = [f"hg.0.hg.{k}.0" for k in reversed(range(read.count("hg.0.hg")))] + ["hg.0.hg.0.3"]
    stem = ("conv1", "layer1.0.conv3", "layer2.0.conv3")
    return {
        "num_joints": read.size("score.0.weight"),
        "stacks": read.count("hg"),
        "channels": tuple(read.size(f"{name}.0.conv3.weight") for name in levels),
        "counts": tuple(read.count(name) for name in levels),
        "stem": tuple(read.size(f"{name}.weight") for name in stem),
        "stem_kernel_size": read.size("conv1.weight", 2),
        "mean": BEARPAW_MEAN,
    }


def _mmpose(arguments, head) -> Iterator[Module]:
    yield "backbone.stem.0", "stem_conv", CONV_NORM
    yield "backbone.stem.1.0", "stem_residual_0", MMPOSE_BASIC
    for s in range(arguments["stacks"]):
        hourglass = f"backbone.hourglass_modules.{s}"
        for theirs, ours in hourglass_blocks(hourglass, f"hourglass_{s}", arguments["counts"]):
            yield theirs, ours, MMPOSE_BASIC
        yield f"backbone.out_convs.{s}", f"features_{s}", CONV_NORM
        yield f"backbone.conv1x1s.{s}", f"carry_input_{s}", CONV_NORM
        yield f"backbone.remap_convs.{s}", f"carry_features_{s}", CONV_NORM
        yield f"backbone.inters.{s}", f"fusion_{s}", MMPOSE_BASIC
        yield f"{head}.multi_final_layers.{s}", f"keypoints_heatmap_{s}", {"": ""}


def _read_mmpose(read: Reader, head) -> dict:
    hourglass = "backbone.hourglass_modules.0"
    order = read.depth(hourglass, "up1")
    levels = [level(hourglass, k) + ".up1" for k in range(order)] + [level(hourglass, order)]
    return {
        "num_joints": read.size(f"{head}.multi_final_layers.0.weight") if head else COCO_JOINTS,
        "stacks": read.count("backbone.hourglass_modules"),
        "channels": tuple(read.size(f"{name}.0.conv2.weight") for name in levels),
        "counts": tuple(read.count(name) for name in levels),
        "kind": "basic",
        "stem": (read.size("backbone.stem.0.conv.weight"),),
        "stem_kernel_size": read.size("backbone.stem.0.conv.weight", 2),
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
    }


COCO_JOINTS = 17  # of a backbone without heads


def _mmpose_layout(head: str | None) -> PoseLayout:
    marks = ("backbone.hourglass_modules.0.", *([f"{head}.multi_final_layers.0."] if head else ()))
    return PoseLayout(
        f"open-mmlab/mmpose ({head or 'no head'})",
        marks,
        partial(_mmpose, head=head),
        partial(_read_mmpose, head=head),
        "mmpose",
        {
            "backbone.inters.": "stands after the last stack, where nothing follows",
            "data_preprocessor.": "mean and deviation, which mmpose's files of this network share",
        },
        headless=head is None,
    )


POSE_LAYOUTS = (
    PoseLayout(
        "princeton-vl/pytorch_stacked_hourglass",
        ("hgs.0.", "outs.0."),
        _umich,
        _read_umich,
        "umich",
        {"skip_layer.": "is allocated and not used: the residual keeps its width"},
    ),
    PoseLayout("bearpaw/pytorch-pose", ("hg.0.hg.0.", "score.0."), _bearpaw, _read_bearpaw, "bearpaw"),
    *(_mmpose_layout(head) for head in ("head", "keypoint_head", None)),
)
