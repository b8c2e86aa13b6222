"""A clip: one person who moves in front of a camera that stands still, with the joints of each frame."""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_cornernet.checks import check_number
from keras_cornernet.data.scenes.backgrounds import paint_background
from keras_cornernet.data.scenes.body import Body, any_body, pose_body
from keras_cornernet.data.scenes.canvas import SUPERSAMPLING, Canvas, Sprite
from keras_cornernet.data.scenes.clothes import Clothes, any_clothes
from keras_cornernet.data.scenes.dice import between, pick
from keras_cornernet.data.scenes.light import paint_shadow
from keras_cornernet.data.scenes.person import paint_person
from keras_cornernet.data.scenes.poses import (
    Arm,
    Leg,
    Pose,
    arms_raised,
    bending,
    dancing,
    kicking,
    standing,
    walking,
)
from keras_cornernet.data.scenes.scene import check_arguments
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import LSP

MOVES = (standing, walking, walking, arms_raised, bending, dancing, kicking)
STEP = 1.2  # seconds from one pose to the next
HEIGHTS = (0.45, 0.65)  # of a standing person, in heights of the image


class Clip(NamedTuple):
    """The frames of a clip and what they show.

    Attributes:
        images: `(n, height, width, 3)` uint8 RGB.
        keypoints: `(n, 14, 2)` float32, image pixels, in the order of `skeletons.LSP`.
        boxes: `(n, 4)` float32 `xyxy`, tight around the person.
        rate: frames a second.
    """

    images: np.ndarray
    keypoints: np.ndarray
    boxes: np.ndarray
    rate: float


def draw_clip(
    seed: int, frames: int, size: Size = (240, 320), *, rate: float = 30.0, noise: float = 8.0
) -> Clip:
    """Draws a person who moves from pose to pose, turns and walks about, inside of the image.

    Args:
        seed: the same seed gives the same clip, whose first frames do not depend on its length.
        frames: how many.
        size: `(height, width)` of the images in pixels, at least 32 each.
        rate: frames a second.
        noise: standard deviation of each colour of each pixel, drawn anew in each frame, as of a camera.

    Raises:
        ValueError: an argument is out of range.
    """
    check_arguments(size, 1, HEIGHTS)
    check_number("frames", frames, at_least=1, whole=True)
    check_number("rate", rate, above=0)
    check_number("noise", noise, at_least=0)
    rng = np.random.default_rng(seed)
    horizon = int(size[0] * between(rng, 0.25, 0.6))
    background = paint_background(rng, size, horizon)
    actor = _Actor(rng, size)
    noises = np.random.default_rng([seed, 1])
    images, keypoints, boxes = [], [], []
    for index in range(frames):
        sprite, corner = actor.at(index / rate)
        picture = background.copy()
        paint_shadow(picture, sprite, *corner)
        picture.paste(sprite.image, corner, sprite.image)
        images.append(_noisy(noises, picture, noise))
        keypoints.append(sprite.joints + np.array(corner, np.float32))
        boxes.append([*corner, corner[0] + sprite.image.width, corner[1] + sprite.image.height])
    return Clip(np.stack(images), np.stack(keypoints), np.array(boxes, np.float32), rate)


class _Actor:
    """A person with a body, clothes and a way of moving that stay the same."""

    def __init__(self, rng: np.random.Generator, size: Size):
        self.size = size
        self.body: Body = any_body(rng)
        self.clothes: Clothes = any_clothes(rng)
        self.tall = between(rng, *HEIGHTS) * size[0]
        self.yaw, self.sway = (
            math.radians(pick(rng, (0, 0, 45, -45, 180)) + between(rng, -20, 20)),
            rng.random(),
        )
        self.period = between(rng, 4, 7)  # seconds of one walk to and fro
        self.seed = int(rng.integers(1 << 30))

    def at(self, seconds: float) -> tuple[Sprite, tuple[int, int]]:
        """The person at a time, and where its upper left corner lies in the image."""
        height, width = self.size
        phase = math.tau * (seconds / self.period + self.sway)
        pelvis = complex(width * (0.5 + 0.22 * math.sin(phase)), height * (0.52 + 0.03 * math.sin(2 * phase)))
        yaw = self.yaw + 0.5 * math.sin(0.7 * phase)
        # A generator of the same seed: trunk and head turn as they did before.
        figure = pose_body(np.random.default_rng(self.seed), self.body, self._pose(seconds), yaw)
        origin = -pelvis / self.tall
        canvas = Canvas(origin, origin + complex(width - 0.01, height - 0.01) / self.tall, self.tall)
        paint_person(canvas, figure, self.body, self.clothes)
        joints = [figure.at[joint] for joint in LSP.joints]
        sprite = canvas.sprite(joints)
        assert sprite is not None  # the pelvis is inside
        first = pelvis + joints[0] * self.tall + 0.5 * (1 + 1j) / SUPERSAMPLING
        left, top = first.real - sprite.joints[0, 0], first.imag - sprite.joints[0, 1]
        return sprite, (round(float(left)), round(float(top)))

    def _pose(self, seconds: float) -> Pose:
        """Between two poses of a sequence that has one for each `STEP`."""
        index, passed = divmod(seconds / STEP, 1)
        weight = 0.5 - 0.5 * math.cos(math.pi * passed)
        return between_poses(self._move(int(index)), self._move(int(index) + 1), weight)

    def _move(self, index: int) -> Pose:
        rng = np.random.default_rng([self.seed, index])
        return pick(rng, MOVES)(rng)


def between_poses(a: Pose, b: Pose, weight: float) -> Pose:
    """The pose on the way from `a` (weight 0) to `b` (weight 1), angle by angle."""

    def mixed(x: tuple[float, ...], y: tuple[float, ...]) -> list[float]:
        return [(1 - weight) * u + weight * v for u, v in zip(x, y, strict=True)]

    arms = tuple(Arm(*mixed(x, y)) for x, y in zip(a.arms, b.arms, strict=True))
    legs = tuple(Leg(*mixed(x, y)) for x, y in zip(a.legs, b.legs, strict=True))
    lean, tilt, turn = mixed((a.lean, a.tilt, a.turn), (b.lean, b.tilt, b.turn))
    return Pose((arms[0], arms[1]), (legs[0], legs[1]), lean, tilt, turn)


def _noisy(rng: np.random.Generator, picture: Image.Image, deviation: float) -> np.ndarray:
    image = np.asarray(picture, np.float32)
    noise = deviation * rng.standard_normal(image.shape, np.float32)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
