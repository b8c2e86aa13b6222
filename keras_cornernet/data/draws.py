"""What a training example will show, drawn as numbers before any pixel is touched.

`loader.draw(epoch, index)` returns a `Draw`; `loader.render(draw)` and `loader.annotate(draw)` make the image
and its annotations of it on the host. Another road (on the accelerator) can stack the numbers of many draws
into arrays and do the same there.
"""

from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.data.color import IDENTITY_COLOR, draw_color
from keras_cornernet.preprocessing import Size, View

Rectangle = tuple[int, int, int, int]
"""`x1, y1, x2, y2` in input pixels."""

HIDDEN_GREY = 127
"""Grey level of the rectangle that hides a part of a person."""


class Draw(NamedTuple):
    """A training example in numbers; a pure function of seed, epoch and index.

    Attributes:
        indices: of the images (or people) that are shown: that of the example, in a mosaic among three more.
        views: how each is placed. Its `visible` is the rectangle of the input that belongs to it; what the
            image does not cover there shows `fill`.
        color: `(3, 5)` float32. A pixel becomes `color[:, :3] @ rgb + color[:, 3] * grey_mean + color[:, 4]`,
            0..255, where `grey_mean` is the mean of `0.299 r + 0.587 g + 0.114 b` over the whole input before
            colours change, `fill` included.
        fill: RGB outside of the images, before colours change.
        mirrored: whether left and right joints are exchanged.
        hidden: a rectangle that is painted `HIDDEN_GREY` after colours have changed, or None.
    """

    indices: tuple[int, ...]
    views: tuple[View, ...]
    color: np.ndarray = IDENTITY_COLOR
    fill: tuple[int, int, int] = (0, 0, 0)
    mirrored: bool = False
    hidden: Rectangle | None = None

    @property
    def input_size(self) -> Size:
        """`(height, width)` of the input."""
        return self.views[0].input_size

    @property
    def clips(self) -> tuple[Rectangle, ...]:
        """The rectangle that boxes of each view are clipped to: its own in a mosaic, else the whole input."""
        if len(self.views) > 1:
            return tuple(view.visible for view in self.views)
        rows, columns = self.input_size
        return ((0, 0, columns, rows),)


def color_of(augmentation: Any, rng: np.random.Generator) -> np.ndarray:
    """Draws the colour map of an augmentation, see `Draw.color`.

    An augmentation may have a `draw_color(rng)` of its own. Others may have `jitter` and `lighting`, see
    `draw_color`, and `gain`, the smallest and largest factor of each colour channel.
    """
    if hasattr(augmentation, "draw_color"):
        color: np.ndarray = augmentation.draw_color(rng)
        return color
    color = draw_color(
        rng, jitter=getattr(augmentation, "jitter", 0.0), lighting=getattr(augmentation, "lighting", 0.0)
    )
    gain = getattr(augmentation, "gain", None)
    if gain is None:
        return color
    smallest, largest = gain
    return color * rng.uniform(smallest, largest, 3).astype(np.float32)[:, None]
