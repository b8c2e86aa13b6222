"""Names of published checkpoints and of our weights, side by side.

A `Layout` is one way of naming the weights of CornerNet. All layouts are described relative to the names
of princeton-vl/CornerNet, here called *original*; `weight_names` holds those against ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from keras_cornernet.conversion.parts import (
    CONV_NORM,
    RESIDUAL,
    UNNAMED_CONV_NORM,
    Module,
    Reader,
    hourglass_blocks,
    level,
    weights_of,
)
from keras_cornernet.conversion.pose_names import POSE_LAYOUTS, PoseLayout

CORNER_PREDICTION = {
    "p1_conv1.conv": "vertical/conv",
    "p1_conv1.bn": "vertical/norm",
    "p2_conv1.conv": "horizontal/conv",
    "p2_conv1.bn": "horizontal/norm",
    "p_conv1": "pooled/conv",
    "p_bn1": "pooled/norm",
    "conv1": "shortcut/conv",
    "bn1": "shortcut/norm",
    "conv2.conv": "last/conv",
    "conv2.bn": "last/norm",
}
HEAD = {"0.conv": "hidden/conv", "1": "last"}

# Modules of a corner, and the corners.
HEADS = {"heats": "heatmap", "tags": "embedding", "regrs": "offset"}
CORNERS = {"tl": "top_left", "br": "bottom_right"}


def weight_names(arguments: Mapping) -> dict[str, str]:
    """Our weight paths and the original names that go with them.

    Args:
        arguments: of `CornerNet`; `stacks`, `counts` and `stem` are read.

    Returns:
        Our path to the original name. Every residual is listed with a shortcut and every convolution with
        a bias, whether the network has them or not.
    """
    return weights_of(_modules(arguments["stacks"], arguments["counts"], len(arguments["stem"])))


def _modules(stacks, counts, stem_length) -> Iterator[Module]:
    """Yields original module, our module, and the parts of both."""
    yield "pre.0", "stem_conv", CONV_NORM
    for i in range(stem_length - 1):
        yield f"pre.{i + 1}", f"stem_residual_{i}", RESIDUAL
    for s in range(stacks):
        for theirs, ours in hourglass_blocks(f"kps.{s}", f"hourglass_{s}", counts):
            yield theirs, ours, RESIDUAL
        yield f"cnvs.{s}", f"features_{s}", CONV_NORM
        for theirs, ours in CORNERS.items():
            yield f"{theirs}_cnvs.{s}", f"{ours}_{s}", CORNER_PREDICTION
            for their_head, our_head in HEADS.items():
                yield f"{theirs}_{their_head}.{s}", f"{ours}_{our_head}_{s}", HEAD
        if s + 1 < stacks:
            yield f"inters_.{s}", f"carry_input_{s}", UNNAMED_CONV_NORM
            yield f"cnvs_.{s}", f"carry_features_{s}", UNNAMED_CONV_NORM
            yield f"inters.{s}", f"fusion_{s}", RESIDUAL


class Layout(NamedTuple):
    """One way of naming the weights of CornerNet.

    Attributes:
        name: the repository that writes files like this.
        marks: prefixes of names by which a file is recognised; all of them must occur.
        prefixes: the layout's prefix of each original one, where they differ; all names of a module
            begin with its prefix and a dot.
        bgr: the stem reads BGR images, so its input channels are reversed for our RGB.
    """

    name: str
    marks: tuple[str, ...]
    prefixes: dict[str, str]
    bgr: bool = True

    def from_original(self, name: str) -> str:
        """The layout's name of a weight that princeton-vl/CornerNet calls `name`."""
        module, dot, rest = name.partition(".")
        return self.prefixes.get(module, module) + dot + rest

    def weight_names(self, arguments: Mapping) -> dict[str, str]:
        """Our weight paths and the layout's names."""
        return {ours: self.from_original(name) for ours, name in weight_names(arguments).items()}

    def infer(self, state: Mapping) -> dict:
        """The arguments of `CornerNet` that names and shapes tell."""
        read = Reader(state, self, self.from_original)
        order = read.depth("kps.0", "up1")
        levels = [level("kps.0", k) + ".up1" for k in range(order)] + [level("kps.0", order)]
        return {
            "num_classes": read.size("tl_heats.0.1.weight"),
            "stacks": read.count("kps"),
            "channels": tuple(read.size(f"{name}.0.bn2.weight") for name in levels),
            "counts": tuple(read.count(name) for name in levels),
            "stem": (
                read.size("pre.0.conv.weight"),
                *(read.size(f"pre.{i}.bn2.weight") for i in range(1, read.count("pre"))),
            ),
            "pool_channels": read.size("tl_cnvs.0.p1_conv1.conv.weight"),
            "head_channels": read.size("tl_heats.0.0.conv.weight"),
            "head_kernel_size": read.size("tl_heats.0.0.conv.weight", 2),
        }

    def reason_unused(self, name: str) -> str | None:
        """Why a weight of the file may be left out; none may."""
        return None


CORNERNET = Layout("princeton-vl/CornerNet", ("kps.0.", "tl_heats.0."), {})
CORNERNET_LITE = Layout(
    "princeton-vl/CornerNet-Lite",
    ("hg.hgs.0.", "tl_heats.0."),
    {
        "pre": "hg.pre",
        "kps": "hg.hgs",
        "cnvs": "hg.cnvs",
        "cnvs_": "hg.cnvs_",
        "inters": "hg.inters",
        "inters_": "hg.inters_",
        "tl_cnvs": "tl_modules",
        "br_cnvs": "br_modules",
        "tl_regrs": "tl_offs",
        "br_regrs": "br_offs",
    },
)
LAYOUTS = (CORNERNET, CORNERNET_LITE, *POSE_LAYOUTS)


def recognize(names: Iterable[str]) -> Layout | PoseLayout:
    """The layout that a file's names follow.

    Raises:
        ValueError: none of `LAYOUTS`; lists them, with what the file has.
    """
    names = list(names)
    for layout in LAYOUTS:
        if all(any(name.startswith(mark) for name in names) for mark in layout.marks):
            return layout
    known = "; ".join(f"{layout.name} (names like {', '.join(layout.marks)})" for layout in LAYOUTS)
    raise ValueError(
        f"the weights are named like none of the layouts known here: {known}. The first of its "
        f"{len(names)} names: {', '.join(names[:4])}"
    )
