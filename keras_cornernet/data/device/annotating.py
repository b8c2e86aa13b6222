"""The annotations of training examples, moved on the accelerator as loaders' `annotate` does on the host."""

from typing import Any

import numpy as np
from keras import ops

from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.tensors import Tensor


class BoxAnnotator:
    """Moves, clips and pads the boxes of draws as `BoxLoader.annotate` does.

    Args:
        loader: whose boxes and rules.

    Attributes:
        arrays: all annotations of the data set, kept on the accelerator.
    """

    def __init__(self, loader: BoxLoader):
        self.loader = loader
        samples = loader.samples
        count, most = len(samples), max(1, *(len(sample.boxes.labels) for sample in samples), 1)
        boxes = np.zeros((count, most, 4), np.float32)
        labels = np.full((count, most), -1, np.int32)
        ignore = np.zeros((count, most), bool)
        for i, sample in enumerate(samples):
            n = len(sample.boxes.labels)
            height, width = loader.images.usable_size(i)[1]
            boxes[i, :n] = np.clip(sample.boxes.xyxy, 0, [width, height, width, height])
            labels[i, :n], ignore[i, :n] = sample.boxes.labels, sample.boxes.ignore
        self.arrays = {"boxes": boxes, "labels": labels, "ignore": ignore}
        if loader.leaves_out_classes:
            every = np.ones(len(loader.names), bool)
            masks = [every if sample.labelled is None else sample.labelled for sample in samples]
            self.arrays["class_mask"] = np.array(masks, np.float32)

    def __call__(self, arrays: dict[str, Any], numbers: dict[str, Any]) -> dict[str, Any]:
        """The annotations of a batch, see `BoxLoader.annotations`."""
        index, rules = numbers["index"], self.loader.rules
        labels = ops.take(arrays["labels"], index, axis=0)
        ignore = ops.take(arrays["ignore"], index, axis=0)
        moved = _move_boxes(numbers["input_from_image"], ops.take(arrays["boxes"], index, axis=0))
        low, high = numbers["clip"][:, :, None, :2], numbers["clip"][:, :, None, 2:]
        clipped = [ops.clip(moved[..., i : i + 2], low, high) for i in (0, 2)]
        area, full_area = _areas(*clipped), _areas(moved[..., :2], moved[..., 2:])
        kept = (labels >= 0) & (area > 0) & (ignore | (area >= rules.min_kept * full_area))
        short = ops.min(clipped[1] - clipped[0], axis=-1) < rules.min_side
        ignore = ignore | (area < rules.min_visible * full_area) | short
        found = {
            "boxes": ops.concatenate(clipped, axis=-1),
            "labels": labels,
            "ignore": ignore,
            "visible": area / ops.where(full_area > 0, full_area, 1.0),
        }
        wanted = {name: found[name] for name in self.loader.annotations if name in found}
        annotations = _first_kept(wanted, kept, self.loader.max_objects)
        if "class_mask" in arrays:
            masks = ops.take(arrays["class_mask"], index, axis=0)
            # A view that shows nothing leaves out nothing.
            shown = ops.any(numbers["clip"][..., 2:] > numbers["clip"][..., :2], axis=-1)
            annotations["class_mask"] = ops.min(ops.where(shown[..., None], masks, 1.0), axis=1)
        return annotations


class JointAnnotator:
    """Moves the joints of draws as `PersonLoader.annotate` does; see `BoxAnnotator`."""

    def __init__(self, loader: PersonLoader):
        self.flip_order = np.array(loader.skeleton.flip_order, np.int32)
        self.arrays = {
            "keypoints": np.array([person.keypoints for person in loader.people], np.float32),
            "seen": np.array([person.visibility > 0 for person in loader.people], np.float32),
        }

    def __call__(self, arrays: dict[str, Any], numbers: dict[str, Any]) -> dict[str, Any]:
        """The annotations of a batch, see `PersonLoader.annotations`."""
        index = numbers["index"][:, 0]
        points = ops.take(arrays["keypoints"], index, axis=0)
        weights = ops.take(arrays["seen"], index, axis=0)
        x, y = _move(numbers["input_from_image"][:, 0, :, :, None], points[..., 0], points[..., 1])
        points = ops.stack([x, y], axis=-1)
        mirrored = numbers["mirrored"][:, None]
        points = ops.where(mirrored[..., None], ops.take(points, self.flip_order, axis=1), points)
        weights = ops.where(mirrored, ops.take(weights, self.flip_order, axis=1), weights)
        return {"keypoints": points * weights[..., None], "keypoint_weights": weights}


ANNOTATORS: dict[type, Any] = {BoxLoader: BoxAnnotator, PersonLoader: JointAnnotator}
"""What moves the annotations of each kind of loader."""


def _move(affine: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Points moved by affine maps; not as matrix products, which accelerators round."""
    (a, b, u), (c, d, v) = ([affine[:, i, j] for j in range(3)] for i in range(2))
    return a * x + b * y + u, c * x + d * y + v


def _move_boxes(affine: Tensor, boxes: Tensor) -> Tensor:
    """`(batch, views, n, 4)` boxes moved by `(batch, views, 2, 3)` maps, see `affine.transform_boxes`."""
    (a, b, u), (c, d, v) = ([affine[:, :, i, j, None] for j in range(3)] for i in range(2))
    x1, y1, x2, y2 = (boxes[..., i] for i in range(4))
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    xs = ops.stack([a * x + b * y + u for x, y in corners], axis=-1)
    ys = ops.stack([c * x + d * y + v for x, y in corners], axis=-1)
    ends = [ops.min(xs, axis=-1), ops.min(ys, axis=-1), ops.max(xs, axis=-1), ops.max(ys, axis=-1)]
    return ops.stack(ends, axis=-1)


def _areas(first: Tensor, last: Tensor) -> Tensor:
    sides = ops.maximum(last - first, 0.0)
    return sides[..., 0] * sides[..., 1]


def _first_kept(values: dict[str, Any], kept: Tensor, room: int) -> dict[str, Any]:
    """The first `room` entries that are kept, over all views of an example, in their order; then padding."""
    entries = kept.shape[1] * kept.shape[2]
    kept = ops.reshape(kept, (-1, entries))
    place = ops.arange(entries, dtype="int32")[None]
    order = ops.argsort(ops.where(kept, place, place + entries), axis=1)[:, :room]
    there = ops.take_along_axis(kept, order, axis=1)
    found = {}
    for name, value in values.items():
        value = ops.reshape(value, (-1, entries, *value.shape[3:]))
        single = len(value.shape) == 2
        mask, chosen = (there, order) if single else (there[..., None], order[..., None])
        taken = ops.take_along_axis(value, chosen, axis=1)
        padding = -1 if name == "labels" else 0
        taken = ops.where(mask, taken, ops.cast(padding, taken.dtype))
        missing = [(0, 0), (0, max(0, room - entries)), *([] if single else [(0, 0)])]
        found[name] = ops.pad(taken, missing, constant_values=padding)
    return found
