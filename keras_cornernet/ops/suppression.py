"""Non-maximum suppression: Gaussian, linear and hard, with or without merging of boxes."""

from typing import NamedTuple

from keras import ops

from keras_cornernet.backend import first_maximum
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.ops.suppression_methods import METHODS
from keras_cornernet.tensors import Tensor


class Suppressed(NamedTuple):
    """What suppression keeps of each image, best first.

    Attributes:
        boxes: `(batch, k, 4)`.
        scores: `(batch, k)`; -1 where fewer boxes were left.
        index: `(batch, k)` int32, position in the input.
    """

    boxes: Tensor
    scores: Tensor
    index: Tensor


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    labels: Tensor,
    *,
    method: str = "gaussian",
    sigma: float = 0.5,
    iou_threshold: float = 0.5,
    score_threshold: float = 0.001,
    max_detections: int = 100,
    corner_scores: Tensor | None = None,
    merge_exponent: float | None = None,
) -> Suppressed:
    """Takes the best box again and again, and lowers the scores of the boxes of its class that overlap it.

    A box with overlap `o` keeps of its score: `exp(-o^2 / sigma)` (gaussian), `1 - o` above `iou_threshold`
    (linear), nothing above it (hard). Boxes that overlap a taken one and fall below `score_threshold` are
    dropped. `"none"` suppresses nothing and keeps the best boxes. With `merge_exponent` the taken box becomes
    the mean of itself and the boxes whose scores it lowers, weighted by their corner scores times
    `(1 - kept fraction) ^ merge_exponent`: the top-left corner by the top-left scores, the bottom-right
    corner by the bottom-right ones.

    Args:
        boxes: `(batch, n, 4)` `xyxy` pixels; widths count their last pixel (+1), as in the released code.
        scores: `(batch, n)`; negative ones are padding.
        labels: `(batch, n)` int.
        max_detections: boxes to keep over all classes.
        corner_scores: `(batch, n, 2)`, needed for merging.

    Source: `soft_nms` and `soft_nms_merge` of princeton-vl/CornerNet, `external/nms.pyx`; Bodla et al. 2017.
    The released test code ignores which boxes survive, and leaves the corner scores in place when it swaps
    boxes, so that they weigh boxes they do not belong to; here the survivors are returned and every box
    keeps its own corner scores.

    Raises:
        ValueError: unknown `method`, or merging without `corner_scores`.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, not {method!r}")
    if merge_exponent is not None and corner_scores is None:
        raise ValueError("corner_scores are needed when merge_exponent is given")
    boxes, scores = ops.convert_to_tensor(boxes), ops.convert_to_tensor(scores)
    labels = ops.convert_to_tensor(labels)
    count = boxes.shape[1]
    if method == "none":
        return _best(boxes, scores, max_detections)
    if count == 0:
        boxes, scores = ops.pad(boxes, ((0, 0), (0, 1), (0, 0))), ops.pad(scores, ((0, 0), (0, 1))) - 1.0
        labels, count = ops.pad(labels, ((0, 0), (0, 1))), 1
        corner_scores = None if corner_scores is None else ops.pad(corner_scores, ((0, 0), (0, 1), (0, 0)))
    if corner_scores is not None:
        corner_scores = ops.maximum(corner_scores, 1e-12)  # so that no mean divides by a weight of 0
    positions = ops.arange(count, dtype="int32")[None]
    slots = ops.arange(max_detections, dtype="int32")[None]
    rows = _rows(boxes, labels)
    planes = ops.transpose(rows, (2, 0, 1))

    def kept_fraction(overlap: Tensor) -> Tensor:
        if method == "gaussian":
            return ops.exp(overlap * overlap * (-1.0 / sigma))
        over = overlap > iou_threshold
        return ops.where(over, 1.0 - overlap if method == "linear" else 0.0, 1.0)

    def merged(fraction: Tensor, best: Tensor) -> Tensor:
        """The mean of the taken boxes and those whose scores they lower."""
        weights = (
            ops.where(positions == best, 1.0, (1.0 - fraction) ** merge_exponent)[..., None] * corner_scores
        )
        first = ops.sum(boxes[..., :2] * weights[..., :1], axis=1) / ops.sum(weights[..., :1], axis=1)
        second = ops.sum(boxes[..., 2:] * weights[..., 1:], axis=1) / ops.sum(weights[..., 1:], axis=1)
        return ops.concatenate([first, second], axis=-1)[:, None]

    def take(step: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        live, index, score, *kept_boxes = state
        best = first_maximum(live, axis=-1)[:, None]
        overlap = _overlap(planes, ops.transpose(gather_rows(rows, best), (2, 0, 1)))
        fraction = kept_fraction(overlap)
        lowered = live * fraction
        here = slots == step
        if merge_exponent is not None:
            overlaps = (overlap > 0) & (live >= 0)
            box = merged(ops.where(overlaps, fraction, 1.0), best)
            kept_boxes = [ops.where(here[..., None], box, kept_boxes[0])]
        stays = (positions != best) & ((overlap <= 0) | (lowered >= score_threshold))
        return (
            ops.where(stays, lowered, -1.0),
            ops.where(here, best, index),
            ops.where(here, ops.max(live, axis=-1, keepdims=True), score),
            *kept_boxes,
        )

    none = ops.zeros_like(scores[:, :1]) - ops.ones_like(slots, dtype=scores.dtype)
    state: tuple[Tensor, ...] = (scores, ops.zeros_like(none, dtype="int32"), none)
    if merge_exponent is not None:
        state = (*state, none[..., None] * ops.zeros_like(boxes[:, :1]))
    _, index, kept, *kept_boxes = ops.fori_loop(0, max_detections, take, state)
    kept = ops.where(kept >= 0, kept, -1.0)
    kept_boxes = kept_boxes[0] if kept_boxes else gather_rows(boxes, index)
    return Suppressed(ops.where(kept[..., None] >= 0, kept_boxes, 0.0), kept, index)


def _best(boxes: Tensor, scores: Tensor, max_detections: int) -> Suppressed:
    """The best boxes as they are."""
    count = boxes.shape[1]
    kept, index = ops.top_k(scores, min(max_detections, count))
    boxes = gather_rows(boxes, index)
    missing = max_detections - kept.shape[1]
    if missing:
        boxes = ops.pad(boxes, ((0, 0), (0, missing), (0, 0)))
        index = ops.pad(index, ((0, 0), (0, missing)))
        kept = ops.pad(kept, ((0, 0), (0, missing)), constant_values=-1.0)
    real = kept >= 0
    boxes = ops.where(real[..., None], boxes, 0.0)
    return Suppressed(boxes, ops.where(real, kept, -1.0), ops.cast(index, "int32"))


def _rows(boxes: Tensor, labels: Tensor) -> Tensor:
    """`(batch, n, 7)`: negated lower ends and upper ends of the boxes in x, y and class, and their areas.

    The class is a third axis, on which a box extends from `label` to `label + 1`: boxes of two classes do not
    overlap, and the loop, whose time depends on the number of its operations, needs no test for it.
    """
    label = ops.cast(labels, boxes.dtype)[..., None]
    upper = ops.concatenate([boxes[..., 2:], label], axis=-1) + 1.0
    width, height = (ops.maximum(upper[..., i] - boxes[..., i], 0.0) for i in (0, 1))
    return ops.concatenate([-boxes[..., :2], -label, upper, (width * height)[..., None]], axis=-1)


def _overlap(planes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of boxes given as transposed `_rows`."""
    ends, area = ops.split(planes, [6])
    other_ends, other_area = ops.split(others, [6])
    lower, upper = ops.split(ops.minimum(ends, other_ends), 2)
    common = ops.prod(ops.maximum(lower + upper, 0.0), axis=0)
    return common / ops.maximum(area[0] + other_area[0] - common, 1e-9)
