"""In the graph: images of any size, as bytes of files or as numbers, to answers."""

from collections.abc import Callable

import tensorflow as tf

from keras_cornernet.export.graphs import Graph
from keras_cornernet.export.resampling import Fit, lines_of, placement_of, resize_bilinear


def answer_each(graph: Graph, items, image_of: Callable) -> dict:
    """The answers for images that are prepared one by one and go through the network together.

    Args:
        graph: of the model.
        items: a tensor with one entry of the first axis for each image.
        image_of: makes `(height, width, 3)` whole grey levels of the number and the entry of an image.
    """

    def prepared(numbered):
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


def read_image(number, data):
    """The image in the bytes of a JPEG, PNG, GIF (its first frame) or BMP file.

    EXIF orientation is not applied, since TensorFlow reads none: turn such pictures before they are sent.

    Args:
        number: of the image in its batch, for the message.
        data: scalar string.

    Raises (as the graph runs):
        InvalidArgumentError: no such image; the message has the number.
    """
    # A data set of one element, since it can drop what fails, and nothing else in a graph can.
    read = tf.data.Dataset.from_tensors(data).map(_decoded).ignore_errors()
    image = read.reduce(tf.zeros((0, 0, 3), tf.uint8), lambda _, image: image)
    told = tf.debugging.Assert(
        tf.size(image) > 0, ["image_bytes holds no readable JPEG, PNG, GIF or BMP at index", number]
    )
    with tf.control_dependencies([told]):
        return tf.ensure_shape(tf.identity(image), (None, None, 3))


def _decoded(data):
    def jpeg():
        # The exact transform, as other readers use; TensorFlow's own choice is a quicker one.
        return tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE")

    def other():
        return tf.io.decode_image(data, 3, expand_animations=False)

    return tf.cond(tf.io.is_jpeg(data), jpeg, other)


def whole_levels(_, image):
    """The image as `preprocessing.to_rgb` rounds it.

    Args:
        image: `(height, width, 3)` float32 RGB in 0..255.

    Raises (as the graph runs):
        InvalidArgumentError: a side is 0, or a value is not finite.
    """
    told = tf.debugging.Assert(tf.size(image) > 0, ["images have an empty side:", tf.shape(image)])
    with tf.control_dependencies([told]):
        image = tf.debugging.check_numerics(image, "images hold values that are not finite")
        return tf.cast(tf.clip_by_value(tf.round(image), 0.0, 255.0), tf.uint8)
