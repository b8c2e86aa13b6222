"""TFLite files that MediaPipe's `ObjectDetector` opens: one graph without loops, boxes in its order, its
metadata.

MediaPipe refuses files with several graphs, and loops are graphs of their own. Suppression is therefore hard
and written out: instead of taking box after box, a matrix says which box overlaps which better one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_cornernet.codecs import confirm_by_centers
from keras_cornernet.export import flatbuffer
from keras_cornernet.export.description import KEY
from keras_cornernet.export.exported import describe
from keras_cornernet.export.fixed import FixedGraph, frozen
from keras_cornernet.export.graphs import build_graph, nested
from keras_cornernet.export.precisions import PRECISIONS, Precision
from keras_cornernet.export.tflite_metadata import LABELS, NAME, OUTPUTS, detector_metadata, with_files
from keras_cornernet.inference.placement import Placement
from keras_cornernet.ops.boxes import intersection_over_union
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.tensors import Tensor

MEDIAPIPE = "mediapipe"
ROUNDS = 8  # chains of boxes, each of which overlaps the next, are resolved up to this length


def set_alike(model: Any) -> Any:
    """The detector with the settings that a file for MediaPipe has: no mirror image, no merging, hard
    suppression.

    Raises:
        ValueError: the model is no detector.
    """
    if model.task != "detection":
        raise ValueError(f"only detectors are exported for MediaPipe, not a model for {model.task!r}")
    method = "none" if model.settings.method == "none" else "hard"
    return model.with_settings(flip=False, merge_exponent=None, method=method)


def mediapipe_bytes(
    model: Any, precision: Precision, name: str, samples: Sequence[np.ndarray], convert: Any
) -> bytes:
    """The file of a detector.

    Args:
        model: the detector, whose settings become those of `set_alike`.
        precision: of the network.
        name: of the precision.
        samples: images of the network's input size for `"int8"`.
        convert: from a function of tensors, a precision and samples to a TFLite file.
    """
    model = set_alike(model)
    fixed = FixedGraph(build_graph(model))
    maps = frozen(fixed.maps_of, [fixed.signature])
    placement = Placement(
        np.array([[[1, 0, 0], [0, 1, 0]]], np.float32), np.array([fixed.image_size], np.float32)
    )

    def answers(*values: Any) -> list[Any]:
        outputs = [nested(dict(zip(fixed.maps, values, strict=True)))]
        found = model.answers.candidates(outputs, placement, fixed.image_size, flip=False)
        return _detections(found, model.settings, fixed.image_size)

    rest = frozen(answers, [tf.TensorSpec(map.shape, map.dtype) for map in maps.outputs])
    parts = convert(maps, precision, samples), convert(rest, PRECISIONS["float32"])
    joined = flatbuffer.joined(*parts, ["images"], list(OUTPUTS))
    # MediaPipe stretches images over the input.
    description = describe(model, fixed.image_size, name, fit="stretch", consumer=MEDIAPIPE)
    joined = flatbuffer.with_text(joined, KEY, description.to_json())
    metadata = detector_metadata(model.network.name, takes_bytes=precision.whole_numbers)
    data = flatbuffer.packed(flatbuffer.with_text(joined, NAME, metadata))
    return with_files(data, {LABELS: "".join(f"{label}\n" for label in model.categories.names)})


def _detections(found: tuple[Tensor, ...], settings: Any, size: tuple[int, int]) -> list[Tensor]:
    """`OUTPUTS`: `(1, k, 4)` top, left, bottom, right over the image's sides, then `(1, k)` twice, `(1,)`."""
    boxes, scores, labels, _ = found[:4]
    if centers := found[4:]:
        scores = confirm_by_centers(boxes, scores, labels, *centers, best=settings.best_center)
    scores, index = ops.top_k(scores, scores.shape[1])
    boxes, labels = gather_rows(boxes, index), gather_rows(labels[..., None], index)[..., 0]
    if settings.method != "none":
        scores = ops.where(unsuppressed(boxes, scores, labels, settings.iou_threshold), scores, -1.0)
    scores, index = ops.top_k(scores, min(settings.max_detections, scores.shape[1]))
    boxes, labels = gather_rows(boxes, index), gather_rows(labels[..., None], index)[..., 0]
    height, width = size
    ends = ops.stack([boxes[..., i] for i in (1, 0, 3, 2)], axis=-1) / np.array(
        [height, width] * 2, np.float32
    )
    count = ops.sum(ops.cast(scores > 0, "float32"), axis=-1)
    return [ends, ops.cast(labels, "float32"), ops.maximum(scores, 0.0), count]


def unsuppressed(
    boxes: Tensor, scores: Tensor, labels: Tensor, iou_threshold: float, rounds: int = ROUNDS
) -> Tensor:
    """Which boxes hard suppression keeps, without a loop.

    Args:
        boxes: `(batch, n, 4)` `xyxy`, best first.
        scores: `(batch, n)`; negative ones suppress nothing.
        labels: `(batch, n)` int.
        iou_threshold: boxes that overlap a kept, better one of their class by more are not kept.
        rounds: the result is exact where no chain of boxes, each suppressed by the one before it, is longer.

    Returns:
        `(batch, n)` bool.
    """
    overlap = intersection_over_union(boxes[:, :, None], boxes[:, None], border=1.0)
    count = boxes.shape[1]
    better = np.triu(np.ones((count, count), np.float32), 1)
    same = ops.cast(labels[:, :, None] == labels[:, None], "float32")
    over = ops.cast(overlap > iou_threshold, "float32") * same * better
    real = ops.cast(scores >= 0, "float32")
    kept = real
    for _ in range(rounds):
        kept = real * (1.0 - ops.max(over * kept[..., None], axis=1))
    return kept > 0
