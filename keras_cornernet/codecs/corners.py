"""Boxes as pairs of corners: heatmaps, offsets and embeddings, encoded and decoded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from keras_cornernet.checks import check_number
from keras_cornernet.codecs.heatmaps import CORNERS, Decoded, HeatmapCodec
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.tensors import Size, Tensor


@dataclass(frozen=True)
class CornerCodec(HeatmapCodec):
    """Encodes boxes to the targets of CornerNet and decodes its outputs.

    The branches of the targets are `"top_left"` and `"bottom_right"`.

    Attributes:
        num_classes, min_overlap, corrected_radius, fixed_radius, sigma_divisor, offset_reach, peak_kernel:
            see `HeatmapCodec`.
        top_k: peaks of each corner that are paired.
        num_detections: pairs that are kept.
        embedding_threshold: corners are not paired if their embeddings differ by more (sum over channels).
        embedding_scale: multiply the score of a pair by `exp(-(distance / embedding_scale) ** 2)` of its
            embeddings; None, as in the papers, treats all distances below the threshold alike.
        geometric_score: the score of a pair is the geometric mean of its corners' scores, so that one strong
            corner does not compensate for a weak one; False takes the arithmetic mean, as in the papers.
        reject_border: top-left corners in the first row or column and bottom-right corners in the last are
            not paired; for crops, which cut objects at their border.

    Source: Law & Deng 2018, secs. 3.2, 3.3 and 4.2; princeton-vl/CornerNet, `sample/coco.py` and `_decode` of
    `models/py_utils/kp_utils.py`.
    """

    num_detections: int = 1000
    embedding_threshold: float = 0.5
    embedding_scale: float | None = None
    geometric_score: bool = False
    reject_border: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("num_detections", self.num_detections, at_least=1, whole=True)
        check_number("embedding_threshold", self.embedding_threshold, at_least=0)
        if self.embedding_scale is not None:
            check_number("embedding_scale", self.embedding_scale, above=0)

    def _points(self, boxes: Tensor) -> dict[str, tuple[Tensor, float]]:
        return {name: (boxes[..., part], self.sigma_divisor) for name, part in CORNERS.items()}

    def decode(self, outputs: list[Any], input_size: Size) -> Decoded:
        """Finds peaks, pairs them by class, embedding and geometry, and adds the offsets.

        Args:
            outputs: of the network; the last stack is decoded.
            input_size: `(height, width)` of the images.
        """
        maps = outputs[-1]
        rows, columns = maps["top_left"]["heatmap"].shape[1:3]
        first, second = (self._peaks(maps[name]) for name in CORNERS)
        if self.reject_border:
            first["live"] &= (first["row"] > 0) & (first["column"] > 0)
            second["live"] &= (second["row"] < rows - 1) & (second["column"] < columns - 1)
        count = first["score"].shape[1]
        flat = ops.reshape(self._pair_scores(first, second), (-1, count * count))
        scores, position = ops.top_k(flat, min(self.num_detections, count * count))
        position = ops.cast(position, "int32")

        def pick(corner: dict[str, Tensor], which: Tensor) -> Tensor:
            """x, y, score and label of the chosen corners, in one gathering."""
            label = ops.cast(corner["label"], "float32")
            rows = ops.stack([corner["x"], corner["y"], corner["score"], label], axis=-1)
            return gather_rows(rows, which)

        one, other = pick(first, position // count), pick(second, position % count)
        height, width = input_size
        pixels = np.array([width / columns, height / rows] * 2, np.float32)
        boxes = ops.concatenate([one[..., :2], other[..., :2]], axis=-1) * pixels
        corner_scores = ops.stack([one[..., 2], other[..., 2]], axis=-1)
        return Decoded(boxes, scores, ops.cast(one[..., 3], "int32"), corner_scores)

    def _pair_scores(self, first: dict[str, Tensor], second: dict[str, Tensor]) -> Tensor:
        """`(batch, k, k)`, the score of each top-left corner with each bottom-right one; -1 if rejected."""

        def pair(name: str, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
            return combine(first[name][:, :, None], second[name][:, None, :])

        distance = pair("embedding", embedding_distance)
        if self.geometric_score:
            score = pair("score", lambda a, b: ops.sqrt(a * b))
        else:
            score = pair("score", lambda a, b: (a + b) / 2)
        if self.embedding_scale is not None:
            score = score * ops.exp(-ops.square(distance / self.embedding_scale))
        good = (
            (pair("label", lambda a, b: a == b))
            & (distance <= self.embedding_threshold)
            & (pair("x", lambda a, b: b >= a))
            & (pair("y", lambda a, b: b >= a))
            & (pair("live", lambda a, b: a & b))
        )
        return ops.where(good, score, -1.0)


def embedding_distance(a: Tensor, b: Tensor) -> Tensor:
    """The sum of absolute differences over channels; the papers' embedding has one channel."""
    return ops.sum(ops.abs(a - b), axis=-1)
