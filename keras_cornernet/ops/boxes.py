"""Boxes `xyxy`."""

from keras import ops


def intersection_over_union(boxes, others, *, border=0.0):
    """The overlap of boxes, broadcast against each other.

    Args:
        boxes, others: `(..., 4)` `xyxy`.
        border: added to every width and height; 1 gives the pixel-inclusive convention of the released
            soft-NMS.

    Returns:
        `(...)`; 0 where boxes do not meet.
    """

    def sides(a, b):
        return [ops.maximum(b[..., i] - a[..., i] + border, 0.0) for i in (0, 1)]

    meet = (
        ops.maximum(boxes[..., :2], others[..., :2]),
        ops.minimum(boxes[..., 2:], others[..., 2:]),
    )
    width, height = sides(*meet)
    inter = width * height

    def area(b):
        w, h = sides(b[..., :2], b[..., 2:])
        return w * h

    return inter / ops.maximum(area(boxes) + area(others) - inter, 1e-9)
