"""Boxes as corners on crops, with maps that say where else to look: for CornerNet-Saccade."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.codecs.corners import CornerCodec
from keras_cornernet.codecs.heatmaps import CORNERS
from keras_cornernet.ops.gaussian import draw_gaussians


class AttentionLevel(NamedTuple):
    """One of the attention maps.

    Attributes:
        stride: input pixels for one cell.
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

    A `CornerCodec` for crops, with the attention maps `LEVELS`. Objects that a crop shows badly are neither
    taught nor punished: around their corners the focal loss is left out.

    Attributes:
        min_visible: objects of whose area the crop shows this share or less are not taught.
        min_side: nor are those whose longer side is shorter, input pixels.

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

    def encode(self, annotations: dict, input_size: tuple[int, int], grid_size: tuple[int, int]) -> dict:
        """As `CornerCodec.encode`, with a mask for each corner and with attention maps.

        Args:
            annotations: as there; and, unless all boxes are whole, `"visible"` `(batch, n)` float32, the
                share of each box's area that is left of it.
            input_size, grid_size: as there.

        Returns:
            Also `"heatmap_mask"` in each corner's targets, 0 in the windows of the bumps of objects that are
            not taught and, as there, inside ignored ones, and `"attention"`: `{"large" | "medium" | "small":
            (batch, rows, columns, 1)}`, 1 in the cell of an object's centre. Objects that are not taught are
            marked too, ignored ones are not.
        """
        labels = ops.cast(annotations["labels"], "int32")
        positive, faint = self._split(annotations, labels)
        clear = {**annotations, "labels": ops.where(faint, -1, labels)}
        targets = super().encode(clear, input_size, grid_size)
        unclear = {"boxes": annotations["boxes"], "labels": ops.where(faint, labels, -1)}
        bumps = super().encode(unclear, input_size, grid_size)
        inside = targets.pop("heatmap_mask", 1.0)
        for name in CORNERS:
            untouched = ops.cast(bumps[name]["heatmap"] == 0, "float32")
            targets[name]["heatmap_mask"] = untouched * inside
        targets["attention"] = draw_attention(annotations["boxes"], positive | faint, input_size)
        return targets

    def _split(self, annotations, labels):
        """Which objects are taught, and which are there but shown too badly."""
        present = self._known(labels)
        if "ignore" in annotations:
            present = present & ~annotations["ignore"]
        whole = ops.floor(annotations["boxes"])
        clear = ops.max(whole[..., 2:] - whole[..., :2], axis=-1) >= self.min_side
        if "visible" in annotations:
            clear = clear & (annotations["visible"] > self.min_visible)
        return present & clear, present & ~clear

    def attention(self, outputs: list) -> dict:
        """The peaks of the last stack's attention maps.

        Args:
            outputs: of the network.

        Returns:
            `{level: (batch, rows, columns)}`, probabilities; 0 where a neighbour is higher.
        """
        return {level: find_attention(outputs[-1]["attention"][level]) for level in LEVELS}


def draw_attention(boxes, present, input_size: tuple[int, int]) -> dict:
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
        nought = ops.zeros_like(cells[..., 0])
        grid = (ops.shape(side)[0], rows, columns, 1)
        maps[name] = draw_gaussians(
            cells[..., 1], cells[..., 0], nought, nought, marked, grid=grid, max_radius=0
        )
    return maps


def find_attention(logits):
    """Probabilities of `(batch, rows, columns, 1)` logits at their 3x3 peaks, else 0; one axis less."""
    logits = ops.cast(logits, "float32")
    around = ops.max_pool(logits, 3, strides=1, padding="same")
    return ops.where(logits == around, ops.sigmoid(logits), 0.0)[..., 0]
