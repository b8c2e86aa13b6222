"""Boxes as triplets: pairs of corners that are confirmed by a centre of the same class."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.backend import first_maximum
from keras_cornernet.checks import check_number
from keras_cornernet.codecs.arguments import maps_of_branch
from keras_cornernet.codecs.corners import CornerCodec
from keras_cornernet.codecs.heatmaps import CORNERS, HeatmapCodec
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.tensors import Size, Tensor

SMALL_AREA = 150**2  # square pixels of the original image


class DecodedTriplets(NamedTuple):
    """Boxes and centres read from the maps, best first, not yet compared with each other.

    They are compared once the boxes and centres of all views of an image are in image pixels, see
    `confirm_by_centers`.

    Attributes:
        boxes, scores, labels, corner_scores: see `Decoded`.
        centers: `(batch, k, 2)` x, y, input pixels.
        center_scores: `(batch, k)`; -1 where an image has fewer.
        center_labels: `(batch, k)` int32.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    corner_scores: Tensor
    centers: Tensor
    center_scores: Tensor
    center_labels: Tensor


@dataclass(frozen=True)
class TripletCodec(CornerCodec):
    """Encodes boxes to the targets of CenterNet and decodes its outputs.

    A `CornerCodec` with a third branch, `"center"`. The defaults are those of the released code, with which
    the published weights were trained: 70 peaks of each branch, and Gaussians of the uncorrected radius at an
    overlap of 0.7.

    Attributes:
        center_sigma_divisor: `sigma_divisor` of the centres; their Gaussians have the radius of the corners'.

    Source: Duan et al. 2019, sec. 3.2; Duankaiwen/CenterNet, `sample/coco.py` and `_decode` of
    `models/py_utils/kp_utils.py`.
    """

    min_overlap: float = 0.7
    corrected_radius: bool = False
    top_k: int = 70
    center_sigma_divisor: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("center_sigma_divisor", self.center_sigma_divisor, above=0)

    def _points(self, boxes: Tensor) -> dict[str, tuple[Tensor, float]]:
        first, last = (boxes[..., part] for part in CORNERS.values())
        return {**super()._points(boxes), "center": ((first + last) / 2, self.center_sigma_divisor)}

    def decode(self, outputs: list[Any], input_size: Size) -> DecodedTriplets:  # type: ignore[override]
        """Pairs corners as `CornerCodec.decode` does, and finds the peaks of the centre heatmap."""
        corners = super().decode(outputs, input_size)
        maps = maps_of_branch(outputs, "center", HeatmapCodec._channels(self))
        (rows, columns), (height, width) = maps["heatmap"].shape[1:3], input_size
        found = self._peaks(maps)
        pixels = np.array([width / columns, height / rows], np.float32)
        centers = ops.stack([found["x"], found["y"]], axis=-1) * pixels
        scores = ops.where(found["live"], found["score"], -1.0)
        return DecodedTriplets(*corners, centers, scores, found["label"])


def confirm_by_centers(
    boxes: Tensor,
    scores: Tensor,
    labels: Tensor,
    centers: Tensor,
    center_scores: Tensor,
    center_labels: Tensor,
    *,
    best: bool = False,
) -> Tensor:
    """Keeps boxes that have a centre of their class in their central region, and combines the scores.

    The central region is the box shrunk about its centre to a third of its sides, or to a fifth if its area
    is more than 150 x 150 pixels. The new score is the mean of the three keypoints, `(2 score + center) / 3`.

    Args:
        boxes: `(batch, n, 4)` `xyxy`, pixels of the original image.
        scores, labels: `(batch, n)`; boxes with a negative score are padding.
        centers: `(batch, k, 2)` x, y, pixels of the original image.
        center_scores, center_labels: `(batch, k)`; negative scores are padding.
        best: take the best of several centres in the region; otherwise the first in the list, as the released
            code does, which lists the centres of the image before those of its mirror image.

    Returns:
        `(batch, n)` new scores, -1 for boxes without a centre.

    Source: Duan et al. 2019, sec. 3.2; `kp_detection` of Duankaiwen/CenterNet, `test/coco.py`.
    """
    first, last = boxes[..., :2], boxes[..., 2:]
    area = ops.prod(ops.maximum(last - first, 0.0), axis=-1, keepdims=True)
    parts = ops.where(area > SMALL_AREA, 5.0, 3.0)
    low = ((parts + 1) * first + (parts - 1) * last) / (2 * parts)
    high = ((parts - 1) * first + (parts + 1) * last) / (2 * parts)
    points = centers[:, None]
    inside = ops.all((points > low[:, :, None]) & (points < high[:, :, None]), axis=-1)
    fits = inside & (labels[:, :, None] == center_labels[:, None]) & (center_scores[:, None] >= 0)
    worth = ops.where(fits, center_scores[:, None] if best else 1.0, -1.0)
    chosen = first_maximum(worth, axis=-1)
    center = gather_rows(center_scores[..., None], chosen)[..., 0]
    confirmed = ops.any(fits, axis=-1) & (scores >= 0)
    return ops.where(confirmed, (2 * scores + center) / 3, -1.0)
