"""Training examples with boxes: one image at a time, augmented and padded."""

import logging

import numpy as np

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.draws import Draw, Rectangle, color_of
from keras_cornernet.data.loader import Loader
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.ops.affine import transform_boxes
from keras_cornernet.preprocessing import Size, View, fit_view
from keras_cornernet.structures import Boxes, DetectionDataset, OnProblem

log = logging.getLogger(__name__)

Augmentation = CornerNetCrop | SmallDataAugmentation | SaccadeCrop


class BoxLoader(Loader):
    """Draws, shows and annotates one image of a data set; boxes are padded.

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
        super().__init__(dataset, input_size, augmentation, seed, cache_bytes, on_problem)
        most = max(len(sample.boxes.labels) for sample in self.samples)
        self.max_objects = max(1, most) if max_objects is None else max_objects
        if most > self.max_objects:
            log.warning("an image has %d boxes, of which max_objects=%d are kept", most, self.max_objects)
        min_visible = getattr(augmentation, "min_visible", 0.0)
        self.gives_visible = min_visible is None  # the codec decides
        self.min_visible = min_visible or 0.0
        self.can_ignore = self.min_visible > 0 or any(s.boxes.ignore.any() for s in self.samples)
        self.clips_colors = getattr(augmentation, "clips_colors", False)

    @property
    def annotations(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of each annotation of one image.

        Boxes `(max_objects, 4)` are float32 in input pixels and labels `(max_objects,)` int32, -1 for
        padding. If anything can be ignored there is ignore `(max_objects,)` bool; if the augmentation lets
        the codec decide which boxes are visible enough there is visible `(max_objects,)` float32, the visible
        fraction of each box's area.
        """
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

    def draw(self, epoch: int, index: int, *, progress: float = 0.0, input_size: Size | None = None) -> Draw:
        """Draws an image in numbers, see `Loader.draw`."""
        input_size = input_size or self.input_size
        index, size = self.images.usable_size(index)
        augmentation = self.augmentation
        if augmentation is None:
            return Draw((index,), (fit_view(size, input_size),))
        rng = np.random.default_rng([self.seed, epoch, index])
        boxes = self.samples[index].boxes
        view = augmentation.draw(size, input_size, rng, boxes.xyxy[~boxes.ignore])
        return Draw((index,), (view,), color_of(augmentation, rng))

    def annotate(self, draw: Draw) -> tuple[np.ndarray, ...]:
        """The boxes of a draw, clipped and padded, see `annotations`."""
        parts = [
            boxes_and_fractions(
                self.samples[index].boxes, self.images.usable_size(index)[1], view, self.min_visible, clip
            )
            for index, view, clip in zip(draw.indices, draw.views, draw.clips, strict=True)
        ]
        found = {
            "boxes": np.concatenate([boxes.xyxy for boxes, _ in parts]),
            "labels": np.concatenate([boxes.labels for boxes, _ in parts]),
            "ignore": np.concatenate([boxes.ignore for boxes, _ in parts]),
            "visible": np.concatenate([fractions for _, fractions in parts]),
        }
        return tuple(self._padded(name, found[name]) for name in self.annotations)

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
    boxes: Boxes, image_size: Size, view: View, min_visible: float, clip: Rectangle | None = None
) -> tuple[Boxes, np.ndarray]:
    """Does as `move_boxes`, and returns the visible fraction of each box's area, too, `(n,)` float32.

    Boxes are clipped to the rectangle `clip` of the input, or to all of it.
    """
    height, width = image_size
    rows, columns = view.input_size
    x1, y1, x2, y2 = clip or (0, 0, columns, rows)
    inside = np.clip(boxes.xyxy, 0, [width, height, width, height])
    moved = transform_boxes(view.input_from_image, inside)
    clipped = np.clip(moved, [x1, y1, x1, y1], [x2, y2, x2, y2])
    area, full_area = _areas(clipped), _areas(moved)
    left = area > 0
    ignore = boxes.ignore | (area < min_visible * full_area)
    visible = Boxes(clipped[left].astype(np.float32), boxes.labels[left], ignore[left])
    return visible, (area[left] / full_area[left]).astype(np.float32)


def _areas(xyxy: np.ndarray) -> np.ndarray:
    return np.asarray(np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0), axis=1))
