"""What a command needs of a result, whatever the task."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

from keras_cornernet.results.speed import Speed

if TYPE_CHECKING:
    from keras_cornernet.results.detections import Detections
    from keras_cornernet.results.poses import Poses


@runtime_checkable
class Result(Protocol):
    """What a model found on one image.

    `Detections` and `Poses` are results. The class of another task needs these members and no more. It has
    most of them, and the behaviour of a sequence, if it inherits from `ImageResult`.
    """

    @property
    def image(self) -> np.ndarray | None:
        """`(height, width, 3)` uint8 RGB, or None where it was not kept."""

    @property
    def path(self) -> str | None:
        """Where the image was read from, or None for an array."""

    @property
    def speed(self) -> Speed | None:
        """The time that it took, or None if it was not measured."""

    @property
    def noun(self) -> str:
        """What is counted, in the plural, such as "people"."""

    def __len__(self) -> int:
        """How many objects were found."""

    def with_min_score(self, score: float) -> Self:
        """The objects whose score is at least `score`."""

    def save(self, path: str | Path) -> Path:
        """Writes the image with the objects drawn on it; the suffix of `path` picks the format."""

    def to_coco(self, image_id: int) -> list[dict[str, Any]]:
        """The objects in COCO's result form."""


if TYPE_CHECKING:

    def _are_results(detections: Detections, poses: Poses) -> tuple[Result, Result]:
        """Holds the two classes to the protocol when types are checked."""
        return detections, poses
