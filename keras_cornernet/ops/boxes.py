"""Boxes `xyxy`."""

from keras import ops

from keras_cornernet.tensors import Tensor

# Farther from the origin no image has a pixel.
FARTHEST = 1e6


def intersection_over_union(boxes: Tensor, others: Tensor, *, border: float = 0.0) -> Tensor:
    """Intersection over union of boxes, broadcast against each other.

    Args:
        boxes, others: `(..., 4)` `xyxy`.
        border: added to every width and height; 1 gives the pixel-inclusive convention of the released
            soft-NMS.

    Returns:
        `(...)`; 0 where boxes do not overlap.
    """

    def sides(a: Tensor, b: Tensor) -> list[Tensor]:
        return [ops.maximum(b[..., i] - a[..., i] + border, 0.0) for i in (0, 1)]

    common = (
        ops.maximum(boxes[..., :2], others[..., :2]),
        ops.minimum(boxes[..., 2:], others[..., 2:]),
    )
    width, height = sides(*common)
    inter = width * height

    def area(b: Tensor) -> Tensor:
        w, h = sides(b[..., :2], b[..., 2:])
        return w * h

    return inter / ops.maximum(area(boxes) + area(others) - inter, 1e-9)


def ordered(boxes: Tensor) -> Tensor:
    """The boxes with their upper left corner first, whichever of the two corners came first.

    Args:
        boxes: `(..., 4)`: x, y of any two opposite corners.

    Returns:
        `(..., 4)` `xyxy`.
    """
    one, other = boxes[..., :2], boxes[..., 2:]
    return ops.concatenate([ops.minimum(one, other), ops.maximum(one, other)], axis=-1)


def without_unusable(boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Rejects boxes that are not finite, such as a network gives whose weights have diverged.

    Args:
        boxes: `(..., 4)` `xyxy` pixels.
        scores: `(...)`.

    Returns:
        The same, with 0 in the boxes and -1 in the scores where a coordinate is NaN or beyond a million.
    """
    usable = ops.all(ops.abs(boxes) < FARTHEST, axis=-1)
    return ops.where(usable[..., None], boxes, 0.0), ops.where(usable, scores, -1.0)
