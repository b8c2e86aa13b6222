"""In the graph: from images of any size, as bytes of files or as numbers, to answers."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_cornernet.export.graphs import Graph
from keras_cornernet.export.resampling import Fit, lines_of, placement_of, resize_bilinear


def answer_each(graph: Graph, items: Any, image_of: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """The answers for images that are prepared one by one and go through the network together.

    Args:
        graph: of the model.
        items: a tensor with one row for each image.
        image_of: from the index and the row of an image to `(height, width, 3)` whole grey levels.
    """

    def prepared(numbered: tuple[Any, Any]) -> tuple[Any, Fit]:
        image = image_of(*numbered)
        fit = graph.fitted(tf.shape(image)[:2])
        return resize_bilinear(image, *lines_of(fit, graph.input_size)), fit

    signature = (
        tf.TensorSpec((*graph.input_size, 3), tf.float32),
        Fit(*[tf.TensorSpec((), tf.float64)] * len(Fit._fields)),
    )
    numbers = tf.range(tf.shape(items)[0])
    inputs, fit = tf.map_fn(prepared, (numbers, items), fn_output_signature=signature)
    return graph.answers(graph.maps(inputs), placement_of(fit))


def read_image(index: Any, data: Any) -> Any:
    """The image in the bytes of a JPEG, PNG, GIF (its first frame) or BMP file.

    EXIF orientation is not applied, because TensorFlow does not read it: rotate such pictures before they are
    sent.

    Args:
        index: of the image in its batch, for the message.
        data: scalar string.

    Raises (when the graph runs):
        InvalidArgumentError: the bytes are no such image; the message has the index.
    """
    # A data set, because it can drop what fails, and nothing else in a graph can. Its first element is taken,
    # the image or else the empty one: `reduce` would optimise the data set anew in each call.
    empty = tf.data.Dataset.from_tensors(tf.zeros((0, 0, 3), tf.uint8))
    read = tf.data.Dataset.from_tensors(data).map(_decoded).ignore_errors()
    image = read.concatenate(empty).take(1).get_single_element()
    readable = tf.debugging.Assert(
        tf.size(image) > 0, ["image_bytes holds no readable JPEG, PNG, GIF or BMP at index", index]
    )
    with tf.control_dependencies([readable]):
        return tf.ensure_shape(tf.identity(image), (None, None, 3))


def _decoded(data: Any) -> Any:
    def jpeg() -> Any:
        # The exact transform, as other readers use; TensorFlow's default is a faster approximation.
        return tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE")

    def other() -> Any:
        return tf.io.decode_image(data, 3, expand_animations=False)

    return tf.cond(tf.io.is_jpeg(data), jpeg, other)


def whole_levels(index: Any, image: Any) -> Any:
    """The image rounded to grey levels as `preprocessing.to_rgb` does.

    Args:
        index: not used.
        image: `(height, width, 3)` float32 RGB in 0..255.

    Raises (when the graph runs):
        InvalidArgumentError: a side is 0, or a value is not finite.
    """
    filled = tf.debugging.Assert(tf.size(image) > 0, ["images have an empty side:", tf.shape(image)])
    with tf.control_dependencies([filled]):
        image = tf.debugging.check_numerics(image, "images hold values that are not finite")
        return tf.cast(tf.clip_by_value(tf.round(image), 0.0, 255.0), tf.uint8)
