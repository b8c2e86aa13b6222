"""In the graph: an image fitted into the input of the network."""

from typing import Any, NamedTuple

import tensorflow as tf

from keras_cornernet.inference.placement import Placement
from keras_cornernet.preprocessing import Size


class Fit(NamedTuple):
    """How whole images are fitted into inputs: `input = scale * image + (left, top)`.

    Attributes:
        scale, left, top: `(...)` float64; input pixels.
        height, width: `(...)` float64 of the images, in their own pixels.
    """

    scale: Any
    left: Any
    top: Any
    height: Any
    width: Any


class Lines(NamedTuple):
    """The lines of the image from which each input pixel along one side is interpolated.

    Attributes:
        first, second: `(n,)` int32, the two lines of the image that the pixel lies between.
        fraction: `(n,)` float32, the weight of the second.
        inside: `(n,)` float32, 1 for pixels inside the image and 0 for others.
    """

    first: Any
    second: Any
    fraction: Any
    inside: Any


def fitted(image_size: Any, input_size: Size, *, by_longer_side: bool = False) -> Fit:
    """Fits whole images into the input, as large as possible and centred.

    Args:
        image_size: `(..., 2)` integers, heights and widths.
        input_size: `(height, width)`.
        by_longer_side: the longer side of the image fills the shorter side of the input, as the square of a
            person does, see `preprocessing.person_view`; otherwise as in `preprocessing.fit_view`.
    """
    height, width = tf.unstack(tf.cast(image_size, tf.float64), num=2, axis=-1)
    rows, columns = input_size
    if by_longer_side:
        scale = min(input_size) / tf.maximum(height, width)
    else:
        scale = tf.minimum(rows / height, columns / width)
    return Fit(scale, (columns - scale * width) / 2, (rows - scale * height) / 2, height, width)


def placement_of(fit: Fit) -> Placement:
    """The placement of a batch of images, for the way back to their pixels."""
    stretch, zero = 1 / fit.scale, tf.zeros_like(fit.scale)
    affine = [[stretch, zero, -fit.left * stretch], [zero, stretch, -fit.top * stretch]]
    rows = tf.stack([tf.stack(row, axis=-1) for row in affine], axis=-2)
    size = tf.stack([fit.height, fit.width], axis=-1)
    return Placement(tf.cast(rows, tf.float32), tf.cast(size, tf.float32))


def lines_of(fit: Fit, input_size: Size) -> tuple[Lines, Lines]:
    """The rows and the columns of one image, whose `Fit` holds scalars."""
    return (
        _lines(input_size[0], fit.top, fit.scale, fit.height),
        _lines(input_size[1], fit.left, fit.scale, fit.width),
    )


def _lines(count: int, start: Any, scale: Any, length: Any) -> Lines:
    # In float64: float32 would misplace pixels far from the origin.
    position = (tf.range(count, dtype=tf.float64) + 0.5 - start) / scale
    inside = (position >= 0) & (position < length)
    first = tf.floor(position - 0.5)
    fraction = tf.cast(position - 0.5 - first, tf.float32)
    first, last = tf.cast(first, tf.int32), tf.cast(length, tf.int32) - 1
    one, other = (tf.clip_by_value(n, 0, last) for n in (first, first + 1))
    return Lines(one, other, fraction, tf.cast(inside, tf.float32))


def resize_bilinear(image: Any, rows: Lines, columns: Lines) -> Any:
    """The image resampled bilinearly.

    The result equals that of `preprocessing.warp`, except that a value half-way between two grey levels may
    be rounded the other way.

    Args:
        image: `(height, width, 3)` of whole grey levels in 0..255.
        rows, columns: see `lines_of`.

    Returns:
        `(n, m, 3)` float32, whole grey levels; black outside the image.
    """

    def interpolated(image: Any, lines: Lines, axis: int) -> Any:
        one, other = (tf.cast(tf.gather(image, n, axis=axis), tf.float32) for n in lines[:2])
        fraction = lines.fraction[:, None, None] if axis == 0 else lines.fraction[:, None]
        return one + (other - one) * fraction

    grey = tf.round(interpolated(interpolated(image, rows, 0), columns, 1))
    return grey * (rows.inside[:, None, None] * columns.inside[:, None])
