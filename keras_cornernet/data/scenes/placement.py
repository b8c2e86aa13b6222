"""Where sprites come to stand, which pixels they cover there, and which joints stay in sight."""

from typing import NamedTuple

import numpy as np

from keras_cornernet.data.scenes.canvas import Sprite
from keras_cornernet.data.scenes.dice import between, chance
from keras_cornernet.data.scenes.props import draw_seat
from keras_cornernet.skeletons import LSP


class Placed(NamedTuple):
    """A sprite with its top left corner on the image, pixels."""

    sprite: Sprite
    left: int
    top: int


def any_spot(rng: np.random.Generator, sprite: Sprite, size: tuple[int, int], ground: float) -> Placed:
    """Somewhere across the image, standing at about the row `ground`."""
    height, width = size
    ground += between(rng, -0.03, 0.03) * height
    if chance(rng, 0.8):  # most stand within the frame, the others lose their feet
        ground = min(ground, height * between(rng, 0.9, 1.02))
    left = between(rng, -0.02, 1.02) * width - sprite.image.width / 2
    return Placed(sprite, round(left), round(ground - sprite.image.height))


def seat_below(rng: np.random.Generator, person: Placed, seat: float) -> Placed | None:
    """A block under a sitting person, from `seat` pixels below its top down to its feet."""
    hips = person.sprite.joints[2:4, 0]
    wide = 0.45 * person.sprite.image.height
    tall = person.sprite.image.height - seat
    if tall < 2:
        return None
    block = draw_seat(rng, wide, tall)
    left = round(person.left + float(hips.mean()) - wide / 2)
    return block and Placed(block, left, round(person.top + seat))


def in_frame(spot: Placed, size: tuple[int, int]) -> np.ndarray:
    """The sprite's silhouette on the image, `(h, w)` bool."""
    frame = np.zeros(size, bool)
    mask, left, top = spot.sprite.mask, spot.left, spot.top
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + mask.shape[1], size[1]), min(top + mask.shape[0], size[0])
    if x1 < x2 and y1 < y2:
        frame[y1:y2, x1:x2] = mask[y1 - top : y2 - top, x1 - left : x2 - left]
    return frame


def joint_visibility(spot: Placed, covered: np.ndarray) -> np.ndarray:
    """COCO's flag per joint, given what nearer things cover.

    A covered joint is annotated (1) where one that a limb joins it to is in sight; else nobody could tell
    where it is, and as people who annotate photographs do, it is left out (0).
    """
    height, width = covered.shape
    columns, rows = np.floor(spot.sprite.joints + np.float32((spot.left, spot.top))).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    in_sight = inside & ~covered[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    told = in_sight.copy()
    for a, b in LSP.limbs:
        told[[a, b]] |= in_sight[[b, a]]
    return np.where(in_sight, 2, np.where(inside & told, 1, 0)).astype(np.int32)
