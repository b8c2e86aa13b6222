"""Names of published checkpoints and of our weights, side by side.

A `Layout` is one way of naming the weights of CornerNet. All layouts are described relative to the names
of princeton-vl/CornerNet, here called *original*; `weight_names` holds those against ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

# Parts of a module: the original name, and ours.
CONV_NORM = {"conv": "conv", "bn": "norm"}
UNNAMED_CONV_NORM = {"0": "conv", "1": "norm"}
RESIDUAL = {
    "conv1": "first/conv",
    "bn1": "first/norm",
    "conv2": "second/conv",
    "bn2": "second/norm",
    "skip.0": "shortcut/conv",
    "skip.1": "shortcut/norm",
}
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

# Variables of a part.
CONV_WEIGHTS = {"weight": "kernel", "bias": "bias"}
NORM_WEIGHTS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}

# Modules of a level of the hourglass, of a corner, and the corners.
BLOCKS = {"up1": "aside", "low1": "down", "low3": "up"}
HEADS = {"heats": "heatmap", "tags": "embedding", "regrs": "offset"}
CORNERS = {"tl": "top_left", "br": "bottom_right"}

# Written by PyTorch since 0.4.1: the number of batches a BatchNorm has seen.
COUNTER = "num_batches_tracked"


def weight_names(arguments: Mapping) -> dict[str, str]:
    """Our weight paths and the original names that go with them.

    Args:
        arguments: of `CornerNet`; `stacks`, `counts` and `stem` are read.

    Returns:
        Our path to the original name. Every residual is listed with a shortcut and every convolution with
        a bias, whether the network has them or not.
    """
    names = {}
    for theirs, ours, parts in _modules(arguments["stacks"], arguments["counts"], len(arguments["stem"])):
        for their_part, our_part in parts.items():
            weights = NORM_WEIGHTS if our_part.endswith("norm") else CONV_WEIGHTS
            for their_weight, our_weight in weights.items():
                names[f"{ours}/{our_part}/{our_weight}"] = f"{theirs}.{their_part}.{their_weight}"
    return names


def _modules(stacks, counts, stem_length) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yields original module, our module, and the parts of both."""
    yield "pre.0", "stem_conv", CONV_NORM
    for i in range(stem_length - 1):
        yield f"pre.{i + 1}", f"stem_residual_{i}", RESIDUAL
    for s in range(stacks):
        for theirs, ours in _hourglass_blocks(f"kps.{s}", f"hourglass_{s}", counts):
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


def _hourglass_blocks(theirs, ours, counts) -> Iterator[tuple[str, str]]:
    order = len(counts) - 1
    for k, count in enumerate(counts[:-1]):
        for their_block, our_block in BLOCKS.items():
            for i in range(count):
                yield f"{level(theirs, k)}.{their_block}.{i}", f"{ours}/{our_block}_{k}_{i}"
    for i in range(counts[-1]):
        yield f"{level(theirs, order)}.{i}", f"{ours}/bottom_{i}"


def level(hourglass: str, k: int) -> str:
    """The original name of level `k` of an hourglass; each is the `low2` of the one above."""
    return hourglass + ".low2" * k


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
LAYOUTS = (CORNERNET, CORNERNET_LITE)


def recognize(names: Iterable[str]) -> Layout:
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
