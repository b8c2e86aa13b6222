"""Training examples with boxes: one image at a time, augmented and padded."""

import logging

import numpy as np

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.color import augment_color
from keras_cornernet.data.image_store import ImageStore
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.ops.affine import transform_boxes
from keras_cornernet.preprocessing import Size, View, fit_view
from keras_cornernet.structures import Boxes, DetectionDataset, OnProblem

log = logging.getLogger(__name__)

Augmentation = CornerNetCrop | SmallDataAugmentation | SaccadeCrop


class BoxLoader:
    """Reads, augments and pads one image of a data set.

    Args:
        dataset: what a reader returned.
        input_size: `(height, width)` of the network's input.
        augmentation: of the image, or None to fit the whole image into the input.
        seed: every random draw follows from it, the epoch and the image's index.
        max_objects: boxes per image after padding; None takes the largest number in the data set. Further
            boxes are left out with a warning.
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
        height, width = input_size
        self.input_size: Size = (height, width)
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
    def annotations(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of each annotation of one image."""
        n = self.max_objects
        found: dict[str, tuple[tuple[int, ...], type]] = {
            "boxes": ((n, 4), np.float32),
            "labels": ((n,), np.int32),
        }
        if self.can_ignore:
            found["ignore"] = ((n,), np.bool_)
        if self.gives_visible:
            found["visible"] = ((n,), np.float32)
        return found

    def load(self, epoch: int, index: int) -> tuple[np.ndarray, ...]:
        """Makes one training example.

        Args:
            epoch: the number of the pass over the data.
            index: of the image. An image that cannot be used is replaced by the next one.

        Returns:
            The image, `(height, width, 3)` float32, and then what `annotations` lists: boxes `(max_objects,
            4)` float32 in input pixels; labels `(max_objects,)` int32; if anything can be ignored, ignore
            `(max_objects,)` bool; and if the augmentation lets the codec decide which boxes are visible
            enough, visible `(max_objects,)` float32, the visible fraction of each box's area.
        """
        index, image = self.images.first_usable(index)
        sample = self.samples[index]
        rng = np.random.default_rng([self.seed, epoch, index])
        height, width, _ = image.shape
        if self.augmentation is None:
            view = fit_view((height, width), self.input_size)
        else:
            objects = sample.boxes.xyxy[~sample.boxes.ignore]
            view = self.augmentation.draw((height, width), self.input_size, rng, objects)
        shown = view.apply(image)
        if self.augmentation is not None:
            shown = augment_color(
                shown, rng, jitter=self.augmentation.jitter, lighting=self.augmentation.lighting
            )
        boxes, visible = boxes_and_fractions(sample.boxes, (height, width), view, self.min_visible)
        found = {"boxes": boxes.xyxy, "labels": boxes.labels, "ignore": boxes.ignore, "visible": visible}
        return (shown.astype(np.float32), *(self._padded(name, found[name]) for name in self.annotations))

    def _padded(self, name: str, values: np.ndarray) -> np.ndarray:
        shape, dtype = self.annotations[name]
        padded: np.ndarray = np.full(shape, -1 if name == "labels" else 0, dtype)
        count = min(len(values), self.max_objects)
        padded[:count] = values[:count]
        return padded


def move_boxes(boxes: Boxes, image_size: Size, view: View, min_visible: float) -> Boxes:
    """Moves boxes to input pixels and clips them to the image and the input; boxes outside are left out.

    Args:
        boxes: in image pixels.
        image_size: `(height, width)`.
        view: the placement of the image in the input.
        min_visible: a box of which a smaller fraction of the area is visible is marked as ignored.
    """
    return boxes_and_fractions(boxes, image_size, view, min_visible)[0]


def boxes_and_fractions(
    boxes: Boxes, image_size: Size, view: View, min_visible: float
) -> tuple[Boxes, np.ndarray]:
    """Does as `move_boxes`, and returns the visible fraction of each box's area, too, `(n,)` float32."""
    height, width = image_size
    rows, columns = view.input_size
    inside = np.clip(boxes.xyxy, 0, [width, height, width, height])
    moved = transform_boxes(view.input_from_image, inside)
    clipped = np.clip(moved, 0, [columns, rows, columns, rows])
    area, full_area = _areas(clipped), _areas(moved)
    left = area > 0
    ignore = boxes.ignore | (area < min_visible * full_area)
    visible = Boxes(clipped[left].astype(np.float32), boxes.labels[left], ignore[left])
    return visible, (area[left] / full_area[left]).astype(np.float32)


def _areas(xyxy: np.ndarray) -> np.ndarray:
    return np.asarray(np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0), axis=1))
