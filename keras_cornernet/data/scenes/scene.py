"""One scene: people and props are placed from near to far and painted from far to near.

Placing the near ones first tells at once what each of them hides.
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_cornernet.data.scenes.backgrounds import paint_background
from keras_cornernet.data.scenes.dice import between, chance
from keras_cornernet.data.scenes.light import finish, paint_shadow
from keras_cornernet.data.scenes.person import draw_person
from keras_cornernet.data.scenes.placement import Placed, any_spot, in_frame, joint_visibility, seat_below
from keras_cornernet.data.scenes.props import draw_prop
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Boxes, Keypoints

MIN_VISIBLE = 0.5  # of a person's silhouette; who would be hidden more is placed elsewhere or left out
FEWEST_PIXELS = 12  # of a person that must be seen
PLACEMENTS = 6  # tried before a person is left out
EMPTY_SHARE = 0.05  # of the scenes show nobody


class Scene(NamedTuple):
    """A drawn scene with its annotations, and the silhouettes they were taken from."""

    image: np.ndarray  # (h, w, 3) uint8
    boxes: Boxes
    keypoints: Keypoints
    silhouettes: list[np.ndarray]  # (h, w) bool per person, nearest first, hidden parts included


def draw_scene(
    seed: int | np.random.Generator,
    size: tuple[int, int] = (240, 320),
    *,
    max_people: int = 3,
    heights: tuple[float, float] = (0.35, 0.9),
) -> tuple[np.ndarray, Boxes, Keypoints]:
    """Draws one scene of people and things that are not people.

    Args:
        seed: a number, or a generator to draw from. The same seed gives the same scene.
        size: `(height, width)` of the image in pixels, at least 32 each.
        max_people: most people in the scene; about one scene in twenty shows nobody.
        heights: smallest and largest standing height of a person, as fractions of the image height.

    Returns:
        `(image, boxes, keypoints)`: `(h, w, 3)` uint8 RGB; `Boxes` with label 0 for each person, tight
        around its silhouette (parts hidden by others included) and clipped to the image; `Keypoints` in
        `skeletons.LSP` order, where visibility is 2, 1 behind another person or a thing, 0 outside the
        image, or behind something with all joints next to it. Coordinates are continuous: pixel `i` covers
        `i..i + 1`.

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


def check_arguments(size: tuple[int, int], max_people: int, heights: tuple[float, float]) -> None:
    """Raises `ValueError` when a scene cannot be drawn so."""
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size must be (height, width) of at least 32 pixels each, got {size}")
    if max_people < 0:
        raise ValueError(f"max_people must be at least 0, got {max_people}")
    if len(heights) != 2 or not 0.05 <= heights[0] <= heights[1] <= 2:
        raise ValueError(f"heights must be (smallest, largest) within 0.05..2, got {heights}")


def compose(
    rng: np.random.Generator, size: tuple[int, int], max_people: int, heights: tuple[float, float]
) -> Scene:
    """Draws a scene from checked arguments; see `draw_scene`."""
    height, width = size
    horizon = int(height * between(rng, 0.25, 0.6))
    picture = paint_background(rng, size, horizon)
    eye = between(rng, 0.55, 1.0)  # height of the camera in heights of a person
    nobody = chance(rng, EMPTY_SHARE)
    people = 0 if nobody or max_people == 0 else 1 + int(max_people * rng.random() ** 1.3)
    low, high = math.log(heights[0]), math.log(heights[1])
    queue = [(math.exp(between(rng, low, high)), True) for _ in range(people)]
    queue += [(math.exp(between(rng, low, high)), False) for _ in range(int(rng.random() * 5))]
    queue.sort(reverse=True)

    covered = np.zeros((height, width), bool)
    placed: list[Placed] = []
    persons: list[Placed] = []
    visibility, silhouettes = [], []
    for share, is_person in queue:
        tall = share * height
        sprite, seat = draw_person(rng, tall) if is_person else (draw_prop(rng, tall), None)
        if sprite is None:
            continue
        for _ in range(PLACEMENTS):
            spot = any_spot(rng, sprite, size, horizon + tall * eye)
            silhouette = in_frame(spot, size)
            seen = np.count_nonzero(silhouette & ~covered)
            if not is_person or seen >= max(MIN_VISIBLE * np.count_nonzero(sprite.mask), FEWEST_PIXELS):
                break
        else:
            continue
        if is_person:
            persons.append(spot)
            silhouettes.append(silhouette)
            visibility.append(joint_visibility(spot, covered))
        placed.append(spot)
        covered |= silhouette
        block = seat_below(rng, spot, seat) if seat is not None else None
        if block is not None:
            placed.append(block)
            covered |= in_frame(block, size)

    for sprite, left, top in reversed(placed):
        paint_shadow(picture, sprite, left, top)
        picture.paste(sprite.image, (left, top), sprite.image)
    return _annotate(finish(rng, picture), persons, visibility, silhouettes)


def _annotate(
    image: np.ndarray, persons: list[Placed], visibility: list[np.ndarray], silhouettes: list[np.ndarray]
) -> Scene:
    xyxy = [Image.fromarray(silhouette).getbbox() for silhouette in silhouettes]
    xy = [spot.sprite.joints + np.float32((spot.left, spot.top)) for spot in persons]
    count, joints = len(persons), len(LSP.joints)
    boxes = Boxes(
        np.array(xyxy, np.float32).reshape(count, 4), np.zeros(count, np.int32), np.zeros(count, bool)
    )
    keypoints = Keypoints(
        np.array(xy, np.float32).reshape(count, joints, 2),
        np.array(visibility, np.int32).reshape(count, joints),
    )
    return Scene(image, boxes, keypoints, silhouettes)
