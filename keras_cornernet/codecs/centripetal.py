"""Boxes as pairs of corners that point to the same centre."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.backend import scatter_max
from keras_cornernet.checks import check_number, check_numbers
from keras_cornernet.codecs.heatmaps import CORNERS, Decoded, GridObjects, read_cells
from keras_cornernet.codecs.pairs import CornerPairCodec, Peaks, may_pair, pairs
from keras_cornernet.tensors import Size, Tensor

LARGE_AREA = 3500  # square pixels of the input
# The central region's share of a box's sides.
LARGE_REGION, SMALL_REGION = 1 / 2.1, 1 / 2.4
INWARDS = {"top_left": 1.0, "bottom_right": -1.0}  # the direction to the centre, in x and in y
LEAST = 1e-6  # cells; keeps the logarithm of half a side finite


class _Side(NamedTuple):
    """The widths (or heights) of all pairs of corners, and where each corner of a pair sees the centre."""

    start: Tensor
    length: Tensor
    first_center: Tensor
    second_center: Tensor

    @classmethod
    def of(cls, axis: str, first: Peaks, second: Peaks) -> "_Side":
        """`(batch, k, k)` each, along `"x"` or `"y"`."""
        length = pairs(axis, first, second, lambda a, b: b - a)
        one, other = first[f"center_{axis}"], second[f"center_{axis}"]
        return cls(first[axis][:, :, None], length, one[:, :, None], other[:, None, :])


@dataclass(frozen=True)
class CentripetalCodec(CornerPairCodec):
    """Encodes boxes to the targets of `CentripetalNet` and decodes its outputs.

    Each corner tells how far its object's centre lies from it, and two corners of a class are paired if both
    point into the middle of the box that they make, and near each other. This does not depend on where in the
    image an object lies, so that it holds at other input sizes than the trained one.

    Besides heatmap, offset and index, the branches `"top_left"` and `"bottom_right"` of the targets have
    `"centripetal"` `(batch, n, 2)`, the logarithm of half the width and of half the height in cells, and
    `"guiding"` `(batch, n, 2)`, x and y in cells from the corner's cell to the centre, positive inwards.
    `"offset_index"` and `"offset_mask"` say which cell teaches each row of them: where several objects share
    a cell, the last one does. With an `offset_reach`, a corner's own cell comes before its neighbours.

    Attributes:
        num_classes, min_overlap, corrected_radius, fixed_radius, sigma_divisor, offset_reach, peak_kernel:
            see `HeatmapCodec`.
        top_k, num_detections, geometric_score, reject_border: see `CornerPairCodec`.
        center_distance: a pair is rejected if the rectangle between its two centres has more than this
            share of the area of the central region.
        distance_scale: multiply the score of a pair by `exp(-distance_scale * share)`. The paper
            has 1; 0, the reference, leaves the score.

    Source: Dong et al. 2020 (arXiv 2003.09119), sec. 3.2; open-mmlab/mmdetection,
    `mmdet/models/dense_heads/centripetal_head.py` and `CornerHead._decode_heatmap` of `corner_head.py`, which
    is followed. The authors' release (KiveeDong/CentripetalNet) has the two regions the other way round and
    rejects nothing by the distance of the centres.
    """

    center_distance: float = 0.5
    distance_scale: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("center_distance", self.center_distance, at_least=0)
        check_number("distance_scale", self.distance_scale, at_least=0)

    def decode(self, outputs: list[Any], input_size: Size, origin: tuple[float, float] = (0, 0)) -> Decoded:
        """Finds the peaks of both corners, adds the offsets, and pairs them by the centres they point to.

        Args:
            outputs: of the network; the last stack is decoded. `"guiding"` is not read.
            input_size: `(height, width)` of the images.
            origin: x and y, in input pixels, of the upper left corner of the image within a padded input.
                Corners and centres left of it or above it count as lying on it, as in the reference.

        Raises:
            ValueError: a map is missing or has another shape; the message names it.
        """
        check_numbers("origin", origin, length=2)
        first, second = self._corners(outputs, input_size)
        left, top = (np.float32(value) for value in origin)
        rows, columns = outputs[-1]["top_left"]["heatmap"].shape[1:3]
        pixels = np.array([input_size[1] / columns, input_size[0] / rows], np.float32)
        for name, peaks in zip(CORNERS, (first, second), strict=True):
            shift = read_cells(outputs[-1][name]["centripetal"], peaks["index"])
            reach = ops.exp(shift) * (INWARDS[name] * pixels)
            corner = ops.stack([peaks["x"] - left, peaks["y"] - top], axis=-1)
            center = ops.maximum(corner + reach, 0.0)
            corner = ops.maximum(corner, 0.0)
            peaks |= {
                **{"x": corner[..., 0], "y": corner[..., 1]},
                **{"center_x": center[..., 0], "center_y": center[..., 1]},
            }
        found = self._decode_pairs(first, second)
        return found._replace(boxes=found.boxes + np.array([left, top] * 2, np.float32))

    def _channels(self) -> dict[str, int | str]:
        return {**super()._channels(), "centripetal": 2}

    def _pair_scores(self, first: Peaks, second: Peaks) -> Tensor:
        x, y = (_Side.of(axis, first, second) for axis in "xy")
        region = ops.where(ops.abs(x.length * y.length) > LARGE_AREA, LARGE_REGION, SMALL_REGION)
        good = may_pair(first, second) & (x.length > 0) & (y.length > 0)
        for side in (x, y):
            middle, reach = side.start + side.length / 2, region * side.length / 2
            for center in (side.first_center, side.second_center):
                good = good & (ops.abs(center - middle) < reach)
        between = ops.abs((x.first_center - x.second_center) * (y.first_center - y.second_center))
        central = region * region * x.length * y.length
        good = good & (between <= self.center_distance * central)
        score = self._mean_scores(first, second)
        if self.distance_scale:
            score = score * ops.exp(-self.distance_scale * between / ops.where(good, central, 1.0))
        return ops.where(good, score, -1.0)

    def _branches(self, objects: GridObjects) -> dict[str, dict[str, Tensor]]:
        branches = super()._branches(objects)
        half = (objects.boxes[..., 2:] - objects.boxes[..., :2]) / 2
        middle = (objects.boxes[..., 2:] + objects.boxes[..., :2]) / 2
        real = ops.all(half > 0, axis=-1)
        reach = ops.log(ops.maximum(half, LEAST))
        if self.offset_reach:
            reach, middle, real = (self._for_each_cell(values) for values in (reach, middle, real))
        columns = objects.size[1]
        for name, target in branches.items():
            index, mask = target["index"], ops.cast(objects.positive, "float32")
            if self.offset_reach:
                index, mask = target["offset_index"], target["offset_mask"]
            mask = mask * ops.cast(real, "float32") * self._owners(objects, target["index"], index, mask)
            cell = ops.cast(ops.stack([index % columns, index // columns], axis=-1), "float32")
            target |= {
                "offset": target["offset"] * mask[..., None],
                "offset_index": index,
                "offset_mask": mask,
                "centripetal": reach * mask[..., None],
                "guiding": INWARDS[name] * (middle - cell) * mask[..., None],
            }
        return branches

    def _owners(self, objects: GridObjects, corner_cell: Tensor, index: Tensor, mask: Tensor) -> Tensor:
        """`(batch, m)` float32, 1 for the row that teaches its cell; rows that are masked own nothing."""
        rows, columns = objects.size
        batch, count = ops.shape(index)[0], index.shape[1]
        if self.offset_reach:
            corner_cell = self._for_each_cell(corner_cell)
        rank = np.arange(1, count + 1, dtype=np.float32) + count * ops.cast(index == corner_cell, "float32")
        flat = index + rows * columns * ops.arange(batch, dtype="int32")[:, None]
        values = ops.reshape(rank * mask, (-1,))
        best = scatter_max(batch * rows * columns, ops.reshape(flat, (-1,)), values)
        return ops.cast(ops.take(best, flat) == rank, "float32")
