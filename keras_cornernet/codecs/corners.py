"""Boxes as pairs of corners: heatmaps, offsets and embeddings, there and back."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.ops.gather import gather_cells, gather_rows
from keras_cornernet.ops.gaussian import draw_gaussians, draw_rectangles, radius_table
from keras_cornernet.ops.peaks import NOTHING, find_peaks

CORNERS = {"top_left": slice(0, 2), "bottom_right": slice(2, 4)}


class Decoded(NamedTuple):
    """Boxes read off the maps, best first, before any suppression.

    Attributes:
        boxes: `(batch, n, 4)` `xyxy`, input pixels.
        scores: `(batch, n)`; -1 for pairs that were rejected.
        labels: `(batch, n)` int32.
        corner_scores: `(batch, n, 2)`, of the top-left and the bottom-right corner.
    """

    boxes: object
    scores: object
    labels: object
    corner_scores: object


class Placed(NamedTuple):
    """The annotated objects of a batch, on the grid.

    Attributes:
        boxes: `(batch, n, 4)` `xyxy`, cells.
        labels: `(batch, n)` int32, 0 for those that are not present.
        present: `(batch, n)` bool, False for padding and for labels that the heatmaps have no channel for.
        positive: `(batch, n)` bool, False also for ignored objects.
        radius: `(batch, n)` int32 of the bumps, cells.
        size: `(rows, columns)` of the grid.
    """

    boxes: object
    labels: object
    present: object
    positive: object
    radius: object
    size: tuple[int, int]


@dataclass(frozen=True)
class CornerCodec:
    """Encodes boxes to the targets of CornerNet and decodes its outputs.

    Attributes:
        num_classes: channels of the heatmaps.
        min_overlap: a corner moved by the bump's radius keeps this intersection over union.
        corrected_radius: the radius keeps `min_overlap`; False is the first release's, see
            `ops.gaussian.gaussian_radius`.
        fixed_radius: a fixed radius in cells instead of the object's own; 0 marks single cells.
        offset_reach: offsets are also taught in the cells up to that many away from the corner's own, where
            they lead back to the corner, so that a peak in a neighbouring cell costs nothing. 0 is the
            papers'.
        top_k: corners of each kind that are paired.
        num_detections: pairs that are kept.
        embedding_threshold: corners whose embeddings differ more (summed over the channels) do not pair.
        embedding_scale: the score of a pair falls as `exp(-(distance / embedding_scale) ** 2)` of its
            embeddings; None, the papers' way, lets all distances below the threshold count alike.
        geometric_score: a pair scores the geometric mean of its corners, so that a strong corner does not
            carry a weak one; False is the papers' mean.
        peak_kernel: a corner is the maximum of this many cells each way; 1 takes every cell.
        reject_border: top-left corners in the first row or column and bottom-right corners in the last pair
            with none; for crops, at whose border objects are cut.

    Source: Law & Deng 2018, secs. 3.2, 3.3 and 4.2; princeton-vl/CornerNet, `sample/coco.py` and `_decode` of
    `models/py_utils/kp_utils.py`.
    """

    num_classes: int
    min_overlap: float = 0.3
    fixed_radius: int | None = None
    offset_reach: int = 0
    top_k: int = 100
    num_detections: int = 1000
    embedding_threshold: float = 0.5
    embedding_scale: float | None = None
    geometric_score: bool = False
    peak_kernel: int = 3
    corrected_radius: bool = True
    reject_border: bool = False

    def encode(self, annotations: dict, input_size: tuple[int, int], grid_size: tuple[int, int]) -> dict:
        """Draws the targets on the device.

        Args:
            annotations: `"boxes"` `(batch, n, 4)` float32 `xyxy` in input pixels, clipped to
                `[0, size - 1]`; `"labels"` `(batch, n)` int32, -1 for padding, and objects of classes that
                are not among `num_classes` count as such; if some objects are to be neither taught nor
                punished, `"ignore"` `(batch, n)` bool.
            input_size, grid_size: `(height, width)` of the images and of the maps.

        Returns:
            `{"top_left" | "bottom_right": {"heatmap": (batch, h, w, num_classes), "offset": (batch, n, 2),
            "index": (batch, n) int32}, "mask": (batch, n)}`, and `"heatmap_mask"` `(batch, h, w,
            num_classes)`, 0 inside ignored boxes, when annotations have `"ignore"`; the very cells of taught
            points there stay 1 (the rest of their bumps does not), else the heatmaps would not learn what
            offsets and embeddings do. With an `offset_reach`, each corner has also `"offset_index"` and
            `"offset_mask"`, and these and its `"offset"` have one entry for each cell in reach of each
            object.
        """
        placed = self._place(annotations, input_size, grid_size)
        points = {
            name: self._encode_points(placed, *point) for name, point in self._points(placed.boxes).items()
        }
        targets = {"mask": ops.cast(placed.positive, "float32"), **points}
        if "ignore" in annotations:
            hidden = self._ignored_rectangles(placed)
            for target in points.values():
                hidden = ops.where(target["heatmap"] == 1.0, 0.0, hidden)
            targets["heatmap_mask"] = 1.0 - hidden
        return targets

    def _points(self, boxes) -> dict:
        """Of each branch the points `(batch, n, 2)` of the boxes, and the `sigma_divisor` of their bumps."""
        return {name: (boxes[..., part], 6.0) for name, part in CORNERS.items()}

    def _present(self, labels):
        """Which objects are neither padding nor of a class without a channel."""
        return (labels >= 0) & (labels < self.num_classes)

    def _place(self, annotations, input_size, grid_size) -> Placed:
        labels = ops.cast(annotations["labels"], "int32")
        (height, width), (rows, columns) = input_size, grid_size
        boxes = annotations["boxes"] * np.array([columns / width, rows / height] * 2, np.float32)
        present = self._present(labels)
        positive = present & ~annotations["ignore"] if "ignore" in annotations else present
        radius = self._radius(boxes, rows, columns)
        return Placed(boxes, ops.where(present, labels, 0), present, positive, radius, (rows, columns))

    def _encode_points(self, placed, points, sigma_divisor):
        """Heatmap, offsets and flat cells of one point of each object.

        Args:
            placed: the objects.
            points: `(batch, n, 2)` x, y in cells.
            sigma_divisor: see `draw_gaussians`.
        """
        rows, columns = placed.size
        mask = ops.cast(placed.positive, "float32")
        x, y = (cell_of(points, placed.size)[..., i] for i in (0, 1))
        grid = (ops.shape(mask)[0], rows, columns, self.num_classes)
        heatmap = draw_gaussians(
            *(y, x, placed.radius, placed.labels, placed.positive),
            grid=grid,
            max_radius=self._max_radius(rows, columns),
            sigma_divisor=sigma_divisor,
        )
        cells = ops.cast(ops.stack([x, y], axis=-1), "float32")
        targets = {
            "heatmap": heatmap,
            "offset": (points - cells) * mask[..., None],
            "index": ops.where(placed.positive, y * columns + x, 0),
        }
        if self.offset_reach:
            targets |= self._offsets_around(points, x, y, placed.positive, rows, columns)
        return targets

    def _ignored_rectangles(self, placed):
        """Ones where an ignored object of the class lies."""
        first, last = (cell_of(placed.boxes[..., part], placed.size) for part in CORNERS.values())
        sides = last - first + 1
        tall = ops.where(placed.present & ~placed.positive, sides[..., 1], 0)
        grid = (ops.shape(tall)[0], *placed.size, self.num_classes)
        return draw_rectangles(first[..., 1], first[..., 0], tall, sides[..., 0], placed.labels, grid=grid)

    def _offsets_around(self, points, x, y, positive, rows, columns):
        """How far each point is from each cell in its reach."""
        steps = np.arange(-self.offset_reach, self.offset_reach + 1)
        right, down = (steps.astype(np.int32) for steps in np.meshgrid(steps, steps))
        shape = (-1, right.size * x.shape[1])
        x = ops.reshape(x[..., None] + right.reshape(-1), shape)
        y = ops.reshape(y[..., None] + down.reshape(-1), shape)
        positive = ops.repeat(positive, right.size, axis=1)
        positive = positive & (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
        mask = ops.cast(positive, "float32")
        away = ops.repeat(points, right.size, axis=1) - ops.cast(ops.stack([x, y], axis=-1), "float32")
        return {
            "offset": away * mask[..., None],
            "offset_index": ops.where(positive, y * columns + x, 0),
            "offset_mask": mask,
        }

    def _max_radius(self, rows, columns):
        if self.fixed_radius is not None:
            return self.fixed_radius
        return int(self._radius_table(rows, columns).max())

    def _radius_table(self, rows, columns):
        return radius_table(rows, columns, self.min_overlap, self.corrected_radius)

    def _radius(self, boxes, rows, columns):
        if self.fixed_radius is not None:
            return ops.full_like(boxes[..., 0], self.fixed_radius, dtype="int32")
        table = self._radius_table(rows, columns)
        side = ops.cast(ops.ceil(boxes[..., 2:] - boxes[..., :2]), "int32")
        side = ops.clip(side, 0, np.array([columns, rows]))
        return ops.take(table.reshape(-1), side[..., 1] * (columns + 1) + side[..., 0])

    def decode(self, outputs: list, input_size: tuple[int, int]) -> Decoded:
        """Finds peaks, pairs them by class, embedding and geometry, and adds the offsets.

        Args:
            outputs: of the network; the last stack is read.
            input_size: `(height, width)` of the images.
        """
        maps = outputs[-1]
        rows, columns = maps["top_left"]["heatmap"].shape[1:3]
        first, second = (self._peaks(maps[name]) for name in CORNERS)
        if self.reject_border:
            first["live"] &= (first["row"] > 0) & (first["column"] > 0)
            second["live"] &= (second["row"] < rows - 1) & (second["column"] < columns - 1)

        def pair(name, combine):
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
        count = first["score"].shape[1]
        flat = ops.reshape(ops.where(good, score, -1.0), (-1, count * count))
        scores, place = ops.top_k(flat, min(self.num_detections, count * count))
        place = ops.cast(place, "int32")

        def pick(corner, which):
            """x, y, score and label of the chosen corners, in one gathering."""
            label = ops.cast(corner["label"], "float32")
            rows = ops.stack([corner["x"], corner["y"], corner["score"], label], axis=-1)
            return gather_rows(rows, which)

        one, other = pick(first, place // count), pick(second, place % count)
        height, width = input_size
        pixels = np.array([width / columns, height / rows] * 2, np.float32)
        boxes = ops.concatenate([one[..., :2], other[..., :2]], axis=-1) * pixels
        corner_scores = ops.stack([one[..., 2], other[..., 2]], axis=-1)
        return Decoded(boxes, scores, ops.cast(one[..., 3], "int32"), corner_scores)

    def _peaks(self, heads):
        """The best points of one kind; x and y in cells, offsets added."""
        peaks = find_peaks(ops.cast(heads["heatmap"], "float32"), self.top_k, self.peak_kernel)
        offset = gather_cells(heads["offset"], peaks.index)
        found = {
            "score": ops.sigmoid(peaks.logits),
            "live": peaks.logits > NOTHING / 2,
            "label": peaks.label,
            "row": peaks.row,
            "column": peaks.column,
            "x": ops.cast(peaks.column, "float32") + offset[..., 0],
            "y": ops.cast(peaks.row, "float32") + offset[..., 1],
        }
        if "embedding" in heads:
            found["embedding"] = gather_cells(heads["embedding"], peaks.index)
        return found


def cell_of(points, size):
    """The cells `(..., 2)` x, y int32 in which points lie; those on the far edge lie in the last ones."""
    rows, columns = size
    return ops.clip(ops.cast(ops.floor(points), "int32"), 0, np.array([columns - 1, rows - 1]))


def embedding_distance(a, b):
    """The sum over channels of absolute differences; with the papers' one channel just that difference."""
    return ops.sum(ops.abs(a - b), axis=-1)
