"""The `tf.data` pipeline: files in, `(images, padded annotations)` out; never heatmaps."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_cornernet.data.batches import Batches, sizes_of
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

BATCHES_AT_ONCE = 2  # share the threads, so that none waits for the last image of a batch


def make_dataset(
    dataset: Any,
    input_size: Size | Sequence[Size],
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
        input_size: `(height, width)` of the network's input, or several of them: each batch has one, drawn at
            random.
        augmentation, seed, cache_bytes, on_problem: see `BoxLoader` and `PersonLoader`.
        batch_size: images per batch. With `shuffle` the last incomplete batch is dropped.
        shuffle: a new order each epoch.
        max_objects: see `BoxLoader`.

    Returns:
        A dataset of `(images, annotations)`: `(batch, height, width, 3)` float32 RGB 0..255 and, for boxes,
        `{"boxes": (batch, n, 4), "labels": (batch, n), "ignore": (batch, n)}` with labels -1 for padding
        (`"ignore"` is there only if something can be ignored, `"visible"` `(batch, n)` only with a
        `SaccadeCrop`, `"class_mask"` `(batch, num_classes)` only if some set leaves classes unlabelled), for
        people `{"keypoints": (batch, k, 2), "keypoint_weights": (batch, k)}`. Its attribute `epochs` numbers
        the passes, `names` lists the classes or joints. With several input sizes height and width are unknown
        in `element_spec`.

    Raises:
        OSError: no image of the data set can be used.
        ValueError: the data set is empty, `batch_size` is below 1 or `input_size` is no size.
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
    sizes = sizes_of(input_size)
    loader = loader_type(dataset, sizes[0], **settings)
    loader.images.first_usable(0)  # raises here rather than inside of TensorFlow
    parts = dataset.parts if hasattr(dataset, "parts") else ()
    made = Batches(loader, count, batch_size, sizes, parts=parts, shuffle=shuffle, seed=seed)
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
