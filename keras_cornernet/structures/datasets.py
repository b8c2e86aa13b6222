"""What readers return: images with boxes, and people with keypoints."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures.boxes import Boxes, Categories
from keras_cornernet.structures.problem import Problem
from keras_cornernet.structures.record import Record

PADDING = 1.25  # the side of a person's square, divided by the longer side of the box
# Wraps what a loop runs over and shows its progress, such as `tqdm.tqdm`; `list` shows nothing.
Progress = Callable[[Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True)
class DatasetPart:
    """One of the sets that a data set was joined from; its examples follow those of the part before it.

    Attributes:
        name: for people.
        count: of its examples.
        weight: the fraction of them that an epoch of training shows.
    """

    name: str
    count: int
    weight: float = 1.0


@runtime_checkable
class Dataset(Protocol):
    """What every task's data set has, so that training, checking and evaluation need not know the task."""

    noun: ClassVar[str]
    """What its items are called in messages, in the plural."""

    annotation_noun: ClassVar[str]
    """What an annotation is called in messages, in the singular."""

    @property
    def parts(self) -> tuple[DatasetPart, ...]:
        """The sets that it was joined from, or nothing."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong in the annotations and is left out."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what a model learns to find."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The image of each item."""

    @property
    def sizes(self) -> tuple[tuple[int, int] | None, ...]:
        """`(height, width)` of each item's image as the annotations state it, or None."""

    @property
    def annotation_count(self) -> int:
        """How many boxes or people are annotated, without ignored ones."""

    def __len__(self) -> int: ...

    def select(self, indices: Iterable[int]) -> Self:
        """The items at these indices, in this order."""


@dataclass(frozen=True, eq=False)
class Sample(Record):
    """One image of a data set with its boxes; the file is not yet read.

    Attributes:
        path: the image file.
        image_id: the data set's own id of the image.
        size: `(height, width)` in pixels as the annotations state it (after EXIF rotation), or None.
        boxes: the annotated boxes.
        labelled: `(num_classes,)` bool, the classes whose objects are labelled on this image; None for all.
        partial: only some objects are labelled, with ignored boxes around them, as where one person of a
            photograph is annotated.
    """

    path: str
    image_id: int
    size: tuple[int, int] | None
    boxes: Boxes
    labelled: np.ndarray | None = None
    partial: bool = False


@dataclass(frozen=True, eq=False)
class DetectionDataset(Record):
    """Images with boxes, as a reader returns them.

    Attributes:
        samples: the images, in a fixed order.
        categories: the classes.
        problems: what was wrong in the annotations and is left out.
        parts: the sets that it was joined from, see `data.joining`.
    """

    samples: tuple[Sample, ...]
    categories: Categories
    problems: tuple[Problem, ...] = ()
    parts: tuple[DatasetPart, ...] = ()

    noun: ClassVar[str] = "images"
    annotation_noun: ClassVar[str] = "box"

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

    @property
    def sizes(self) -> tuple[tuple[int, int] | None, ...]:
        """`(height, width)` of each image as the annotations state it, or None."""
        return tuple(sample.size for sample in self.samples)

    @property
    def annotation_count(self) -> int:
        """How many boxes there are, without the ignored ones."""
        return sum(int((~sample.boxes.ignore).sum()) for sample in self.samples)

    @property
    def annotated(self) -> tuple[bool, ...]:
        """Whether each image has a box, an ignored one too."""
        return tuple(len(sample.boxes) > 0 for sample in self.samples)

    def select(self, indices: Iterable[int]) -> "DetectionDataset":
        """The images at these indices, in this order."""
        return self.replace(samples=tuple(self.samples[i] for i in indices), parts=())


@dataclass(frozen=True, eq=False)
class Person(Record):
    """One annotated person; the image file is not yet read.

    The conventions of the data sets (MPII's shifted centre, units of 200 pixels, boxes) have been turned into
    one: a square of `center` and `side`. All coordinates are in pixels that count from 0.

    Attributes:
        path: the image file.
        image_id: the data set's own id of the image.
        center: `(2,)` float32 x, y of the middle of the square crop, image pixels.
        side: of the square crop, image pixels.
        keypoints: `(k, 2)` float32, image pixels; 0 where a joint is not annotated.
        visibility: `(k,)` int32: 0 not annotated, 1 annotated but hidden, 2 visible (as in COCO).
        box: `(4,)` float32 `xyxy` of the whole person, or None.
        area: of the person's outline in square pixels, for object keypoint similarity, or None.
        head_size: 0.6 of the head box's diagonal, the unit of PCKh, or None.
        image_size: `(height, width)` of the image as the annotations state it (after EXIF rotation), or None.
        category: what it is, such as `"horse"`, or None where the data set does not say.
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
    category: str | None = None

    @property
    def annotated_box(self) -> np.ndarray:
        """`(4,)` the box, or where there is none one that gives the same square with the usual padding."""
        if self.box is not None:
            return self.box
        half = self.side / PADDING / 2
        return np.concatenate([self.center - half, self.center + half])


@dataclass(frozen=True, eq=False)
class PoseDataset(Record):
    """People with keypoints, as a reader returns them.

    Attributes:
        people: in a fixed order.
        skeleton: names, limbs and left-right pairs of their joints.
        problems: what was wrong in the annotations and is left out.
        parts: the sets that it was joined from, see `data.joining`.
    """

    people: tuple[Person, ...]
    skeleton: Skeleton
    problems: tuple[Problem, ...] = ()
    parts: tuple[DatasetPart, ...] = ()

    noun: ClassVar[str] = "people"
    annotation_noun: ClassVar[str] = "person"

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

    @property
    def sizes(self) -> tuple[tuple[int, int] | None, ...]:
        """`(height, width)` of each person's image as the annotations state it, or None."""
        return tuple(person.image_size for person in self.people)

    @property
    def annotation_count(self) -> int:
        """How many people there are."""
        return len(self.people)

    @property
    def annotated(self) -> tuple[bool, ...]:
        """That each person is annotated: a reader lists no others."""
        return (True,) * len(self.people)

    def select(self, indices: Iterable[int]) -> "PoseDataset":
        """The people at these indices, in this order."""
        return self.replace(people=tuple(self.people[i] for i in indices), parts=())
