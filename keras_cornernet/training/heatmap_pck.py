"""The fraction of joints that are right, measured on the heatmaps during training."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_cornernet.ops.gather import flatten_cells


@dataclass(frozen=True)
class HeatmapPCK:
    """The share of joints whose maximum lies near that of the target.

    Attributes:
        threshold: largest distance of a correct maximum, in tenths of the map's longer side.
        name: of the metric in the progress bar.

    Called with `targets` of a codec and `outputs` of a network, it returns the fraction and the number of
    joints that it is the fraction of.

    Source: `heatmapAccuracy` of anewell/pose-hg-train, `src/util/eval.lua`: half a tenth is 3.2 of 64 cells.
    The source leaves out joints in the first row and column; here every annotated joint inside counts.
    """

    threshold: float = 0.5
    name: str = "pck"

    def __call__(self, targets: dict[str, Any], outputs: list[Any]) -> tuple[Any, Any]:
        target, heatmap = targets["keypoints"], outputs[-1]["keypoints"]["heatmap"]
        rows, columns = heatmap.shape[1:3]

        def peak(maps: Any) -> tuple[Any, Any]:
            index = ops.cast(ops.argmax(flatten_cells(maps), axis=1), "int32")
            return ops.cast(index % columns, "float32"), ops.cast(index // columns, "float32")

        (x, y), (true_x, true_y) = peak(heatmap), peak(target["heatmap"])
        distance = ops.sqrt(ops.square(x - true_x) + ops.square(y - true_y))
        counted = ops.cast(target["weight"] > 0, "float32")
        hits = ops.cast(distance <= self.threshold * max(rows, columns) / 10, "float32") * counted
        count = ops.sum(counted)
        return ops.sum(hits) / ops.maximum(count, 1.0), count
