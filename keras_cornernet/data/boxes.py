"""Training examples with boxes: one image at a time, augmented and padded."""

import logging
from typing import NamedTuple

import numpy as np

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.draws import Draw, Rectangle, color_of
from keras_cornernet.data.loader import Loader
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.ops.affine import transform_boxes
from keras_cornernet.preprocessing import Size, View, fit_view
from keras_cornernet.structures import Boxes, DetectionDataset, OnProblem

log = logging.getLogger(__name__)

Augmentation = CornerNetCrop | SmallDataAugmentation | SaccadeCrop | PhotoAugmentation

MOSAIC_OBJECTS = 96  # room for the boxes of four images, where no number is given


class BoxRules(NamedTuple):
    """Which boxes are ignored or left out once they have moved.

    Attributes:
        min_visible: a smaller visible fraction of the area is ignored.
        min_kept: a box with a smaller visible fraction is left out, unless it is ignored anyway.
        min_side: a shorter side in input pixels is ignored.
    """

    min_visible: float = 0.0
    min_kept: float = 0.0
    min_side: float = 0.0


class BoxLoader(Loader):
    """Draws, shows and annotates one image of a data set; boxes are padded.

    Args:
        dataset: what a reader returned.
        input_size: `(height, width)` of the network's input.
        augmentation: of the image, or None to fit the whole image into the input.
        seed: every random draw follows from it, the epoch and the image's index.
        max_objects: boxes per image after padding; None takes the largest number in the data set, and more
            for mosaics. Further boxes are left out with a warning; mosaics with more boxes are not made.
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
        self.makes_mosaics = hasattr(augmentation, "draw_mosaic")
        counts = sorted((len(sample.boxes.labels) for sample in self.samples), reverse=True)
        most = counts[0]
        if max_objects is None:
            room = min(sum(counts[:4]), MOSAIC_OBJECTS) if self.makes_mosaics else 0
            max_objects = max(1, most, room)
        self.max_objects = max_objects
        if most > self.max_objects:
            log.warning("an image has %d boxes, of which max_objects=%d are kept", most, self.max_objects)
        min_visible = getattr(augmentation, "min_visible", 0.0)
        self.gives_visible = min_visible is None  # the codec decides
        self.rules = BoxRules(
            min_visible or 0.0, getattr(augmentation, "min_kept", 0.0), getattr(augmentation, "min_side", 0.0)
        )
        self.can_ignore = any(self.rules) or any(s.boxes.ignore.any() for s in self.samples)
        self.names = dataset.names
        self.leaves_out_classes = any(sample.labelled is not None for sample in self.samples)
        self.clips_colors = getattr(augmentation, "clips_colors", False)

    @property
    def annotations(self) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of each annotation of one image.

        Boxes `(max_objects, 4)` are float32 in input pixels and labels `(max_objects,)` int32, -1 for
        padding. If anything can be ignored there is ignore `(max_objects,)` bool; if the augmentation lets
        the codec decide which boxes are visible enough there is visible `(max_objects,)` float32, the visible
        fraction of each box's area. If some images leave classes unlabelled there is class_mask
        `(num_classes,)` float32, 0 for a class that one of the images shown leaves out.
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
        if self.leaves_out_classes:
            found["class_mask"] = ((len(self.names),), np.float32)
        return found

    def draw(self, epoch: int, index: int, *, progress: float = 0.0, input_size: Size | None = None) -> Draw:
        """Draws an image in numbers, see `Loader.draw`."""
        input_size = input_size or self.input_size
        index, size = self.images.usable_size(index)
        augmentation = self.augmentation
        if augmentation is None:
            return Draw((index,), (fit_view(size, input_size),))
        rng = np.random.default_rng([self.seed, epoch, index])
        indices: tuple[int, ...] = (index,)
        if self.makes_mosaics and augmentation.draws_mosaic(progress, rng):
            indices = self._mosaic_of(index, rng)
        if len(indices) > 1:
            sizes = [self.images.usable_size(i)[1] for i in indices]
            views = augmentation.draw_mosaic(sizes, input_size, rng)
        else:
            boxes = self.samples[index].boxes
            views = (augmentation.draw(size, input_size, rng, boxes.xyxy[~boxes.ignore]),)
        color = color_of(augmentation, rng)
        fill = augmentation.draw_fill(rng) if hasattr(augmentation, "draw_fill") else (0, 0, 0)
        return Draw(indices, views, color, fill)

    def _mosaic_of(self, index: int, rng: np.random.Generator) -> tuple[int, ...]:
        """The image among three others, or alone if there is no room for the boxes of all."""
        indices = rng.integers(len(self.samples), size=3).tolist()
        indices.insert(int(rng.integers(4)), index)
        # Those that are found unusable later on count too, so that no draw depends on when that is.
        if sum(len(self.samples[i].boxes.labels) for i in indices) > self.max_objects:
            return (index,)
        return tuple(self.images.usable_size(i)[0] for i in indices)

    def annotate(self, draw: Draw) -> tuple[np.ndarray, ...]:
        """The boxes of a draw, clipped and padded, see `annotations`."""
        parts = [
            boxes_and_fractions(
                self.samples[index].boxes, self.images.usable_size(index)[1], view, self.rules, clip
            )
            for index, view, clip in zip(draw.indices, draw.views, draw.clips, strict=True)
        ]
        found = {
            "boxes": np.concatenate([boxes.xyxy for boxes, _ in parts]),
            "labels": np.concatenate([boxes.labels for boxes, _ in parts]),
            "ignore": np.concatenate([boxes.ignore for boxes, _ in parts]),
            "visible": np.concatenate([fractions for _, fractions in parts]),
        }
        if self.leaves_out_classes:
            found["class_mask"] = self._class_mask(draw)
        return tuple(self._padded(name, found[name]) for name in self.annotations)

    def _class_mask(self, draw: Draw) -> np.ndarray:
        """`(num_classes,)` float32, 1 for classes that are labelled on all images of a draw."""
        mask = np.ones(len(self.names), np.float32)
        for index in draw.indices:
            labelled = self.samples[index].labelled
            if labelled is not None:
                mask *= labelled
        return mask

    def _padded(self, name: str, values: np.ndarray) -> np.ndarray:
        shape, dtype = self.annotations[name]
        padded: np.ndarray = np.full(shape, -1 if name == "labels" else 0, dtype)
        count = min(len(values), shape[0])
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
    return boxes_and_fractions(boxes, image_size, view, BoxRules(min_visible))[0]


def boxes_and_fractions(
    boxes: Boxes, image_size: Size, view: View, rules: BoxRules, clip: Rectangle | None = None
) -> tuple[Boxes, np.ndarray]:
    """Does as `move_boxes`, and returns the visible fraction of each box's area, too, `(n,)` float32.

    Boxes are clipped to the rectangle `clip` of the input, or to all of it.
    """
    height, width = image_size
    rows, columns = view.input_size
    x1, y1, x2, y2 = clip or (0, 0, columns, rows)
    moved = transform_boxes(view.input_from_image, _clip(boxes.xyxy, (0, 0, width, height)))
    clipped = _clip(moved, (x1, y1, x2, y2))
    sides, full_sides = (np.maximum(each[:, 2:] - each[:, :2], 0) for each in (clipped, moved))
    area, full_area = sides[:, 0] * sides[:, 1], full_sides[:, 0] * full_sides[:, 1]
    left = (area > 0) & (boxes.ignore | (area >= rules.min_kept * full_area))
    ignore = boxes.ignore | (area < rules.min_visible * full_area)
    if rules.min_side:
        ignore |= np.minimum(sides[:, 0], sides[:, 1]) < rules.min_side
    visible = Boxes(clipped[left].astype(np.float32), boxes.labels[left], ignore[left])
    return visible, (area[left] / full_area[left]).astype(np.float32)


def _clip(xyxy: np.ndarray, rectangle: Rectangle) -> np.ndarray:
    """Boxes cut at the sides of a rectangle; several times faster than `np.clip` with lists."""
    x1, y1, x2, y2 = rectangle
    low = np.array((x1, y1, x1, y1), np.float32)
    high = np.array((x2, y2, x2, y2), np.float32)
    clipped: np.ndarray = np.minimum(np.maximum(xyxy, low), high)
    return clipped
