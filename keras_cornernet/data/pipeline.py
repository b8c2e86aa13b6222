"""The `tf.data` pipeline: files in, `(images, padded annotations)` out; never heatmaps."""

import logging

import numpy as np
import tensorflow as tf

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataRecipe
from keras_cornernet.data.color import augment_color
from keras_cornernet.ops.affine import transform_boxes
from keras_cornernet.preprocessing import Size, fit_view, read_image
from keras_cornernet.structures import Boxes, DataSet, Sample

log = logging.getLogger(__name__)


class Loader:
    """Reads, augments and pads one image of a data set.

    Args:
        data_set: what a reader returned.
        input_size: `(height, width)` of the network's input.
        recipe: augmentation, or None for the fitted image as it is.
        seed: with the epoch and the image's place it decides every random draw.
        max_objects: boxes per image after padding; the data set's own maximum when None. Further boxes
            are dropped, after a warning.
        cache_bytes: decoded images are kept in memory up to this size.
    """

    def __init__(
        self,
        data_set: DataSet,
        input_size: Size,
        *,
        recipe: CornerNetCrop | SmallDataRecipe | None = None,
        seed: int = 0,
        max_objects: int | None = None,
        cache_bytes: int = 2**30,
    ):
        if not data_set.samples:
            raise ValueError("data_set has no images")
        self.samples = data_set.samples
        self.input_size = tuple(input_size)
        self.recipe = recipe
        self.seed = seed
        most = max(len(sample.boxes.labels) for sample in self.samples)
        self.max_objects = max(1, most) if max_objects is None else max_objects
        if most > self.max_objects:
            log.warning("an image has %d boxes, of which max_objects=%d are kept", most, self.max_objects)
        self.can_ignore = any(sample.boxes.ignore.any() for sample in self.samples) or (
            recipe is not None and recipe.min_visible > 0
        )
        self._cache: dict[str, np.ndarray] = {}
        self._cache_left = cache_bytes
        self._reported: set[str] = set()

    def load(self, epoch: int, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One training example.

        Returns:
            image `(height, width, 3)` float32, boxes `(max_objects, 4)` float32 in input pixels, labels
            `(max_objects,)` int32 and ignore `(max_objects,)` bool. A broken image is reported once and
            replaced by the next one.
        """
        sample, image = self._readable(place)
        rng = np.random.default_rng([self.seed, epoch, place])
        if self.recipe is None:
            view = fit_view(image.shape[:2], self.input_size)
        else:
            view = self.recipe.draw(image.shape[:2], self.input_size, rng)
        shown = view.apply(image)
        if self.recipe is not None:
            shown = augment_color(shown, rng, jitter=self.recipe.jitter, lighting=self.recipe.lighting)
        min_visible = 0.0 if self.recipe is None else self.recipe.min_visible
        boxes = move_boxes(sample.boxes, image.shape[:2], view, min_visible)
        return (shown.astype(np.float32), *self._padded(boxes))

    def _padded(self, boxes: Boxes):
        count = min(len(boxes.labels), self.max_objects)
        xyxy = np.zeros((self.max_objects, 4), np.float32)
        labels = np.full(self.max_objects, -1, np.int32)
        ignore = np.zeros(self.max_objects, bool)
        xyxy[:count], labels[:count], ignore[:count] = (part[:count] for part in boxes)
        return xyxy, labels, ignore

    def _readable(self, place: int) -> tuple[Sample, np.ndarray]:
        for step in range(len(self.samples)):
            sample = self.samples[(place + step) % len(self.samples)]
            try:
                return sample, self._read(sample.path)
            except OSError as error:
                if sample.path not in self._reported:
                    self._reported.add(sample.path)
                    log.warning("%s; another image takes its place", error)
        raise OSError(f"none of the {len(self.samples)} images of the data set can be read")

    def _read(self, path: str) -> np.ndarray:
        image = self._cache.get(path)
        if image is None:
            image = read_image(path)
            if image.nbytes <= self._cache_left:
                self._cache_left -= image.nbytes
                self._cache[path] = image
        return image


def move_boxes(boxes: Boxes, image_size: Size, view, min_visible: float) -> Boxes:
    """Boxes in input pixels, clipped to the image and the input; those with nothing left are dropped.

    A box of which less than `min_visible` of the area is left is marked to be ignored.
    """
    height, width = image_size
    rows, columns = view.input_size
    inside = np.clip(boxes.xyxy, 0, [width, height, width, height])
    moved = transform_boxes(view.input_from_image, inside)
    clipped = np.clip(moved, 0, [columns, rows, columns, rows])

    def area(b):
        return np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1)

    left = area(clipped) > 0
    ignore = boxes.ignore | (area(clipped) < min_visible * area(moved))
    return Boxes(clipped[left].astype(np.float32), boxes.labels[left], ignore[left])


class Epochs:
    """Numbers the passes over a dataset, so that order and augmentation are functions of the epoch.

    Counts by itself; `Trainer.fit` sets `current` at the start of each epoch, which makes a resumed run
    see what the uninterrupted one would have seen.
    """

    def __init__(self):
        self.current = 0

    def next(self) -> int:
        """The number of the pass that begins now."""
        self.current += 1
        return self.current - 1


def make_dataset(
    data_set: DataSet,
    input_size: Size,
    *,
    batch_size: int,
    recipe: CornerNetCrop | SmallDataRecipe | None = None,
    shuffle: bool = False,
    seed: int = 0,
    max_objects: int | None = None,
    cache_bytes: int = 2**30,
) -> tf.data.Dataset:
    """Batches of images and padded annotations, one pass an epoch.

    Args:
        data_set, input_size, recipe, seed, max_objects, cache_bytes: see `Loader`.
        batch_size: images per batch. With `shuffle` the last incomplete batch is dropped.
        shuffle: a new order each epoch.

    Returns:
        A dataset of `(images, annotations)`: `(batch, height, width, 3)` float32 RGB 0..255 and
        `{"boxes": (batch, n, 4), "labels": (batch, n), "ignore": (batch, n)}` with labels -1 for padding.
        `"ignore"` is there only if something can be ignored. Its attribute `epochs` numbers the passes.

    Raises:
        ValueError: the data set is empty or `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    loader = Loader(
        data_set, input_size, recipe=recipe, seed=seed, max_objects=max_objects, cache_bytes=cache_bytes
    )
    count, epochs = len(data_set.samples), Epochs()
    batch_size = min(batch_size, count)

    def order(_):
        epoch = epochs.next()
        places = np.arange(count)
        if shuffle:
            np.random.default_rng([seed, epoch]).shuffle(places)
        return np.stack([np.full(count, epoch), places], axis=1)

    def begin(start):
        numbers = tf.ensure_shape(tf.numpy_function(order, [start], tf.int64), (count, 2))
        return tf.data.Dataset.from_tensor_slices(numbers)

    def load(number):
        types = (tf.float32, tf.float32, tf.int32, tf.bool)
        image, boxes, labels, ignore = tf.numpy_function(
            lambda pair: loader.load(int(pair[0]), int(pair[1])), [number], types
        )
        n = loader.max_objects
        annotations = {"boxes": tf.ensure_shape(boxes, (n, 4)), "labels": tf.ensure_shape(labels, (n,))}
        if loader.can_ignore:
            annotations["ignore"] = tf.ensure_shape(ignore, (n,))
        return tf.ensure_shape(image, (*loader.input_size, 3)), annotations

    dataset = tf.data.Dataset.range(1).flat_map(begin)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    dataset = dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.batch(batch_size, drop_remainder=shuffle).prefetch(2)
    dataset.epochs = epochs
    return dataset
