"""What a data set says of keypoints."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Annotated keypoints of one image, in step with its `Boxes`.

    Attributes:
        xy: `(n, k, 2)` float32, image pixels.
        visibility: `(n, k)` int32: 0 not annotated, 1 annotated but hidden, 2 visible (as COCO).
    """

    xy: np.ndarray
    visibility: np.ndarray
