"""Boxes as corners on crops, with maps that say where to look closer: for CornerNet-Saccade."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.checks import check_number
from keras_cornernet.codecs.arguments import maps_of_branch
from keras_cornernet.codecs.corners import CornerCodec
from keras_cornernet.codecs.heatmaps import CORNERS
from keras_cornernet.ops.gaussian import draw_gaussians
from keras_cornernet.tensors import Size, Tensor


class AttentionLevel(NamedTuple):
    """One of the attention maps.

    Attributes:
        stride: input pixels per cell.
        shortest, longest: the longer side of the objects that it marks, input pixels, both included.
    """

    stride: int
    shortest: float
    longest: float


# An object of exactly 32 or 96 pixels is marked on two maps, one of more than 256 on none.
LEVELS = {
    "large": AttentionLevel(16, 96, 256),
    "medium": AttentionLevel(8, 32, 96),
    "small": AttentionLevel(4, 0, 32),
}


@dataclass(frozen=True)
class SaccadeCodec(CornerCodec):
    """Encodes boxes to the targets of CornerNet-Saccade and decodes its outputs.

    A `CornerCodec` for crops, with the attention maps `LEVELS`. Objects of which a crop shows too little are
    neither positive nor negative examples: around their corners the focal loss is left out.

    Attributes:
        min_visible: objects of which the crop shows this fraction of the area or less are not positive.
        min_side: objects whose longer side is shorter than this, in input pixels, are not positive either.

    Source: Law et al. 2019 (CornerNet-Lite), sec. 3; princeton-vl/CornerNet-Lite,
    `core/sample/cornernet_saccade.py` and `core/test/cornernet_saccade.py`.
    """

    min_overlap: float = 0.5
    top_k: int = 12
    num_detections: int = 12
    embedding_threshold: float = 0.3
    reject_border: bool = True
    min_visible: float = 0.5
    min_side: float = 16.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("min_visible", self.min_visible, at_least=0, at_most=1)
        check_number("min_side", self.min_side, at_least=0)

    def encode(self, annotations: dict[str, Tensor], input_size: Size, grid_size: Size) -> dict[str, Any]:
        """Draws the targets as `HeatmapCodec.encode` does, with a mask for each corner and attention maps.

        Args:
            annotations: see there; and, unless all boxes are whole, `"visible"` `(batch, n)` float32, the
                fraction of each box's area that is left of it.
            input_size, grid_size: see there.

        Returns:
            Besides those targets, in each corner's a `"heatmap_mask"` that is 0 around the corners of objects
            that are not positive and inside ignored boxes; and `"attention"`: `{"large" | "medium" |
            "small": (batch, rows, columns, 1)}`, 1 in the cell of an object's centre. Objects that are not
            positive are marked there too, ignored ones are not. With `"class_mask"` also `"attention_mask"`,
            which leaves out the empty cells of images on which some class is not labelled.
        """
        self._check_annotations(annotations, input_size, grid_size)
        labels = ops.cast(annotations["labels"], "int32")
        positive, unclear = self._split(annotations, labels)
        targets = super().encode(
            {**annotations, "labels": ops.where(unclear, -1, labels)}, input_size, grid_size
        )
        left_out = {"boxes": annotations["boxes"], "labels": ops.where(unclear, labels, -1)}
        gaussians = super().encode(left_out, input_size, grid_size)
        outside_ignored = targets.pop("heatmap_mask", 1.0)
        for name in CORNERS:
            untouched = ops.cast(gaussians[name]["heatmap"] == 0, "float32")
            targets[name]["heatmap_mask"] = untouched * outside_ignored
        targets["attention"] = draw_attention(annotations["boxes"], positive | unclear, input_size)
        if "class_mask" in annotations:
            # The maps are of no class: where some class is not labelled, an empty cell means nothing.
            labelled = ops.min(ops.cast(annotations["class_mask"], "float32"), axis=-1)[:, None, None, None]
            targets["attention_mask"] = {
                level: ops.maximum(marks, labelled) for level, marks in targets["attention"].items()
            }
        return targets

    def _split(self, annotations: dict[str, Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
        """Which objects are positive, and which are present but shown too little or too small."""
        present = self._known(labels)
        if "ignore" in annotations:
            present = present & ~annotations["ignore"]
        whole = ops.floor(annotations["boxes"])
        clear = ops.max(whole[..., 2:] - whole[..., :2], axis=-1) >= self.min_side
        if "visible" in annotations:
            clear = clear & (annotations["visible"] > self.min_visible)
        return present & clear, present & ~clear

    def attention(self, outputs: list[Any]) -> dict[str, Tensor]:
        """The peaks of the last stack's attention maps.

        Args:
            outputs: of the network.

        Returns:
            `{level: (batch, rows, columns)}`, probabilities; 0 where a neighbour is higher.
        """
        one = {level: maps_of_branch(outputs, "attention", {level: 1})[level] for level in LEVELS}
        return {level: find_attention(logits) for level, logits in one.items()}


def draw_attention(boxes: Tensor, present: Tensor, input_size: Size) -> dict[str, Tensor]:
    """Marks the cell of each object's centre on the map of its size.

    Args:
        boxes: `(batch, n, 4)` `xyxy`, input pixels.
        present: `(batch, n)` bool, False for padding.
        input_size: `(height, width)`.

    Returns:
        `{level: (batch, rows, columns, 1)}` of zeros and ones.

    Source: `create_attention_mask` of princeton-vl/CornerNet-Lite, `core/sample/cornernet_saccade.py`.
    """
    side = ops.max(boxes[..., 2:] - boxes[..., :2], axis=-1)
    maps = {}
    for name, level in LEVELS.items():
        rows, columns = (-(-n // level.stride) for n in input_size)
        cells = (boxes[..., :2] + boxes[..., 2:]) / (2 * level.stride)
        cells = ops.clip(ops.cast(cells, "int32"), 0, np.array([columns - 1, rows - 1]))
        marked = present & (side >= level.shortest) & (side <= level.longest)
        zero = ops.zeros_like(cells[..., 0])
        grid = (ops.shape(side)[0], rows, columns, 1)
        maps[name] = draw_gaussians(cells[..., 1], cells[..., 0], zero, zero, marked, grid=grid, max_radius=0)
    return maps


def find_attention(logits: Tensor) -> Tensor:
    """Probabilities of `(batch, rows, columns, 1)` logits at their 3x3 peaks, 0 elsewhere; one axis less."""
    logits = ops.cast(logits, "float32")
    maximum = ops.max_pool(logits, 3, strides=1, padding="same")
    return ops.where(logits == maximum, ops.sigmoid(logits), 0.0)[..., 0]
