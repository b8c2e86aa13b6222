"""One scene: people and props are placed from near to far and painted from far to near.

Since near ones are placed first, it is known at once which pixels of the next one are hidden.
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_cornernet.checks import check_size
from keras_cornernet.data.scenes.backgrounds import paint_background
from keras_cornernet.data.scenes.dice import between, chance
from keras_cornernet.data.scenes.light import finish, paint_shadow
from keras_cornernet.data.scenes.person import draw_person
from keras_cornernet.data.scenes.placement import Placed, in_frame, joint_visibility, place, seat_below
from keras_cornernet.data.scenes.props import draw_prop
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Boxes, Keypoints

MIN_VISIBLE = 0.5  # fraction of a person's silhouette; a person who is hidden more is placed elsewhere
MIN_PIXELS = 12  # of a person that must be visible
PLACEMENTS = 6  # tried before a person is left out
EMPTY_FRACTION = 0.05  # of the scenes, in which there is no person


class Scene(NamedTuple):
    """A drawn scene with its annotations.

    Attributes:
        image: `(height, width, 3)` uint8 RGB.
        boxes: around the people, nearest first.
        keypoints: of the people.
        silhouettes: of each person, `(height, width)` bool, hidden parts included.
    """

    image: np.ndarray
    boxes: Boxes
    keypoints: Keypoints
    silhouettes: list[np.ndarray]


def draw_scene(
    seed: int | np.random.Generator,
    size: Size = (240, 320),
    *,
    max_people: int = 3,
    heights: tuple[float, float] = (0.35, 0.9),
) -> tuple[np.ndarray, Boxes, Keypoints]:
    """Draws one scene of people and things.

    Args:
        seed: a number, or a random generator. The same seed gives the same scene.
        size: `(height, width)` of the image in pixels, at least 32 each.
        max_people: the largest number of people; one scene in twenty shows none.
        heights: smallest and largest standing height of a person, as fractions of the image height.

    Returns:
        `(image, boxes, keypoints)`: `(height, width, 3)` uint8 RGB; `Boxes` with label 0, each tight around
        the silhouette of a person (hidden parts included) and clipped to the image; `Keypoints` in the order
        of `skeletons.LSP`. Their visibility is 2 for a visible joint, 1 behind another person or a thing, and
        0 outside of the image, or if all joints that a limb connects it to are hidden, too. Coordinates are
        continuous: pixel `i` covers `i..i + 1`.

    Raises:
        ValueError: `size`, `max_people` or `heights` is out of range.

    Example:
        >>> image, boxes, keypoints = draw_scene(7)
        >>> image.shape, boxes.xyxy.shape, keypoints.xy.shape
        ((240, 320, 3), (1, 4), (1, 14, 2))
    """
    check_arguments(size, max_people, heights)
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    scene = compose(rng, size, max_people, heights)
    return scene.image, scene.boxes, scene.keypoints


def check_arguments(size: Size, max_people: int, heights: tuple[float, float]) -> None:
    """Raises `ValueError` if an argument of `draw_scene` is out of range."""
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size must be (height, width) of at least 32 pixels each, got {size}")
    check_size("size", size)
    if max_people < 0:
        raise ValueError(f"max_people must be at least 0, got {max_people}")
    if len(heights) != 2 or not 0.05 <= heights[0] <= heights[1] <= 2:
        raise ValueError(f"heights must be (smallest, largest) within 0.05..2, got {heights}")


def compose(rng: np.random.Generator, size: Size, max_people: int, heights: tuple[float, float]) -> Scene:
    """Draws a scene from checked arguments; see `draw_scene`."""
    height, width = size
    horizon = int(height * between(rng, 0.25, 0.6))
    picture = paint_background(rng, size, horizon)
    camera_height = between(rng, 0.55, 1.0)  # in heights of a person
    empty = chance(rng, EMPTY_FRACTION)
    people = 0 if empty or max_people == 0 else 1 + int(max_people * rng.random() ** 1.3)
    low, high = math.log(heights[0]), math.log(heights[1])
    queue = [(math.exp(between(rng, low, high)), True) for _ in range(people)]
    queue += [(math.exp(between(rng, low, high)), False) for _ in range(int(rng.random() * 5))]
    queue.sort(reverse=True)

    covered = np.zeros((height, width), bool)
    sprites: list[Placed] = []
    persons: list[Placed] = []
    visibility, silhouettes = [], []
    for fraction, is_person in queue:
        tall = fraction * height
        sprite, seat = draw_person(rng, tall) if is_person else (draw_prop(rng, tall), None)
        if sprite is None:
            continue
        for _ in range(PLACEMENTS):
            placed = place(rng, sprite, size, horizon + tall * camera_height)
            silhouette = in_frame(placed, size)
            visible = np.count_nonzero(silhouette & ~covered)
            if not is_person or visible >= max(MIN_VISIBLE * np.count_nonzero(sprite.mask), MIN_PIXELS):
                break
        else:
            continue
        if is_person:
            persons.append(placed)
            silhouettes.append(silhouette)
            visibility.append(joint_visibility(placed, covered))
        sprites.append(placed)
        covered |= silhouette
        block = seat_below(rng, placed, seat) if seat is not None else None
        if block is not None:
            sprites.append(block)
            covered |= in_frame(block, size)

    for sprite, left, top in reversed(sprites):
        paint_shadow(picture, sprite, left, top)
        picture.paste(sprite.image, (left, top), sprite.image)
    return _annotate(finish(rng, picture), persons, visibility, silhouettes)


def _annotate(
    image: np.ndarray, persons: list[Placed], visibility: list[np.ndarray], silhouettes: list[np.ndarray]
) -> Scene:
    xyxy = [Image.fromarray(silhouette).getbbox() for silhouette in silhouettes]
    xy = [person.joints for person in persons]
    count, joints = len(persons), len(LSP.joints)
    boxes = Boxes(
        np.array(xyxy, np.float32).reshape(count, 4), np.zeros(count, np.int32), np.zeros(count, bool)
    )
    keypoints = Keypoints(
        np.array(xy, np.float32).reshape(count, joints, 2),
        np.array(visibility, np.int32).reshape(count, joints),
    )
    return Scene(image, boxes, keypoints, silhouettes)
