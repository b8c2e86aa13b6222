"""In the graph: an image fitted into the network's input, and answers brought back to its pixels."""

from typing import NamedTuple

import tensorflow as tf

from keras_cornernet.preprocessing import Size


class Placement(NamedTuple):
    """How images lie in inputs: `input = scale * image + (left, top)`, the same scale both ways.

    Attributes:
        scale, left, top: `(batch,)` float64; input pixels.
        height, width: `(batch,)` float64 of the images, their own pixels.
    """

    scale: object
    left: object
    top: object
    height: object
    width: object


class Lines(NamedTuple):
    """What each input pixel along one side is blended of.

    Attributes:
        first, second: `(n,)` int32, the two lines of the image that it lies between.
        share: `(n,)` float32 of the second.
        seen: `(n,)` float32, 0 for pixels beyond the image and else 1.
    """

    first: object
    second: object
    share: object
    seen: object


def placed(image_size, input_size: Size, *, by_longer_side: bool = False) -> Placement:
    """Where a whole image lies in the input: as large as it fits, and centred.

    Args:
        image_size: `(..., 2)` integers, heights and widths.
        input_size: `(height, width)`.
        by_longer_side: the image's longer side fills the input's shorter one, as a person's square does, see
            `preprocessing.person_view`; otherwise as in `preprocessing.fit_view`.
    """
    height, width = tf.unstack(tf.cast(image_size, tf.float64), num=2, axis=-1)
    rows, columns = input_size
    if by_longer_side:
        scale = min(input_size) / tf.maximum(height, width)
    else:
        scale = tf.minimum(rows / height, columns / width)
    return Placement(scale, (columns - scale * width) / 2, (rows - scale * height) / 2, height, width)


def lines_of(placement: Placement, input_size: Size) -> tuple[Lines, Lines]:
    """The blends of rows and of columns for one image, whose placement holds scalars."""
    scale, left, top, height, width = placement
    return _lines(input_size[0], top, scale, height), _lines(input_size[1], left, scale, width)


def _lines(count, start, scale, length) -> Lines:
    # In float64, or the blend of two pixels far from the origin would be off.
    place = (tf.range(count, dtype=tf.float64) + 0.5 - start) / scale
    seen = (place >= 0) & (place < length)
    first = tf.floor(place - 0.5)
    share = tf.cast(place - 0.5 - first, tf.float32)
    first, last = tf.cast(first, tf.int32), tf.cast(length, tf.int32) - 1
    ends = (tf.clip_by_value(n, 0, last) for n in (first, first + 1))
    return Lines(*ends, share, tf.cast(seen, tf.float32))


def resize_bilinear(image, rows: Lines, columns: Lines):
    """The image resampled bilinearly, as `preprocessing.warp` does.

    The result is that of `warp` but for a value half-way between two grey levels now and then.

    Args:
        image: `(height, width, 3)` of whole grey levels in 0..255.
        rows, columns: see `lines_of`.

    Returns:
        `(n, m, 3)` float32, whole grey levels; black outside the image.
    """

    def blend(image, lines, axis):
        one, other = (tf.cast(tf.gather(image, n, axis=axis), tf.float32) for n in lines[:2])
        share = lines.share[:, None, None] if axis == 0 else lines.share[:, None]
        return one + (other - one) * share

    grey = tf.round(blend(blend(image, rows, 0), columns, 1))
    return grey * (rows.seen[:, None, None] * columns.seen[:, None])


def to_image(points, placement: Placement):
    """Points from input to image pixels.

    Args:
        points: `(batch, n, 2)` x, y float32.
        placement: of the images.
    """
    offset = tf.stack([placement.left, placement.top], axis=-1)
    scale = placement.scale[..., None]
    stretch, shift = (tf.cast(part, tf.float32)[:, None] for part in (1 / scale, -offset / scale))
    return points * stretch + shift
