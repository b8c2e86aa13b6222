"""The keypoints on an image."""

from dataclasses import dataclass

import numpy as np

from keras_cornernet.structures.record import Record


@dataclass(frozen=True, eq=False)
class Keypoints(Record):
    """The annotated keypoints of the objects on one image, in the order of its `Boxes`.

    Attributes:
        xy: `(n, k, 2)` float32, image pixels.
        visibility: `(n, k)` int32: 0 not annotated, 1 annotated but hidden, 2 visible (as in COCO).

    Raises:
        ValueError: the shapes do not belong together.
    """

    xy: np.ndarray
    visibility: np.ndarray

    def __post_init__(self) -> None:
        if self.visibility.ndim != 2 or self.xy.shape != (*self.visibility.shape, 2):
            raise ValueError(
                "Keypoints: expected the shapes (n, k, 2) and (n, k), got "
                f"{self.xy.shape} and {self.visibility.shape}"
            )

    def __len__(self) -> int:
        return len(self.visibility)
