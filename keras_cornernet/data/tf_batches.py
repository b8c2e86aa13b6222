"""Batches as a `tf.data.Dataset`, for the TensorFlow backend."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cornernet.data.batches import Batches

BATCHES_AT_ONCE = 2  # share the threads, so that none waits for the last image of a batch


def tf_batches(made: Batches, names: tuple[str, ...]) -> tf.data.Dataset:
    """`(images, annotations)`, one pass an epoch, as `make_dataset` describes them."""
    batches = _numbered(made).map(_loading(made), num_parallel_calls=BATCHES_AT_ONCE).prefetch(2)
    # TensorFlow 2.21 waits at the end of each pass until its tuner wakes up, which takes up to a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    batches = batches.with_options(options)
    batches.epochs, batches.names = made.epochs, names
    return batches


def _numbered(made: Batches) -> tf.data.Dataset:
    """One pass over the batches of an epoch as lists of epoch, number and indices; -1 fills the last one."""
    count, width = len(made), 2 + made.batch_size

    def order(_: Any) -> np.ndarray:
        epoch = made.epochs.next()
        numbers = np.full((count, width), -1)
        numbers[:, 0], numbers[:, 1] = epoch, np.arange(count)
        indices = made.order(epoch)[: count * made.batch_size]
        numbers[:, 2:].flat[: len(indices)] = indices
        return numbers

    def begin(start: Any) -> Any:
        numbers = tf.ensure_shape(tf.numpy_function(order, [start], tf.int64), (count, width))
        return tf.data.Dataset.from_tensor_slices(numbers)

    numbered = tf.data.Dataset.range(1).flat_map(begin)
    return numbered.apply(tf.data.experimental.assert_cardinality(count))


def _loading(made: Batches) -> Callable[[Any], tuple[Any, dict[str, Any]]]:
    """The function that loads a batch, with shapes that the graph knows."""
    annotations = made.loader.annotations
    batch = made.batch_size if made.shuffle else None
    size = made.input_sizes[0] if len(made.input_sizes) == 1 else (None, None)

    def load(numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        epoch, number, *indices = numbers.tolist()
        return made.load(epoch, number, [index for index in indices if index >= 0])

    def in_graph(numbers: Any) -> tuple[Any, dict[str, Any]]:
        types = [tf.float32, *(dtype for _, dtype in annotations.values())]
        images, *parts = tf.numpy_function(load, [numbers], types)
        named = {
            name: tf.ensure_shape(part, (batch, *shape))
            for (name, (shape, _)), part in zip(annotations.items(), parts, strict=True)
        }
        return tf.ensure_shape(images, (batch, *size, 3)), named

    return in_graph
