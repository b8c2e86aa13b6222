"""Boxes as pairs of corners: what codecs have in common that find corners and pair them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from keras_cornernet.checks import check_flag, check_number
from keras_cornernet.codecs.heatmaps import CORNERS, Decoded, HeatmapCodec
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.tensors import Size, Tensor

Peaks = dict[str, Tensor]


@dataclass(frozen=True)
class CornerPairCodec(HeatmapCodec):
    """Encodes boxes as their corners and decodes pairs of corners; subclasses say which belong together.

    The branches of the targets are `"top_left"` and `"bottom_right"`.

    Attributes:
        num_classes, min_overlap, corrected_radius, fixed_radius, sigma_divisor, offset_reach, peak_kernel:
            see `HeatmapCodec`.
        top_k: peaks of each corner that are paired.
        num_detections: pairs that are kept.
        geometric_score: the score of a pair is the geometric mean of its corners' scores, so that one strong
            corner does not compensate for a weak one; False takes the arithmetic mean, as in the papers.
        reject_border: top-left corners in the first row or column and bottom-right corners in the last are
            not paired; for crops, which cut objects at their border.
    """

    num_detections: int = 1000
    geometric_score: bool = False
    reject_border: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("num_detections", self.num_detections, at_least=1, whole=True)
        check_flag("geometric_score", self.geometric_score)
        check_flag("reject_border", self.reject_border)

    def _points(self, boxes: Tensor) -> dict[str, tuple[Tensor, float]]:
        return {name: (boxes[..., part], self.sigma_divisor) for name, part in CORNERS.items()}

    def decode(self, outputs: list[Any], input_size: Size) -> Decoded:
        """Finds the peaks of both corners, adds the offsets, and pairs them.

        Args:
            outputs: of the network; the last stack is decoded.
            input_size: `(height, width)` of the images.

        Raises:
            ValueError: a map is missing or has another shape; the message names it.
        """
        return self._decode_pairs(*self._corners(outputs, input_size))

    def _decode_pairs(self, first: Peaks, second: Peaks) -> Decoded:
        """The best pairs of the corners."""
        count = first["score"].shape[1]
        flat = ops.reshape(self._pair_scores(first, second), (-1, count * count))
        scores, position = ops.top_k(flat, min(self.num_detections, count * count))
        position = ops.cast(position, "int32")

        def pick(corner: Peaks, which: Tensor) -> Tensor:
            """x, y, score and label of the chosen corners, in one gathering."""
            label = ops.cast(corner["label"], "float32")
            rows = ops.stack([corner["x"], corner["y"], corner["score"], label], axis=-1)
            return gather_rows(rows, which)

        one, other = pick(first, position // count), pick(second, position % count)
        boxes = ops.concatenate([one[..., :2], other[..., :2]], axis=-1)
        corner_scores = ops.stack([one[..., 2], other[..., 2]], axis=-1)
        return Decoded(boxes, scores, ops.cast(one[..., 3], "int32"), corner_scores)

    def _corners(self, outputs: list[Any], input_size: Size) -> tuple[Peaks, Peaks]:
        """The peaks of both corners, with x and y in input pixels."""
        maps = [self._maps(outputs, name, input_size) for name in CORNERS]
        rows, columns = maps[0]["heatmap"].shape[1:3]
        first, second = map(self._peaks, maps)
        if self.reject_border:
            first["live"] &= (first["row"] > 0) & (first["column"] > 0)
            second["live"] &= (second["row"] < rows - 1) & (second["column"] < columns - 1)
        height, width = input_size
        for peaks in (first, second):
            peaks["x"] = peaks["x"] * np.float32(width / columns)
            peaks["y"] = peaks["y"] * np.float32(height / rows)
        return first, second

    def _pair_scores(self, first: Peaks, second: Peaks) -> Tensor:
        """`(batch, k, k)`, the score of each top-left corner with each bottom-right one; -1 if rejected."""
        raise NotImplementedError

    def _mean_scores(self, first: Peaks, second: Peaks) -> Tensor:
        """`(batch, k, k)`, the mean score of the two corners of each pair."""
        if self.geometric_score:
            return pairs("score", first, second, lambda a, b: ops.sqrt(a * b))
        return pairs("score", first, second, lambda a, b: (a + b) / 2)


def pairs(name: str, first: Peaks, second: Peaks, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Combines a value of each top-left corner `(batch, k, 1)` with that of each bottom-right one."""
    return combine(first[name][:, :, None], second[name][:, None, :])


def may_pair(first: Peaks, second: Peaks) -> Tensor:
    """`(batch, k, k)` bool: both corners exist and are of the same class."""
    same = pairs("label", first, second, lambda a, b: a == b)
    both: Tensor = same & pairs("live", first, second, lambda a, b: a & b)
    return both
