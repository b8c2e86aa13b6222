"""The body as a small 3D skeleton: its proportions, and its projection in a pose."""

import math
from typing import NamedTuple

import numpy as np

from keras_cornernet.data.scenes.dice import between, chance
from keras_cornernet.data.scenes.poses import Pose

Vector = tuple[float, float, float]  # x to the right of the image, y down, z towards the camera


class Body(NamedTuple):
    """Lengths and half-widths as fractions of the standing height."""

    head: float
    trunk: float
    arm: tuple[float, float]
    leg: tuple[float, float]
    shoulder: float
    hip: float
    waist: float
    girth: float  # factor on the thickness of limbs and trunk


class Figure(NamedTuple):
    """A posed body as the camera sees it.

    Attributes:
        at: the projection of each named point.
        depth: of each named point, larger is nearer to the camera.
        across: the direction of the person's left, projected.
        ahead: the direction that the trunk faces, projected.
        front: the component of that direction towards the camera, -1..1.
        gaze: the direction that the head faces, projected.
        facing: the component of that direction towards the camera, -1..1.
        up: the direction from chin to head top, projected, of length 1.
    """

    at: dict[str, complex]
    depth: dict[str, float]
    across: complex
    ahead: complex
    front: float
    gaze: complex
    facing: float
    up: complex


def any_body(rng: np.random.Generator) -> Body:
    """Chooses an adult or, with a probability of 0.15, a child."""
    child = chance(rng, 0.15)
    long = 1 + between(rng, -0.07, 0.07)
    girth = between(rng, 0.84, 1.4)
    return Body(
        head=between(rng, 0.17, 0.21) if child else between(rng, 0.128, 0.15),
        trunk=between(rng, 0.275, 0.305),
        arm=(0.168 * long, 0.145 * long),
        leg=(0.215, 0.205) if child else (0.24 * long, 0.235 * long),
        shoulder=between(rng, 0.092, 0.122) * (0.8 + 0.2 * girth),
        hip=between(rng, 0.05, 0.066) * (0.7 + 0.3 * girth),
        waist=between(rng, 0.06, 0.086) * girth,
        girth=girth,
    )


def pose_body(rng: np.random.Generator, body: Body, pose: Pose, yaw: float) -> Figure:
    """Poses a body, rotates it by `yaw` radians (0 faces the camera) and projects it."""
    lean, tilt = math.radians(pose.lean), math.radians(pose.tilt)
    spine = (math.sin(tilt), -math.cos(tilt) * math.cos(lean), math.cos(tilt) * math.sin(lean))
    twist = math.radians(between(rng, -18, 18))
    left = (math.cos(twist) * math.cos(tilt), math.sin(tilt), -math.sin(twist))
    nod = 0.55 * lean + math.radians(between(rng, -12, 18))
    look = math.radians(between(rng, -40, 40))
    head = (math.sin(0.6 * tilt), -math.cos(nod), math.sin(nod))
    gaze = (math.sin(look), math.sin(nod) * math.cos(look), math.cos(nod) * math.cos(look))

    points = {"pelvis": (0.0, 0.0, 0.0)}
    points["neck"] = _plus(points["pelvis"], spine, body.trunk)
    points["chin"] = _plus(points["neck"], head, 0.036)
    points["head"] = _plus(points["chin"], head, 0.5 * body.head)
    points["head_top"] = _plus(points["chin"], head, body.head)
    shoulders = _plus(points["neck"], spine, -0.022)
    for name, side, arm, leg in zip(("right", "left"), (-1, 1), pose.arms, pose.legs, strict=True):
        points[f"{name}_shoulder"] = _plus(shoulders, left, side * body.shoulder)
        upper = _bone(arm.swing, arm.spread, side)
        fore = _bone(arm.swing + arm.bend, arm.spread + arm.fold, side)
        points[f"{name}_elbow"] = _plus(points[f"{name}_shoulder"], upper, body.arm[0])
        points[f"{name}_wrist"] = _plus(points[f"{name}_elbow"], fore, body.arm[1])
        points[f"{name}_hand"] = _plus(points[f"{name}_wrist"], fore, 0.04)
        points[f"{name}_hip"] = (side * body.hip, 0.012, 0.0)
        thigh = _bone(leg.swing, leg.spread, side)
        shank = _bone(leg.swing - leg.knee, leg.spread * 0.8, side)
        foot = _bone(leg.swing - leg.knee + 78, 14, side)
        points[f"{name}_knee"] = _plus(points[f"{name}_hip"], thigh, body.leg[0])
        points[f"{name}_ankle"] = _plus(points[f"{name}_knee"], shank, body.leg[1])
        points[f"{name}_heel"] = _plus(points[f"{name}_ankle"], shank, 0.022)
        points[f"{name}_toe"] = _plus(points[f"{name}_heel"], foot, 0.078)

    cos, sin = math.cos(yaw), math.sin(yaw)
    turned = complex(math.cos(math.radians(pose.turn)), math.sin(math.radians(pose.turn)))

    def seen(v: Vector) -> complex:
        return complex(v[0] * cos + v[2] * sin, v[1]) * turned

    def near(v: Vector) -> float:
        return v[2] * cos - v[0] * sin

    up, ahead = seen(head), (0.0, math.sin(lean), math.cos(lean))
    return Figure(
        at={name: seen(point) for name, point in points.items()},
        depth={name: near(point) for name, point in points.items()},
        across=seen(left),
        ahead=seen(ahead),
        front=near(ahead),
        gaze=seen(gaze),
        facing=near(gaze),
        up=up / max(abs(up), 1e-3),
    )


def _bone(swing: float, spread: float, side: int) -> Vector:
    """The direction of a bone in the body's frame: x to the person's left, y down, z ahead."""
    a, s = math.radians(swing), math.radians(spread)
    return side * math.sin(s), math.cos(s) * math.cos(a), math.cos(s) * math.sin(a)


def _plus(a: Vector, b: Vector, length: float = 1.0) -> Vector:
    return a[0] + length * b[0], a[1] + length * b[1], a[2] + length * b[2]
