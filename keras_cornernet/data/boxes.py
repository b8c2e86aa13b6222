"""Training examples with boxes: one image at a time, augmented and padded."""

import logging

import numpy as np

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.color import augment_color
from keras_cornernet.data.image_store import ImageStore
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.ops.affine import transform_boxes
from keras_cornernet.preprocessing import Size, fit_view
from keras_cornernet.structures import Boxes, DetectionDataset, OnProblem

log = logging.getLogger(__name__)

Augmentation = CornerNetCrop | SmallDataAugmentation | SaccadeCrop


class BoxLoader:
    """Reads, augments and pads one image of a data set.

    Args:
        dataset: what a reader returned.
        input_size: `(height, width)` of the network's input.
        augmentation: augmentation, or None for the fitted image as it is.
        seed: with the epoch and the image's place it decides every random draw.
        max_objects: boxes per image after padding; the data set's own maximum when None. Further boxes
            are dropped, after a warning.
        cache_bytes: decoded images are kept in memory up to this size.
        on_problem: called once for each image that cannot be used, see `ImageStore`.
    """

    def __init__(
        self,
        dataset: DetectionDataset,
        input_size: Size,
        *,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        max_objects: int | None = None,
        cache_bytes: int = 2**30,
        on_problem: OnProblem | None = None,
    ):
        self.samples = dataset.samples
        self.input_size = tuple(input_size)
        self.augmentation = augmentation
        self.seed = seed
        most = max(len(sample.boxes.labels) for sample in self.samples)
        self.max_objects = max(1, most) if max_objects is None else max_objects
        if most > self.max_objects:
            log.warning("an image has %d boxes, of which max_objects=%d are kept", most, self.max_objects)
        min_visible = 0.0 if augmentation is None else augmentation.min_visible
        self.gives_visible = min_visible is None  # the codec decides
        self.min_visible = min_visible or 0.0
        self.can_ignore = self.min_visible > 0 or any(s.boxes.ignore.any() for s in self.samples)
        self.images = ImageStore(dataset.paths, dataset.sizes, cache_bytes, on_problem)

    @property
    def annotations(self) -> dict[str, tuple]:
        """Shape and type of each annotation of one image."""
        n = self.max_objects
        found = {"boxes": ((n, 4), np.float32), "labels": ((n,), np.int32)}
        if self.can_ignore:
            found["ignore"] = ((n,), np.bool_)
        if self.gives_visible:
            found["visible"] = ((n,), np.float32)
        return found

    def load(self, epoch: int, place: int) -> tuple[np.ndarray, ...]:
        """One training example.

        Returns:
            image `(height, width, 3)` float32, boxes `(max_objects, 4)` float32 in input pixels, labels
            `(max_objects,)` int32; if anything can be ignored, ignore `(max_objects,)` bool; and, if the
            recipe leaves it to the codec what is seen well enough, visible `(max_objects,)` float32, the
            share of each box's area that is left. A broken image is reported once and replaced by the next.
        """
        place, image = self.images.first_usable(place)
        sample = self.samples[place]
        rng = np.random.default_rng([self.seed, epoch, place])
        if self.augmentation is None:
            view = fit_view(image.shape[:2], self.input_size)
        else:
            objects = sample.boxes.xyxy[~sample.boxes.ignore]
            view = self.augmentation.draw(image.shape[:2], self.input_size, rng, objects)
        shown = view.apply(image)
        if self.augmentation is not None:
            shown = augment_color(
                shown, rng, jitter=self.augmentation.jitter, lighting=self.augmentation.lighting
            )
        boxes, visible = boxes_and_fractions(sample.boxes, image.shape[:2], view, self.min_visible)
        found = {"boxes": boxes.xyxy, "labels": boxes.labels, "ignore": boxes.ignore, "visible": visible}
        return (shown.astype(np.float32), *(self._padded(name, found[name]) for name in self.annotations))

    def _padded(self, name, values):
        shape, kind = self.annotations[name]
        padded = np.full(shape, -1 if name == "labels" else 0, kind)
        count = min(len(values), self.max_objects)
        padded[:count] = values[:count]
        return padded


def move_boxes(boxes: Boxes, image_size: Size, view, min_visible: float) -> Boxes:
    """Boxes in input pixels, clipped to the image and the input; those with nothing left are dropped.

    A box of which less than `min_visible` of the area is left is marked to be ignored.
    """
    return boxes_and_fractions(boxes, image_size, view, min_visible)[0]


def boxes_and_fractions(boxes: Boxes, image_size: Size, view, min_visible: float) -> tuple[Boxes, np.ndarray]:
    """As `move_boxes`, and the share of each box's area on the image that is left, `(n,)` float32."""
    height, width = image_size
    rows, columns = view.input_size
    inside = np.clip(boxes.xyxy, 0, [width, height, width, height])
    moved = transform_boxes(view.input_from_image, inside)
    clipped = np.clip(moved, 0, [columns, rows, columns, rows])

    def area(b):
        return np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1)

    left = area(clipped) > 0
    ignore = boxes.ignore | (area(clipped) < min_visible * area(moved))
    fraction = area(clipped)[left] / area(moved)[left]
    moved = Boxes(clipped[left].astype(np.float32), boxes.labels[left], ignore[left])
    return moved, fraction.astype(np.float32)
