"""The `tf.data` pipeline: files in, `(images, padded annotations)` out; never heatmaps."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.preprocessing import Size
from keras_cornernet.structures import DetectionDataset, OnProblem, PoseDataset

try:
    import tensorflow as tf
except ModuleNotFoundError:
    raise ImportError(
        "make_dataset reads through tf.data, which needs TensorFlow beside any backend of Keras. "
        "Type: pip install 'keras_cornernet[tf-cpu]'"
    ) from None

# What makes training examples of each kind of data set; `tasks.register` adds to it.
LOADERS: dict[type, Any] = {DetectionDataset: BoxLoader, PoseDataset: PersonLoader}

# Images that are loaded at once where there are more processors; Python's lock keeps further ones waiting.
MAX_LOADERS = 16


class Epochs:
    """Numbers the passes over a dataset, so that order and augmentation are functions of the epoch.

    It counts by itself. `Trainer.fit` sets `current` at the start of each epoch, so that a resumed run gets
    the same images as an uninterrupted one.
    """

    def __init__(self) -> None:
        self.current = 0

    def next(self) -> int:
        """The number of the pass that begins now."""
        self.current += 1
        return self.current - 1


def make_dataset(
    dataset: Any,
    input_size: Size,
    *,
    batch_size: int,
    augmentation: Any = None,
    shuffle: bool = False,
    seed: int = 0,
    max_objects: int | None = None,
    cache_bytes: int = 2**30,
    on_problem: OnProblem | None = None,
) -> tf.data.Dataset:
    """Batches of images and padded annotations, one pass an epoch.

    Args:
        dataset: what a reader returned: images with boxes, or people with joints.
        input_size, augmentation, seed, cache_bytes, on_problem: see `BoxLoader` and `PersonLoader`.
        batch_size: images per batch. With `shuffle` the last incomplete batch is dropped.
        shuffle: a new order each epoch.
        max_objects: see `BoxLoader`.

    Returns:
        A dataset of `(images, annotations)`: `(batch, height, width, 3)` float32 RGB 0..255 and, for boxes,
        `{"boxes": (batch, n, 4), "labels": (batch, n), "ignore": (batch, n)}` with labels -1 for padding
        (`"ignore"` is there only if something can be ignored, `"visible"` `(batch, n)` only with a
        `SaccadeCrop`), for people `{"keypoints": (batch, k, 2), "keypoint_weights": (batch, k)}`. Its
        attribute `epochs` numbers the passes, `names` lists the classes or joints.

    Raises:
        OSError: no image of the data set can be used.
        ValueError: the data set is empty or `batch_size` is below 1.
        TypeError: the data set is not what a reader returns.
    """
    loader_type = LOADERS.get(type(dataset))
    if loader_type is None:
        raise TypeError(
            f"dataset must be a {' or a '.join(kind.__name__ for kind in LOADERS)}, as readers return, not "
            f"{type(dataset).__name__}"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    count, names = len(dataset), tuple(dataset.names)
    if not count:
        raise ValueError(f"dataset has no {dataset.noun}")
    settings: dict[str, Any] = {
        "augmentation": augmentation,
        "seed": seed,
        "cache_bytes": cache_bytes,
        "on_problem": on_problem,
    }
    if max_objects is not None:
        settings["max_objects"] = max_objects
    loader = loader_type(dataset, input_size, **settings)
    loader.images.first_usable(0)  # raises here rather than inside of TensorFlow
    epochs = Epochs()
    batches = _numbered(count, epochs, shuffle, seed)
    batches = batches.map(_loading(loader), num_parallel_calls=min(os.cpu_count() or 1, MAX_LOADERS))
    batches = batches.batch(min(batch_size, count), drop_remainder=shuffle).prefetch(2)
    # TensorFlow 2.21 waits at the end of each pass until its tuner wakes up, which takes up to a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    batches = batches.with_options(options)
    batches.epochs, batches.names = epochs, names
    return batches


def _numbered(count: int, epochs: Epochs, shuffle: bool, seed: int) -> tf.data.Dataset:
    """One pass over the pairs of epoch and index, in an order that seed and epoch decide."""

    def order(_: Any) -> np.ndarray:
        epoch = epochs.next()
        indices = np.arange(count)
        if shuffle:
            np.random.default_rng([seed, epoch]).shuffle(indices)
        return np.stack([np.full(count, epoch), indices], axis=1)

    def begin(start: Any) -> Any:
        numbers = tf.ensure_shape(tf.numpy_function(order, [start], tf.int64), (count, 2))
        return tf.data.Dataset.from_tensor_slices(numbers)

    numbered = tf.data.Dataset.range(1).flat_map(begin)
    return numbered.apply(tf.data.experimental.assert_cardinality(count))


def _loading(loader: Any) -> Callable[[Any], tuple[Any, dict[str, Any]]]:
    """The function that loads the example of a pair of epoch and index, with shapes that the graph knows."""

    def load(number: Any) -> tuple[Any, dict[str, Any]]:
        types = [tf.float32, *(dtype for _, dtype in loader.annotations.values())]
        image, *parts = tf.numpy_function(
            lambda pair: loader.load(int(pair[0]), int(pair[1])), [number], types
        )
        annotations = {
            name: tf.ensure_shape(part, shape)
            for (name, (shape, _)), part in zip(loader.annotations.items(), parts, strict=True)
        }
        return tf.ensure_shape(image, (*loader.input_size, 3)), annotations

    return load
