"""What a data set says of boxes."""

from typing import NamedTuple

import numpy as np


class Categories(NamedTuple):
    """The classes of a data set.

    Attributes:
        names: one name per label; label `i` is `names[i]`.
        ids: the data set's own category id of each label (COCO ids have gaps, labels have none).
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]


class Boxes(NamedTuple):
    """Annotated boxes of one image.

    Attributes:
        xyxy: `(n, 4)` float32, image pixels.
        labels: `(n,)` int32, from 0.
        ignore: `(n,)` bool; crowd regions and over-clipped boxes, neither taught nor counted.
    """

    xyxy: np.ndarray
    labels: np.ndarray
    ignore: np.ndarray

    @classmethod
    def empty(cls) -> "Boxes":
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))
