"""The branches that detectors have in common, and their heads."""

from collections.abc import Mapping
from typing import Any

from keras_cornernet.layers.head import HEATMAP_BIAS, AddPosition, Head
from keras_cornernet.layers.prediction import CenterPrediction, CornerPrediction
from keras_cornernet.models.config import CornerConfig, CornerPoolConfig, DetectorConfig

CORNERS = ("top_left", "bottom_right")
Heads = dict[str, Any]


def corner_branches(
    features: Any, stack: int, config: CornerConfig, *, cascade: bool = False
) -> dict[str, Heads]:
    """The branches of the top-left and of the bottom-right corner: heatmap, embedding and offset each.

    Args:
        features: of the stack.
        stack: its number, part of the layers' names.
        config: of the network.
        cascade: cascade corner pooling, see `CornerPrediction`.
    """
    cells = config.embedding_cells
    sizes = {"embedding": 1 if cells is None else 2, "offset": 2}
    branches = pooled_corners(features, stack, config, sizes, cascade=cascade)
    if cells is not None:
        for corner, outputs in branches.items():
            position = AddPosition(cells, name=f"{corner}_embedding_place_{stack}")
            outputs["embedding"] = position(outputs["embedding"])
    return branches


def pooled_corners(
    features: Any, stack: int, config: CornerPoolConfig, sizes: Mapping[str, int], *, cascade: bool = False
) -> dict[str, Heads]:
    """The branches of both corners, after corner pooling: a heatmap, and heads of the given sizes.

    Args:
        features, stack, config, cascade: see `corner_branches`.
        sizes: channels of the other heads, by name.
    """
    branches = {}
    for corner in CORNERS:
        prediction = CornerPrediction(
            corner, features.shape[-1], config.pool_channels, cascade=cascade, name=f"{corner}_{stack}"
        )
        branches[corner] = heads(prediction(features), corner, stack, config, sizes)
    return branches


def center_branch(features: Any, stack: int, config: CornerConfig) -> Heads:
    """Heatmap and offset of centres, after centre pooling."""
    x = CenterPrediction(features.shape[-1], config.pool_channels, name=f"center_{stack}")(features)
    return heads(x, "center", stack, config, {"offset": 2})


def heads(x: Any, branch: str, stack: int, config: DetectorConfig, sizes: Mapping[str, int]) -> Heads:
    """The heads of one branch: a heatmap of the classes, and others with the given numbers of channels."""
    return {
        head: Head(
            size,
            config.head_channels,
            config.head_kernel_size,
            bias=HEATMAP_BIAS if head == "heatmap" else 0.0,
            name=f"{branch}_{head}_{stack}",
        )(x)
        for head, size in {"heatmap": config.num_classes, **sizes}.items()
    }
