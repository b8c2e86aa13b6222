"""Points of boxes as peaks of heatmaps: what the codecs of all detectors share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.checks import check_flag, check_number, check_odd
from keras_cornernet.codecs.arguments import BOXES, OPTIONAL_OF_BOXES, check_annotations, maps_of_branch
from keras_cornernet.ops.gather import gather_cells
from keras_cornernet.ops.gaussian import draw_gaussians, draw_rectangles, radius_table
from keras_cornernet.ops.peaks import NOTHING, find_peaks
from keras_cornernet.tensors import Size, Tensor

CORNERS = {"top_left": slice(0, 2), "bottom_right": slice(2, 4)}


class Decoded(NamedTuple):
    """Boxes read from the maps, best first, before suppression.

    Attributes:
        boxes: `(batch, n, 4)` `xyxy`, input pixels.
        scores: `(batch, n)`; -1 for candidates that were rejected.
        labels: `(batch, n)` int32.
        corner_scores: `(batch, n, 2)`, the scores of the top-left and of the bottom-right corner.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    corner_scores: Tensor


class GridObjects(NamedTuple):
    """The annotated objects of a batch, in grid cells.

    Attributes:
        boxes: `(batch, n, 4)` `xyxy`, cells.
        labels: `(batch, n)` int32, 0 for objects that are not present.
        present: `(batch, n)` bool, False for padding and for labels without a heatmap channel.
        positive: `(batch, n)` bool, False also for ignored objects.
        radius: `(batch, n)` int32, radius of the Gaussians in cells.
        size: `(rows, columns)` of the grid.
    """

    boxes: Tensor
    labels: Tensor
    present: Tensor
    positive: Tensor
    radius: Tensor
    size: Size


@dataclass(frozen=True)
class HeatmapCodec:
    """Draws points of boxes as Gaussians on class heatmaps and finds them again as peaks.

    Attributes:
        num_classes: channels of the heatmaps.
        min_overlap: a box whose corners are moved by the radius of its Gaussian keeps this intersection over
            union with the true box.
        corrected_radius: use the radius that keeps `min_overlap`; False uses the formula of the first
            release, see `ops.gaussian.gaussian_radius`.
        fixed_radius: one radius in cells for all objects; 0 marks single cells. None computes the radius
            from each box.
        sigma_divisor: the standard deviation of a Gaussian is `(2 radius + 1) / sigma_divisor`.
        offset_reach: offsets are also trained in the cells up to this many cells away from the cell of the
            point, where they point back to it, so that a peak in a neighbouring cell costs no accuracy. The
            papers have 0.
        top_k: peaks that are read from each heatmap.
        peak_kernel: a peak is the maximum of a window of this many cells on each side, an odd number; 1 takes
            every cell.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    num_classes: int
    min_overlap: float = 0.3
    corrected_radius: bool = True
    fixed_radius: int | None = None
    sigma_divisor: float = 6.0
    offset_reach: int = 0
    top_k: int = 100
    peak_kernel: int = 3
    averages_mirrored: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_number("num_classes", self.num_classes, at_least=1, whole=True)
        check_number("min_overlap", self.min_overlap, above=0, below=1)
        check_flag("corrected_radius", self.corrected_radius)
        if self.fixed_radius is not None:
            check_number("fixed_radius", self.fixed_radius, at_least=0, whole=True)
        check_number("sigma_divisor", self.sigma_divisor, above=0)
        check_number("offset_reach", self.offset_reach, at_least=0, whole=True)
        check_number("top_k", self.top_k, at_least=1, whole=True)
        check_odd("peak_kernel", self.peak_kernel)

    def encode(self, annotations: dict[str, Tensor], input_size: Size, grid_size: Size) -> dict[str, Any]:
        """Draws the targets of a batch on the device.

        Args:
            annotations: `"boxes"` `(batch, n, 4)` float32 `xyxy` in input pixels, clipped to the input;
                `"labels"` `(batch, n)` int32, -1 for padding; labels of `num_classes` or more count as
                padding. Optional: `"ignore"` `(batch, n)` bool, objects that are neither positive nor
                negative examples; `"class_mask"` `(batch, num_classes)` float32, 0 for classes whose objects
                are not labelled on an image.
            input_size, grid_size: `(height, width)` of the images and of the maps.

        Returns:
            `"mask"` `(batch, n)` float32, 1 for positive objects, and one dict for each branch:
            `"heatmap"` `(batch, h, w, num_classes)`, `"offset"` `(batch, n, 2)` in cells and `"index"`
            `(batch, n)` int32, the flat cell of the point. With `"ignore"` or `"class_mask"`, also
            `"heatmap_mask"` `(batch, h, w, num_classes)`, which is 0 inside ignored boxes and for classes
            that are not labelled. Cells of positive points inside
            them stay 1: otherwise the heatmaps would not learn the points that offsets and embeddings are
            trained at. With an `offset_reach`, each branch also has `"offset_index"` and `"offset_mask"`;
            these and `"offset"` have one entry for each cell in reach of each object.

        Raises:
            ValueError: an array is missing or has another shape; the message names it.
        """
        self._check_annotations(annotations, input_size, grid_size)
        objects = self._on_grid(annotations, input_size, grid_size)
        branches = self._branches(objects)
        targets = {"mask": ops.cast(objects.positive, "float32"), **branches}
        if "ignore" in annotations:
            hidden = self._ignored_rectangles(objects)
            for target in branches.values():
                hidden = ops.where(target["heatmap"] == 1.0, 0.0, hidden)
            targets["heatmap_mask"] = 1.0 - hidden
        if "class_mask" in annotations:
            labelled = ops.cast(annotations["class_mask"], "float32")[:, None, None, :]
            everywhere = ops.ones_like(next(iter(branches.values()))["heatmap"])
            targets["heatmap_mask"] = targets.get("heatmap_mask", everywhere) * labelled
        return targets

    def average_mirrored(self, outputs: list[Any], mirrored: list[Any]) -> list[Any]:
        """Averages the maps of images with those of their mirror images, where `averages_mirrored`.

        Other codecs decode both, and what was found on them is brought together.

        Args:
            outputs, mirrored: of the network, for images and for their mirror images.

        Returns:
            Outputs with one stack, for `decode`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not average the maps of mirror images")

    def _check_annotations(self, annotations: dict[str, Tensor], input_size: Size, grid_size: Size) -> None:
        optional = {**OPTIONAL_OF_BOXES, "class_mask": ("batch", self.num_classes)}
        check_annotations(annotations, BOXES, optional, input_size=input_size, grid_size=grid_size)

    def _points(self, boxes: Tensor) -> dict[str, tuple[Tensor, float]]:
        """The points `(batch, n, 2)` of the boxes and their `sigma_divisor`, by branch."""
        raise NotImplementedError

    def _branches(self, objects: GridObjects) -> dict[str, dict[str, Tensor]]:
        """The targets of each branch."""
        points = self._points(objects.boxes)
        return {name: self._encode_points(objects, *point) for name, point in points.items()}

    def _known(self, labels: Tensor) -> Tensor:
        """Which labels are neither padding nor of a class without a channel."""
        return (labels >= 0) & (labels < self.num_classes)

    def _to_grid(self, boxes: Tensor, input_size: Size, grid_size: Size) -> Tensor:
        """Boxes in input pixels to boxes in cells."""
        (height, width), (rows, columns) = input_size, grid_size
        return boxes * np.array([columns / width, rows / height] * 2, np.float32)

    def _on_grid(self, annotations: dict[str, Tensor], input_size: Size, grid_size: Size) -> GridObjects:
        labels = ops.cast(annotations["labels"], "int32")
        boxes = self._to_grid(annotations["boxes"], input_size, grid_size)
        present = self._known(labels)
        positive = present & ~annotations["ignore"] if "ignore" in annotations else present
        radius = self._radius(boxes, *grid_size)
        return GridObjects(boxes, ops.where(present, labels, 0), present, positive, radius, grid_size)

    def _encode_points(self, objects: GridObjects, points: Tensor, sigma_divisor: float) -> dict[str, Tensor]:
        """Heatmap, offsets and flat cells of one point of each object.

        Args:
            objects: the objects.
            points: `(batch, n, 2)` x, y in cells.
            sigma_divisor: see `draw_gaussians`.
        """
        rows, columns = objects.size
        mask = ops.cast(objects.positive, "float32")
        x, y = (cell_of(points, objects.size)[..., i] for i in (0, 1))
        grid = (ops.shape(mask)[0], rows, columns, self.num_classes)
        heatmap = draw_gaussians(
            *(y, x, objects.radius, objects.labels, objects.positive),
            grid=grid,
            max_radius=self._max_radius(rows, columns),
            sigma_divisor=sigma_divisor,
        )
        cells = ops.cast(ops.stack([x, y], axis=-1), "float32")
        targets = {
            "heatmap": heatmap,
            "offset": (points - cells) * mask[..., None],
            "index": ops.where(objects.positive, y * columns + x, 0),
        }
        if self.offset_reach:
            targets |= self._offsets_around(points, x, y, objects.positive, rows, columns)
        return targets

    def _offsets_around(
        self, points: Tensor, x: Tensor, y: Tensor, positive: Tensor, rows: int, columns: int
    ) -> dict[str, Tensor]:
        """The offset to each point from each cell in its reach."""
        steps = np.arange(-self.offset_reach, self.offset_reach + 1)
        right, down = (steps.astype(np.int32) for steps in np.meshgrid(steps, steps))
        shape = (-1, right.size * x.shape[1])
        x = ops.reshape(x[..., None] + right.reshape(-1), shape)
        y = ops.reshape(y[..., None] + down.reshape(-1), shape)
        positive = self._for_each_cell(positive)
        positive = positive & (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
        mask = ops.cast(positive, "float32")
        offset = self._for_each_cell(points) - ops.cast(ops.stack([x, y], axis=-1), "float32")
        return {
            "offset": offset * mask[..., None],
            "offset_index": ops.where(positive, y * columns + x, 0),
            "offset_mask": mask,
        }

    def _for_each_cell(self, values: Tensor) -> Tensor:
        """`(batch, n, ...)` values of objects, repeated for every cell in reach."""
        return ops.repeat(values, (2 * self.offset_reach + 1) ** 2, axis=1)

    def _ignored_rectangles(self, objects: GridObjects) -> Tensor:
        """Ones where an ignored object of the class lies."""
        first, last = (cell_of(objects.boxes[..., part], objects.size) for part in CORNERS.values())
        sides = last - first + 1
        height = ops.where(objects.present & ~objects.positive, sides[..., 1], 0)
        grid = (ops.shape(height)[0], *objects.size, self.num_classes)
        return draw_rectangles(first[..., 1], first[..., 0], height, sides[..., 0], objects.labels, grid=grid)

    def _max_radius(self, rows: int, columns: int) -> int:
        if self.fixed_radius is not None:
            return self.fixed_radius
        return int(self._radius_table(rows, columns).max())

    def _radius_table(self, rows: int, columns: int) -> np.ndarray:
        return radius_table(rows, columns, self.min_overlap, self.corrected_radius)

    def _radius(self, boxes: Tensor, rows: int, columns: int) -> Tensor:
        if self.fixed_radius is not None:
            return ops.full_like(boxes[..., 0], self.fixed_radius, dtype="int32")
        table = self._radius_table(rows, columns)
        side = ops.cast(ops.ceil(boxes[..., 2:] - boxes[..., :2]), "int32")
        side = ops.clip(side, 0, np.array([columns, rows]))
        return ops.take(table.reshape(-1), side[..., 1] * (columns + 1) + side[..., 0])

    def _channels(self) -> dict[str, int | str]:
        """The heads that `decode` reads, with their channels."""
        return {"heatmap": self.num_classes, "offset": 2}

    def _maps(self, outputs: list[Any], branch: str, input_size: Size) -> Mapping[str, Tensor]:
        """The maps of a branch of the last stack; see `maps_of_branch`."""
        return maps_of_branch(outputs, branch, self._channels(), input_size)

    def _peaks(self, heads: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The best peaks of one branch; x and y are in cells, with the offsets added."""
        peaks = find_peaks(ops.cast(heads["heatmap"], "float32"), self.top_k, self.peak_kernel)
        offset = read_cells(heads["offset"], peaks.index)
        found = {
            "score": ops.sigmoid(peaks.logits),
            "live": peaks.logits > NOTHING / 2,
            "label": peaks.label,
            "index": peaks.index,
            "row": peaks.row,
            "column": peaks.column,
            "x": ops.cast(peaks.column, "float32") + offset[..., 0],
            "y": ops.cast(peaks.row, "float32") + offset[..., 1],
        }
        if "embedding" in heads:
            found["embedding"] = read_cells(heads["embedding"], peaks.index)
        return found


def read_cells(maps: Tensor, index: Tensor) -> Tensor:
    """`gather_cells` in float32, whatever the network computes in: half a digit of x is many pixels."""
    return ops.cast(gather_cells(maps, index), "float32")


def cell_of(points: Tensor, size: Size) -> Tensor:
    """The cells `(..., 2)` x, y int32 that contain points; points on the far edge belong to the last cell."""
    rows, columns = size
    return ops.clip(ops.cast(ops.floor(points), "int32"), 0, np.array([columns - 1, rows - 1]))
