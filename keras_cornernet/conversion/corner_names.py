"""Names of the detectors' published checkpoints and of our weights, side by side.

Modules are called as in princeton-vl/CornerNet; the layouts say where a repository has other names for them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from keras_cornernet.conversion.layout import Layout
from keras_cornernet.conversion.metadata import (
    centernet_metadata,
    cornernet_metadata,
    points_metadata,
    saccade_metadata,
    squeeze_metadata,
)
from keras_cornernet.conversion.parts import (
    CONV_NORM,
    FIRE,
    RESIDUAL,
    UNNAMED_CONV_NORM,
    Module,
    Reader,
    hourglass_blocks,
    level,
)
from keras_cornernet.models import (
    CenterNet,
    CornerNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    ObjectsAsPoints,
)
from keras_cornernet.models.cornernet_saccade import SIZES
from keras_cornernet.models.network import Network

PREDICTION = {
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
CASCADE = {
    **PREDICTION,
    "look_conv1.conv": "vertical_look/conv",
    "look_conv1.bn": "vertical_look/norm",
    "look_conv2.conv": "horizontal_look/conv",
    "look_conv2.bn": "horizontal_look/norm",
    "P1_look_conv": "vertical_join",
    "P2_look_conv": "horizontal_join",
}
HEAD = {"0.conv": "hidden/conv", "1": "last"}

# Modules of a branch, and the branches.
HEADS = {"heats": "heatmap", "tags": "embedding", "regrs": "offset"}
CORNERS = {"tl": "top_left", "br": "bottom_right"}
POINT_HEADS = {"hm": "heatmap", "wh": "size", "reg": "offset"}


def _body(arguments: Mapping[str, Any], parts: dict[str, str] = RESIDUAL) -> Iterator[Module]:
    """All modules before the predictions, with hourglasses of blocks that have `parts`."""
    stacks = arguments["stacks"]
    yield "pre.0", "stem_conv", CONV_NORM
    for i in range(len(arguments["stem"]) - 1):
        yield f"pre.{i + 1}", f"stem_residual_{i}", RESIDUAL
    for s in range(stacks):
        for theirs, ours in hourglass_blocks(f"kps.{s}", f"hourglass_{s}", arguments["num_blocks"]):
            yield theirs, ours, parts
        yield f"cnvs.{s}", f"features_{s}", CONV_NORM
        if s + 1 < stacks:
            yield f"inters_.{s}", f"carry_input_{s}", UNNAMED_CONV_NORM
            yield f"cnvs_.{s}", f"carry_features_{s}", UNNAMED_CONV_NORM
            yield f"inters.{s}", f"fusion_{s}", RESIDUAL


def _branch(stacks: int, theirs: str, ours: str, parts: dict[str, str]) -> Iterator[Module]:
    for s in range(stacks):
        yield f"{theirs}_cnvs.{s}", f"{ours}_{s}", parts
        for their_head, our_head in HEADS.items():
            yield f"{theirs}_{their_head}.{s}", f"{ours}_{our_head}_{s}", HEAD


def _corners(arguments: Mapping[str, Any], parts: dict[str, str] = PREDICTION) -> Iterator[Module]:
    for theirs, ours in CORNERS.items():
        yield from _branch(arguments["stacks"], theirs, ours, parts)


def _cornernet(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield from _body(arguments)
    yield from _corners(arguments)


def _squeeze(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield from _body(arguments, FIRE)
    for s in range(arguments["stacks"]):
        for k in range(len(arguments["num_blocks"]) - 1):
            yield f"{level(f'kps.{s}', k)}.up2", f"hourglass_{s}/double_{k}", {"": ""}
    yield from _corners(arguments)


def _saccade(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield from _cornernet(arguments)
    for s in range(arguments["stacks"]):
        for i, size in enumerate(SIZES):
            yield f"att_modules.{s}.{i}", f"attention_{size}_{s}", HEAD


def _centernet(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield from _body(arguments)
    yield from _corners(arguments, CASCADE)
    yield from _branch(arguments["stacks"], "ct", "center", PREDICTION)


def _points(arguments: Mapping[str, Any]) -> Iterator[Module]:
    yield from _body(arguments)
    for s in range(arguments["stacks"]):
        for theirs, ours in POINT_HEADS.items():
            yield f"{theirs}.{s}", f"center_{ours}_{s}", HEAD


def _read_body(read: Reader, heat: str) -> dict[str, Any]:
    """Sizes of the body and, from a module of heatmaps, of the heads."""
    order = read.depth("kps.0", "up1")
    levels = [level("kps.0", k) + ".up1" for k in range(order)] + [level("kps.0", order)]
    return {
        "num_classes": read.size(f"{heat}.0.1.weight"),
        "stacks": read.count("kps"),
        "channels": tuple(read.size(f"{name}.0.bn2.weight") for name in levels),
        "num_blocks": tuple(read.count(name) for name in levels),
        "stem": (
            read.size("pre.0.conv.weight"),
            *(read.size(f"pre.{i}.bn2.weight") for i in range(1, read.count("pre"))),
        ),
        "head_channels": read.size(f"{heat}.0.0.conv.weight"),
        "head_kernel_size": read.size(f"{heat}.0.0.conv.weight", 2),
    }


def _read(read: Reader) -> dict[str, Any]:
    return {
        **_read_body(read, "tl_heats"),
        "pool_channels": read.size("tl_cnvs.0.p1_conv1.conv.weight"),
    }


def _read_points(read: Reader) -> dict[str, Any]:
    return {**_read_body(read, "hm"), "size_per_class": read.size("wh.0.1.weight") > 2}


LITE = {
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
}
# The hourglasses of "Objects as Points" for poses and for boxes in space have these heads besides.
_OTHER_POINT_HEADS = ("hps", "hm_hp", "hp_offset", "dep", "rot", "dim")


def _authors(
    name: str,
    marks: tuple[str, ...],
    network: type[Network],
    modules: Callable[[Mapping[str, Any]], Iterable[Module]],
    metadata: Callable[[Any], dict[str, Any]],
    prefixes: Mapping[str, str] | None = None,
    read: Callable[[Reader], dict[str, Any]] = _read,
    **more: Any,
) -> Layout:
    """A layout of code that descends from princeton-vl/CornerNet, which reads BGR images."""
    return Layout(name, marks, network, modules, read, metadata, dict(prefixes or {}), bgr=True, **more)


CORNERNET = _authors(
    "princeton-vl/CornerNet", ("kps.0.", "tl_heats.0."), CornerNet, _cornernet, cornernet_metadata
)
CENTERNET = _authors(
    "Duankaiwen/CenterNet",
    ("kps.0.", "tl_heats.0.", "ct_heats.0."),
    CenterNet,
    _centernet,
    centernet_metadata,
)
CORNERNET_LITE = _authors(
    "princeton-vl/CornerNet-Lite",
    ("hg.hgs.0.", "tl_heats.0."),
    CornerNet,
    _cornernet,
    cornernet_metadata,
    LITE,
)
SQUEEZE = _authors(
    "princeton-vl/CornerNet-Lite (Squeeze)",
    ("hg.hgs.0.up1.0.conv_1x1.", "tl_heats.0."),
    CornerNetSqueeze,
    _squeeze,
    squeeze_metadata,
    LITE,
)
SACCADE = _authors(
    "princeton-vl/CornerNet-Lite (Saccade)",
    ("hg.hgs.0.", "tl_heats.0.", "att_modules.0."),
    CornerNetSaccade,
    _saccade,
    saccade_metadata,
    LITE,
)
OBJECTS_AS_POINTS = _authors(
    "xingyizhou/CenterNet",
    ("kps.0.", "hm.0."),
    ObjectsAsPoints,
    _points,
    points_metadata,
    read=_read_points,
    unused={
        f"{head}.": "is a head for poses or for boxes in space, which a detector of boxes does not have"
        for head in _OTHER_POINT_HEADS
    },
)
# Layouts with more marks come first, since they have the names of the others too.
CORNER_LAYOUTS = (CENTERNET, CORNERNET, SQUEEZE, SACCADE, CORNERNET_LITE, OBJECTS_AS_POINTS)
