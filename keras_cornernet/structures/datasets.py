"""What readers return: images with boxes, and people with keypoints."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures.boxes import Boxes, Categories
from keras_cornernet.structures.keypoints import Keypoints

# Wraps what a loop goes over and shows how far it is, such as `tqdm.tqdm`; `list` shows nothing.
Progress = Callable[[Sequence], Iterable]


class _Replaceable:
    def replace(self, **changes: Any) -> Self:
        """The same with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True, eq=False)
class Sample(_Replaceable):
    """One image of a data set, not yet read.

    Attributes:
        path: file of the image.
        image_id: the data set's own id.
        size: `(height, width)` in pixels as the annotations state it (after EXIF rotation), or None.
        boxes: the annotated `Boxes`.
        keypoints: the annotated `Keypoints`, or None.
    """

    path: str
    image_id: int
    size: tuple[int, int] | None
    boxes: Boxes
    keypoints: Keypoints | None = None


@dataclass(frozen=True, eq=False)
class DetectionDataset(_Replaceable):
    """What a reader returns.

    Attributes:
        samples: the images in a fixed order.
        categories: the classes.
        problems: one plain sentence for each thing that was wrong and left out, naming file and place.
    """

    samples: tuple[Sample, ...]
    categories: Categories
    problems: tuple[str, ...] = ()
    noun: ClassVar[str] = "images"

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.categories.names

    @property
    def paths(self) -> tuple[str, ...]:
        """The file of each image."""
        return tuple(sample.path for sample in self.samples)

    def select(self, indices: Iterable[int]) -> Self:
        """The data set of the images at these indices."""
        return self.replace(samples=tuple(self.samples[index] for index in indices))


@dataclass(frozen=True, eq=False)
class Person(_Replaceable):
    """One annotated person, not yet read: what a pose network is shown and what it should answer.

    Every convention of the data sets (MPII's shifted centre, units of 200 pixels, boxes) ends in the square
    of `center` and `side`, and every index base in pixels that count from 0.

    Attributes:
        path: file of the image.
        image_id: the data set's own id of the image.
        center: `(2,)` float32 x, y of the square crop's middle, image pixels.
        side: of the square crop, image pixels.
        keypoints: `(k, 2)` float32, image pixels; 0 where a joint is not annotated.
        visibility: `(k,)` int32: 0 not annotated, 1 annotated but hidden, 2 visible (as COCO).
        box: `(4,)` float32 `xyxy` of the whole person, or None.
        area: of the person's outline in square pixels, for object keypoint similarity, or None.
        head_size: 0.6 of the head box's diagonal, the unit of PCKh, or None.
        image_size: `(height, width)` of the image as the annotations state it (after EXIF rotation), or None.
    """

    path: str
    image_id: int
    center: np.ndarray
    side: float
    keypoints: np.ndarray
    visibility: np.ndarray
    box: np.ndarray | None = None
    area: float | None = None
    head_size: float | None = None
    image_size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class PoseDataset(_Replaceable):
    """What a reader of poses returns.

    Attributes:
        people: in a fixed order.
        skeleton: names, limbs and left-right pairs of their joints.
        problems: one plain sentence for each thing that was wrong and left out, naming file and place.
    """

    people: tuple[Person, ...]
    skeleton: Skeleton
    problems: tuple[str, ...] = ()
    noun: ClassVar[str] = "people"

    def __len__(self) -> int:
        return len(self.people)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the joints."""
        return self.skeleton.joints

    @property
    def paths(self) -> tuple[str, ...]:
        """The file of each person's image."""
        return tuple(person.path for person in self.people)

    def select(self, indices: Iterable[int]) -> Self:
        """The data set of the people at these indices."""
        return self.replace(people=tuple(self.people[index] for index in indices))
