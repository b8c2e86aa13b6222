"""Where sprites are placed, which pixels they cover there, and which joints are visible."""

from typing import NamedTuple

import numpy as np

from keras_cornernet.data.scenes.canvas import Sprite
from keras_cornernet.data.scenes.dice import between, chance
from keras_cornernet.data.scenes.props import draw_seat
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import LSP


class Placed(NamedTuple):
    """A sprite at a position in the image.

    Attributes:
        sprite: the person or thing.
        left, top: of the sprite, image pixels.
    """

    sprite: Sprite
    left: int
    top: int

    @property
    def joints(self) -> np.ndarray:
        """`(14, 2)` float32, image pixels; `(0, 2)` for a thing."""
        return self.sprite.joints + np.array((self.left, self.top), np.float32)


def place(rng: np.random.Generator, sprite: Sprite, size: Size, ground: float) -> Placed:
    """Places a sprite at a random column; its lower edge is near the row `ground`."""
    height, width = size
    ground += between(rng, -0.03, 0.03) * height
    if chance(rng, 0.8):  # most stand inside of the image; the feet of the others may be cut off
        ground = min(ground, height * between(rng, 0.9, 1.02))
    left = between(rng, -0.02, 1.02) * width - sprite.image.width / 2
    return Placed(sprite, round(left), round(ground - sprite.image.height))


def seat_below(rng: np.random.Generator, person: Placed, seat: float) -> Placed | None:
    """Places a block under a sitting person, from `seat` pixels below the sprite's top down to the feet."""
    hips = person.sprite.joints[2:4, 0]
    wide = 0.45 * person.sprite.image.height
    tall = person.sprite.image.height - seat
    if tall < 2:
        return None
    block = draw_seat(rng, wide, tall)
    left = round(person.left + float(hips.mean()) - wide / 2)
    return None if block is None else Placed(block, left, round(person.top + seat))


def in_frame(placed: Placed, size: Size) -> np.ndarray:
    """The sprite's silhouette in the image, `(height, width)` bool."""
    frame = np.zeros(size, bool)
    mask, left, top = placed.sprite.mask, placed.left, placed.top
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + mask.shape[1], size[1]), min(top + mask.shape[0], size[0])
    if x1 < x2 and y1 < y2:
        frame[y1:y2, x1:x2] = mask[y1 - top : y2 - top, x1 - left : x2 - left]
    return frame


def joint_visibility(person: Placed, covered: np.ndarray) -> np.ndarray:
    """COCO's visibility of each joint.

    A covered joint is annotated (1) if a limb connects it to a visible one; else its position could not be
    known, and as in annotated photographs it is not annotated (0).

    Args:
        person: whose joints they are.
        covered: `(height, width)` bool, the pixels that nearer sprites cover.

    Returns:
        `(14,)` int32.
    """
    height, width = covered.shape
    columns, rows = np.floor(person.joints).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    visible = inside & ~covered[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    inferable = visible.copy()
    for a, b in LSP.limbs:
        inferable[[a, b]] |= visible[[b, a]]
    return np.where(visible, 2, np.where(inside & inferable, 1, 0)).astype(np.int32)
