"""Skeletons of people on an image."""

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.skeletons import Skeleton
from keras_cornernet.visualization.canvas import canvas_of, draw_disc, line_width
from keras_cornernet.visualization.colours import DARK, LEFT, MIDDLE, RIGHT, Colour


def draw_skeletons(
    image: np.ndarray, keypoints: np.ndarray, visible: np.ndarray, skeleton: Skeleton
) -> Image.Image:
    """Draws the limbs and joints of people: orange on their right side, blue left, green between.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        keypoints: `(n, k, 2)`, `(x, y)` in image pixels.
        visible: `(n, k)` bool; joints to draw. A limb is drawn if both of its ends are.
        skeleton: names and limbs of the `k` joints.

    Returns:
        A new `PIL.Image` of the size of `image`.

    Raises:
        ValueError: an argument has another shape.
    """
    picture = canvas_of(image)
    keypoints, visible = np.asarray(keypoints, float), np.asarray(visible, bool)
    k = len(skeleton.joints)
    if keypoints.ndim != 3 or keypoints.shape[1:] != (k, 2):
        raise ValueError(f"keypoints must have shape (n, {k}, 2) for {skeleton.name}, got {keypoints.shape}")
    if visible.shape != keypoints.shape[:2]:
        raise ValueError(f"visible must have shape {keypoints.shape[:2]}, got {visible.shape}")
    draw = ImageDraw.Draw(picture)
    for person, shown in zip(keypoints, visible & np.isfinite(keypoints).all(axis=2), strict=True):
        if shown.any():
            # The width follows the person, so that the skeleton of a small one does not cover it.
            extent = float(np.ptp(person[shown], axis=0).max())
            width = max(1, round(min(extent / 35, 1.5 * line_width(picture))))
            _draw_person(draw, person.tolist(), shown.tolist(), skeleton, width)
    return picture


def _draw_person(
    draw: ImageDraw.ImageDraw,
    keypoints: list[tuple[float, float]],
    shown: list[bool],
    skeleton: Skeleton,
    width: int,
) -> None:
    """Draws the limbs, then the joints; dark rims separate them from the background."""
    colours = [_side_colour(name) for name in skeleton.joints]
    limbs = [(a, b) for a, b in skeleton.limbs if shown[a] and shown[b]]
    for a, b in limbs:
        draw.line((*keypoints[a], *keypoints[b]), fill=DARK, width=width + 2)
    for a, b in limbs:
        colour = colours[a] if colours[a] == colours[b] else MIDDLE
        draw.line((*keypoints[a], *keypoints[b]), fill=colour, width=width)
    for (x, y), colour, seen in zip(keypoints, colours, shown, strict=True):
        if seen:
            draw_disc(draw, x, y, width + 1, DARK)
            draw_disc(draw, x, y, width, colour)


def _side_colour(joint: str) -> Colour:
    """The colour of the person's side that a joint belongs to, by its name."""
    if joint.startswith("right"):
        return RIGHT
    return LEFT if joint.startswith("left") else MIDDLE
