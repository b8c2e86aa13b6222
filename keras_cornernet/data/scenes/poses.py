"""The poses of a body: the directions of arms, legs and trunk when it stands, walks, sits or tumbles."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from keras_cornernet.data.scenes.dice import between, chance, pick

T = TypeVar("T")


class Arm(NamedTuple):
    """The angles of an arm in degrees.

    Attributes:
        swing: of the upper arm: 0 hangs down, 90 points forward, 180 up.
        spread: of the upper arm, sideways.
        bend: forward angle between upper arm and forearm.
        fold: sideways angle between them: up if positive, towards the body if negative.
    """

    swing: float
    spread: float
    bend: float = 10.0
    fold: float = 0.0


class Leg(NamedTuple):
    """The angles of a leg in degrees: `swing` and `spread` as of `Arm`; the knee bends backwards."""

    swing: float
    spread: float
    knee: float = 5.0


class Pose(NamedTuple):
    """The pose of a body; angles in degrees.

    Attributes:
        arms, legs: right and left.
        lean: of the trunk, forward.
        tilt: of the trunk, to the person's left.
        turn: rotation of the whole body in the image plane.
        seat: whether the person sits.
    """

    arms: tuple[Arm, Arm]
    legs: tuple[Leg, Leg]
    lean: float = 0.0
    tilt: float = 0.0
    turn: float = 0.0
    seat: bool = False


def any_pose(rng: np.random.Generator) -> Pose:
    """Chooses a pose by the probabilities in `POSES`, and its mirror image half of the time."""
    pose = POSES[int(np.searchsorted(POSE_STEPS, rng.random() * POSE_STEPS[-1]))][0](rng)
    if chance(rng, 0.5):
        pose = Pose(pose.arms[::-1], pose.legs[::-1], pose.lean, -pose.tilt, pose.turn, pose.seat)
    return pose


def _both(make: Callable[[], T]) -> tuple[T, T]:
    return make(), make()


def _arm(rng: np.random.Generator) -> Arm:
    """Chooses what an arm does while a person stands."""
    choice = rng.random()
    if choice < 0.45:
        return Arm(between(rng, -12, 18), between(rng, 5, 18), between(rng, 2, 35))
    if choice < 0.6:  # hand on hip
        return Arm(between(rng, -20, 0), between(rng, 38, 52), 0, between(rng, -110, -85))
    if choice < 0.7:  # folded, or holding something
        return Arm(between(rng, 10, 35), between(rng, 5, 15), between(rng, 60, 95), between(rng, -60, 0))
    if choice < 0.8:  # hand at the head
        return Arm(between(rng, 20, 60), between(rng, 10, 30), between(rng, 110, 140))
    if choice < 0.9:  # waving
        return Arm(0, between(rng, 75, 130), 0, between(rng, 20, 90))
    return Arm(between(rng, 60, 120), between(rng, 0, 30), between(rng, 0, 30))  # pointing


def standing(rng: np.random.Generator) -> Pose:
    """Stands with the arms in any of the positions of `_arm`."""
    shift = between(rng, -4, 4)
    legs = _both(lambda: Leg(between(rng, -4, 8), between(rng, 1, 12), between(rng, 0, 10)))
    return Pose((_arm(rng), _arm(rng)), legs, lean=between(rng, -3, 8), tilt=shift)


def walking(rng: np.random.Generator) -> Pose:
    """Walks; the arms swing against the legs."""
    step, bend = between(rng, 14, 32), between(rng, 8, 40)
    arms = (Arm(step, 6, bend), Arm(-step, 6, bend))
    legs = (Leg(-step + 6, 2, between(rng, 10, 40)), Leg(step, 2, between(rng, 2, 15)))
    return Pose(arms, legs, lean=between(rng, 0, 8))


def running(rng: np.random.Generator) -> Pose:
    """Runs with bent arms."""
    step = between(rng, 35, 60)
    arms = (Arm(step, 10, between(rng, 70, 105)), Arm(-step, 12, between(rng, 60, 95)))
    legs = (Leg(-step * 0.6, 3, between(rng, 30, 95)), Leg(step, 3, between(rng, 20, 85)))
    return Pose(arms, legs, lean=between(rng, 6, 22))


def sitting(rng: np.random.Generator) -> Pose:
    """Sits with the hands in the lap."""
    legs = _both(lambda: Leg(between(rng, 76, 92), between(rng, 2, 18), between(rng, 65, 100)))
    lap = _both(lambda: Arm(between(rng, 15, 40), between(rng, 6, 16), between(rng, 25, 60), -15))
    arms = (_arm(rng) if chance(rng, 0.3) else lap[0], lap[1])
    return Pose(arms, legs, lean=between(rng, -12, 22), tilt=between(rng, -5, 5), seat=True)


def arms_raised(rng: np.random.Generator) -> Pose:
    """Stands with both arms raised, sideways or forward."""
    if chance(rng, 0.5):
        arms = _both(lambda: Arm(0, between(rng, 110, 170), 0, between(rng, -10, 40)))
    else:
        arms = _both(lambda: Arm(between(rng, 120, 180), between(rng, 0, 20), between(rng, 0, 40)))
    legs = _both(lambda: Leg(between(rng, -8, 8), between(rng, 2, 25), between(rng, 0, 12)))
    return Pose(arms, legs, tilt=between(rng, -15, 15))


def bending(rng: np.random.Generator) -> Pose:
    """Bends down."""
    lean, knee = between(rng, 45, 105), between(rng, 0, 40)
    arms = _both(lambda: Arm(between(rng, -5, 40), between(rng, 2, 15), between(rng, 0, 30)))
    legs = _both(lambda: Leg(knee * 0.5 - 5, between(rng, 2, 14), knee))
    return Pose(arms, legs, lean=lean)


def squatting(rng: np.random.Generator) -> Pose:
    """Squats."""
    knee = between(rng, 95, 135)
    legs = _both(lambda: Leg(knee * 0.75, between(rng, 5, 30), knee))
    arms = _both(lambda: Arm(between(rng, 25, 95), between(rng, 2, 20), between(rng, 0, 70)))
    return Pose(arms, legs, lean=between(rng, 15, 45))


def kneeling(rng: np.random.Generator) -> Pose:
    """Kneels on one knee."""
    legs = (Leg(between(rng, -12, 0), 4, between(rng, 80, 95)), Leg(between(rng, 75, 95), 6, 88))
    return Pose((_arm(rng), _arm(rng)), legs, lean=between(rng, -2, 25))


def kicking(rng: np.random.Generator) -> Pose:
    """Kicks forward or to the side."""
    legs = (Leg(between(rng, -12, 5), 3, between(rng, 0, 20)), Leg(between(rng, 40, 100), 10, 12))
    if chance(rng, 0.4):  # to the side
        legs = (Leg(0, 3, 5), Leg(0, between(rng, 40, 85), 5))
    arms = (Arm(between(rng, 0, 60), between(rng, 20, 70), 30), Arm(-20, between(rng, 20, 80), 20))
    return Pose(arms, legs, lean=between(rng, -25, 5), tilt=between(rng, -20, 0))


def dancing(rng: np.random.Generator) -> Pose:
    """Spreads arms and legs at random."""
    arms = _both(lambda: Arm(between(rng, -30, 60), between(rng, 20, 150), 0, between(rng, -80, 80)))
    legs = _both(lambda: Leg(between(rng, -25, 45), between(rng, 5, 45), between(rng, 0, 80)))
    return Pose(arms, legs, between(rng, -10, 25), between(rng, -20, 20))


def lying(rng: np.random.Generator) -> Pose:
    """Lies on the side."""
    pose = pick(rng, (standing, walking, arms_raised, sitting, dancing))(rng)
    return pose._replace(turn=pick(rng, (-90, 90)) + between(rng, -12, 12), seat=False)


def handstand(rng: np.random.Generator) -> Pose:
    """Stands on the hands."""
    arms = _both(lambda: Arm(between(rng, -8, 8) + 180, between(rng, 2, 14), 0))
    legs = _both(lambda: Leg(between(rng, -50, 50), between(rng, 0, 45), between(rng, 0, 50)))
    return Pose(arms, legs, turn=180 + between(rng, -15, 15))


def tumbling(rng: np.random.Generator) -> Pose:
    """Is upside down or at any other angle."""
    pose = pick(rng, (dancing, squatting, arms_raised, kicking, running))(rng)
    return pose._replace(turn=between(rng, -180, 180))


POSES: tuple[tuple[Callable[[np.random.Generator], Pose], float], ...] = (
    *((standing, 0.22), (walking, 0.16), (running, 0.09), (sitting, 0.1), (arms_raised, 0.08)),
    *((bending, 0.06), (squatting, 0.04), (kneeling, 0.04), (kicking, 0.05), (dancing, 0.06)),
    *((lying, 0.04), (handstand, 0.03), (tumbling, 0.03)),
)
POSE_STEPS = np.cumsum([probability for _, probability in POSES])
