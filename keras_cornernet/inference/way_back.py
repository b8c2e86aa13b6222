"""The way from input pixels back to image pixels, in `keras.ops`: a part of compiled and exported graphs."""

from keras import ops

from keras_cornernet.inference.placement import Placement
from keras_cornernet.ops.boxes import ordered
from keras_cornernet.tensors import Tensor


def with_mirror_images(placement: Placement, width: float) -> Placement:
    """The placement of inputs, then of their mirror images: twice as many rows.

    Args:
        placement: of the inputs.
        width: of the inputs.
    """
    affine, size = placement
    x, y, shift = (affine[..., i] for i in range(3))
    mirrored = ops.stack([-x, y, width * x + shift], axis=-1)
    return Placement(*(ops.concatenate(pair, axis=0) for pair in ((affine, mirrored), (size, size))))


def points_to_image(points: Tensor, placement: Placement) -> Tensor:
    """`(batch, n, 2)` points from input to image pixels."""
    affine = placement.image_from_input[:, None]
    # No matrix product: GPUs round its factors.
    return points[..., :1] * affine[..., 0] + points[..., 1:] * affine[..., 1] + affine[..., 2]


def boxes_to_image(boxes: Tensor, placement: Placement) -> Tensor:
    """`(batch, n, 4)` `xyxy` boxes from input to image pixels."""
    corners = [points_to_image(boxes[..., part], placement) for part in (slice(0, 2), slice(2, 4))]
    return ordered(ops.concatenate(corners, axis=-1))


def clip_boxes(boxes: Tensor, image_size: Tensor) -> Tensor:
    """`(batch, n, 4)` boxes in image pixels, cut off at the edges of images of `(batch, 2)` sizes."""
    return ops.minimum(ops.maximum(boxes, 0.0), _far_edges(image_size))


def reach_beyond(boxes: Tensor, placement: Placement, border: float) -> Tensor:
    """Whether boxes reach beyond the edges of their images by `border` or more input pixels.

    Args:
        boxes: `(batch, n, 4)` `xyxy` image pixels.
        placement: of the images.
        border: input pixels.

    Returns:
        `(batch, n)` bool.
    """
    far = _far_edges(placement.image_size)
    beyond = ops.concatenate([-boxes[..., :2], boxes[..., 2:] - far[..., 2:]], axis=-1)
    input_pixel = ops.sum(ops.abs(placement.image_from_input[..., :2]), axis=-1)  # sides in image pixels
    return ops.any(beyond >= border * ops.tile(input_pixel[:, None], (1, 1, 2)), axis=-1)


def _far_edges(image_size: Tensor) -> Tensor:
    """`(batch, 1, 4)`: width, height, width, height of the images."""
    height, width = image_size[..., :1], image_size[..., 1:]
    return ops.concatenate([width, height, width, height], axis=-1)[:, None]
