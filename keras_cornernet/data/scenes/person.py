"""Draws a person: body, pose and clothes are chosen, then the parts are drawn from far to near.

The joints are projected from a 3D skeleton. So their positions are exact, near limbs hide far ones, and the
right hand of someone who faces the camera is on the left of the image.
"""

import math
from collections.abc import Callable

import numpy as np

from keras_cornernet.data.scenes.body import Body, Figure, any_body, pose_body
from keras_cornernet.data.scenes.canvas import Canvas, Sprite
from keras_cornernet.data.scenes.clothes import Clothes, any_clothes
from keras_cornernet.data.scenes.dice import between, pick
from keras_cornernet.data.scenes.head import draw_head, draw_long_hair
from keras_cornernet.data.scenes.limbs import (
    draw_arm,
    draw_leg,
    draw_seat_of_trousers,
    draw_skirt,
    draw_trunk,
)
from keras_cornernet.data.scenes.poses import any_pose
from keras_cornernet.skeletons import LSP

Part = Callable[[Canvas, Figure, Body, Clothes], None]


def draw_person(rng: np.random.Generator, height: float) -> tuple[Sprite | None, float | None]:
    """Draws a person.

    Args:
        rng: the source of all draws.
        height: of the person standing, pixels.

    Returns:
        The sprite, or None if nothing of it is visible; and for someone who sits, the distance in pixels of
        the seat from the sprite's top, else None.
    """
    body, clothes, pose = any_body(rng), any_clothes(rng), any_pose(rng)
    yaw = math.radians(pick(rng, (0, 0, 90, -90, 180, 45, -45, 135, -135)) + between(rng, -30, 30))
    figure = pose_body(rng, body, pose, yaw)
    xs, ys = [p.real for p in figure.at.values()], [p.imag for p in figure.at.values()]
    margin = 0.13 + 0.13j
    canvas = Canvas(complex(min(xs), min(ys)) - margin, complex(max(xs), max(ys)) + margin, height)

    paint_person(canvas, figure, body, clothes)
    sprite = canvas.sprite([figure.at[joint] for joint in LSP.joints])
    if sprite is None or not pose.seat:
        return sprite, None
    return sprite, float(0.5 * (sprite.joints[2, 1] + sprite.joints[3, 1]) + 0.05 * height)


def paint_person(canvas: Canvas, figure: Figure, body: Body, clothes: Clothes) -> None:
    """Draws the parts of a posed body on a canvas, from far to near."""
    depth = figure.depth
    trunk = 0.5 * depth["neck"]
    parts: list[tuple[float, Part]] = [
        (trunk - 0.002, draw_seat_of_trousers),
        (trunk, draw_trunk),
        (max(depth["head"], trunk + 0.01), draw_head),
    ]
    legs = {}
    for side in ("right", "left"):
        arm = 0.5 * (depth[f"{side}_elbow"] + depth[f"{side}_wrist"])
        parts.append((arm + 0.02, _part(draw_arm, side)))
        legs[side] = 0.8 * depth[f"{side}_knee"] + 0.2 * depth[f"{side}_ankle"] - 0.08
        parts.append((legs[side], _part(draw_leg, side)))
    if clothes.skirt:
        parts.append((max(trunk - 0.001, *(leg + 0.001 for leg in legs.values())), draw_skirt))
    if clothes.hairdo == "long":
        parts.append((depth["head"] - 0.09 * figure.facing, draw_long_hair))
    for _, draw in sorted(parts, key=lambda part: part[0]):
        draw(canvas, figure, body, clothes)


def _part(draw: Callable[[Canvas, Figure, Body, Clothes, str], None], side: str) -> Part:
    return lambda canvas, figure, body, clothes: draw(canvas, figure, body, clothes, side)
