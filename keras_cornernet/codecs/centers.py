"""Boxes as centres with a size: heatmaps, sizes and offsets, encoded and decoded."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from keras import ops

from keras_cornernet.checks import check_flag, check_number
from keras_cornernet.codecs.arguments import maps_of_branch
from keras_cornernet.codecs.dense_sizes import draw_sizes
from keras_cornernet.codecs.heatmaps import Decoded, GridObjects, HeatmapCodec, read_cells
from keras_cornernet.ops.gather import pick_class
from keras_cornernet.tensors import Size, Tensor

TINY = 1e-30  # keeps the logarithm of a probability finite


@dataclass(frozen=True)
class CenterCodec(HeatmapCodec):
    """Encodes boxes to the targets of `ObjectsAsPoints` and decodes its outputs.

    The targets have one branch, `"center"`, with `"size"` `(batch, n, 2)`, width and height in cells, besides
    heatmap, offset and index. With an `offset_reach`, sizes are trained in the same cells as offsets. With
    `dense_sizes` there are also `"size_map"` and `"size_map_weight"` `(batch, h, w, 2)`.

    Attributes:
        num_classes, min_overlap, corrected_radius, fixed_radius, sigma_divisor, offset_reach, peak_kernel:
            see `HeatmapCodec`. The defaults are those of the released code, whose radius at an overlap of 0.7
            is not the corrected one.
        top_k: detections that are kept.
        clip_margin: boxes are clipped to `[0, grid - clip_margin]` cells before anything is computed from
            them. The released code clips to `grid - 1`, which shortens boxes at the right and the lower
            edge; 0 keeps them whole.
        size_per_class: the network predicts one size for each class (`cat_spec_wh` of the released code).
        dense_sizes: sizes are trained at all cells of an object, weighted by the heatmap (`dense_wh` of the
            released code), not at its centre alone; see `codecs.dense_sizes`.

    Source: Zhou, Wang & Kraehenbuehl 2019 (arXiv 1904.07850), secs. 3 and 4; xingyizhou/CenterNet,
    `src/lib/datasets/sample/ctdet.py` and `ctdet_decode` of `src/lib/models/decode.py`.
    """

    min_overlap: float = 0.7
    corrected_radius: bool = False
    clip_margin: float = 1.0
    size_per_class: bool = False
    dense_sizes: bool = False
    averages_mirrored: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("clip_margin", self.clip_margin, at_least=0)
        check_flag("size_per_class", self.size_per_class)
        check_flag("dense_sizes", self.dense_sizes)
        if self.dense_sizes and (self.size_per_class or self.offset_reach):
            raise ValueError("dense_sizes must be False with size_per_class or an offset_reach")

    def _points(self, boxes: Tensor) -> dict[str, tuple[Tensor, float]]:
        return {"center": ((boxes[..., :2] + boxes[..., 2:]) / 2, self.sigma_divisor)}

    def _to_grid(self, boxes: Tensor, input_size: Size, grid_size: Size) -> Tensor:
        rows, columns = grid_size
        ends = np.array([columns, rows] * 2, np.float32) - self.clip_margin
        return ops.clip(super()._to_grid(boxes, input_size, grid_size), 0.0, ends)

    def _on_grid(self, annotations: dict[str, Tensor], input_size: Size, grid_size: Size) -> GridObjects:
        """Objects of which clipping leaves nothing are not present; their rows stay, masked."""
        objects = super()._on_grid(annotations, input_size, grid_size)
        left = ops.all(objects.boxes[..., 2:] > objects.boxes[..., :2], axis=-1)
        return objects._replace(present=objects.present & left, positive=objects.positive & left)

    def _branches(self, objects: GridObjects) -> dict[str, dict[str, Tensor]]:
        branches = super()._branches(objects)
        center, size, labels = (
            branches["center"],
            objects.boxes[..., 2:] - objects.boxes[..., :2],
            objects.labels,
        )
        if self.offset_reach:
            size, labels = self._for_each_cell(size), self._for_each_cell(labels)
        mask = center.get("offset_mask", ops.cast(objects.positive, "float32"))
        center["size"] = size * mask[..., None]
        if self.size_per_class:
            center["size_label"] = labels
        if self.dense_sizes:
            points, sigma_divisor = self._points(objects.boxes)["center"]
            center["size_map"] = draw_sizes(
                objects, points, max_radius=self._max_radius(*objects.size), sigma_divisor=sigma_divisor
            )
            weight = ops.max(center["heatmap"], axis=-1, keepdims=True)
            center["size_map_weight"] = ops.concatenate([weight, weight], axis=-1)
        return branches

    def _channels(self) -> dict[str, int | str]:
        return {**super()._channels(), "size": 2 * (self.num_classes if self.size_per_class else 1)}

    def decode(self, outputs: list[Any], input_size: Size) -> Decoded:
        """Finds the peaks of the centre heatmap and puts boxes of the predicted sizes around them.

        Args:
            outputs: of the network; the last stack is decoded.
            input_size: `(height, width)` of the images.

        Raises:
            ValueError: a map is missing or has another shape; the message names it.
        """
        maps = self._maps(outputs, "center", input_size)
        (rows, columns), (height, width) = maps["heatmap"].shape[1:3], input_size
        found = self._peaks(maps)
        size = read_cells(maps["size"], found["index"])
        if self.size_per_class:
            size = pick_class(size, found["label"], self.num_classes)
        half = ops.relu(size) / 2
        center = ops.stack([found["x"], found["y"]], axis=-1)
        pixels = np.array([width / columns, height / rows] * 2, np.float32)
        boxes = ops.concatenate([center - half, center + half], axis=-1) * pixels
        scores = ops.where(found["live"], found["score"], -1.0)
        return Decoded(boxes, scores, found["label"], ops.stack([found["score"]] * 2, axis=-1))

    def average_mirrored(self, outputs: list[Any], mirrored: list[Any]) -> list[Any]:
        """Averages the maps of images with those of their mirror images.

        Probabilities of the heatmap and sizes are averaged; offsets are those of the images alone, as in the
        released code.

        Args:
            outputs, mirrored: of the network, for images and for their mirror images.

        Returns:
            Outputs with one stack, for `decode`.

        Source: `process` of xingyizhou/CenterNet, `src/lib/detectors/ctdet.py`.
        """
        ours, theirs = (
            {head: ops.cast(values, "float32") for head, values in maps.items()}
            for maps in (maps_of_branch(o, "center", self._channels()) for o in (outputs, mirrored))
        )
        logits, others = ours["heatmap"], theirs["heatmap"][:, :, ::-1]
        # The logit of the mean probability; this form stays exact for large logits.
        yes = ops.sigmoid(logits) + ops.sigmoid(others)
        no = ops.sigmoid(-logits) + ops.sigmoid(-others)
        averaged = {
            "heatmap": ops.log(ops.maximum(yes, TINY)) - ops.log(ops.maximum(no, TINY)),
            "size": (ours["size"] + theirs["size"][:, :, ::-1]) / 2,
        }
        return [{"center": {**ours, **averaged}}]
