"""Where images lie in the inputs of a network."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.preprocessing import Size
from keras_cornernet.tensors import Tensor


class Placement(NamedTuple):
    """How images lie in the inputs of a network.

    Attributes:
        image_from_input: `(batch, 2, 3)` float32 affines from input to image pixels, without rotation.
        image_size: `(batch, 2)` float32, heights and widths of the images.
    """

    image_from_input: Tensor
    image_size: Tensor


def placement_of(views: Sequence[Any], image_sizes: Sequence[Size]) -> Placement:
    """The placement of images.

    Args:
        views: have `image_from_input`, such as `preprocessing.View`.
        image_sizes: `(height, width)` of each image.
    """
    affines = np.stack([view.image_from_input for view in views])
    return Placement(affines.astype(np.float32), np.array(image_sizes, np.float32))
