"""Non-maximum suppression: Gaussian, linear and hard, with or without merging of boxes."""

from typing import NamedTuple

from keras import ops

from keras_cornernet.ops.boxes import intersection_over_union
from keras_cornernet.ops.gather import gather_rows

METHODS = ("gaussian", "linear", "hard")


class Suppressed(NamedTuple):
    """What suppression keeps of each image, best first.

    Attributes:
        boxes: `(batch, k, 4)`.
        scores: `(batch, k)`; -1 where fewer boxes were left.
        index: `(batch, k)` int32, place in the input.
    """

    boxes: object
    scores: object
    index: object


def soft_nms(
    boxes,
    scores,
    labels,
    *,
    method: str = "gaussian",
    sigma: float = 0.5,
    iou_threshold: float = 0.5,
    score_threshold: float = 0.001,
    max_detections: int = 100,
    corner_scores=None,
    merge_exponent: float | None = None,
) -> Suppressed:
    """Takes the best box again and again, and lowers the scores of the boxes of its class that overlap it.

    A box at overlap `o` keeps of its score: `exp(-o^2 / sigma)` (gaussian), `1 - o` above `iou_threshold`
    (linear), nothing above it (hard). Boxes that overlap a taken one and fall below `score_threshold` are
    gone. With `merge_exponent` the taken box becomes the mean of itself and the boxes it lowers, weighted
    by their corner scores times `(1 - kept share) ^ merge_exponent`: the top-left corner by the top-left
    scores, the other by the bottom-right ones.

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
    if count == 0:
        boxes, scores = ops.pad(boxes, ((0, 0), (0, 1), (0, 0))), ops.pad(scores, ((0, 0), (0, 1))) - 1.0
        labels, count = ops.pad(labels, ((0, 0), (0, 1))), 1
        corner_scores = None if corner_scores is None else ops.pad(corner_scores, ((0, 0), (0, 1), (0, 0)))
    places = ops.arange(count, dtype="int32")[None]
    slots = ops.arange(max_detections, dtype="int32")[None]

    def kept_share(overlap):
        if method == "gaussian":
            return ops.exp(-(overlap * overlap) / sigma)
        over = overlap > iou_threshold
        return ops.where(over, 1.0 - overlap if method == "linear" else 0.0, 1.0)

    def take(step, state):
        live, index, score, kept_boxes = state
        best = ops.cast(ops.argmax(live, axis=-1), "int32")[:, None]
        top = ops.max(live, axis=-1, keepdims=True)
        box = gather_rows(boxes, best)
        same_class = labels == gather_rows(labels[..., None], best)[..., 0]
        overlap = intersection_over_union(box, boxes, border=1.0)
        meets = (overlap > 0) & same_class & (places != best) & (live >= 0)
        share = ops.where(meets, kept_share(overlap), 1.0)
        if merge_exponent is not None:
            weights = ops.where(places == best, 1.0, (1.0 - share) ** merge_exponent)[..., None]
            weights = weights * corner_scores
            first = ops.sum(boxes[..., :2] * weights[..., :1], axis=1) / ops.sum(weights[..., :1], axis=1)
            second = ops.sum(boxes[..., 2:] * weights[..., 1:], axis=1) / ops.sum(weights[..., 1:], axis=1)
            box = ops.concatenate([first, second], axis=-1)[:, None]
        lowered = live * share
        gone = (places == best) | (meets & (lowered < score_threshold))
        here = (slots == step) & (top >= 0)
        return (
            ops.where(gone, -1.0, lowered),
            ops.where(here, best, index),
            ops.where(here, top, score),
            ops.where(here[..., None], box, kept_boxes),
        )

    start = (
        scores,
        ops.zeros_like(labels[:, :1], dtype="int32") + ops.zeros_like(slots),
        ops.zeros_like(scores[:, :1]) - ops.ones_like(slots, dtype=scores.dtype),
        ops.zeros_like(boxes[:, :1]) + ops.zeros((1, max_detections, 1), dtype=boxes.dtype),
    )
    _, index, kept, kept_boxes = ops.fori_loop(0, max_detections, take, start)
    return Suppressed(kept_boxes, kept, index)
