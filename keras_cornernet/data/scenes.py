"""Drawn scenes of articulated people: data for demos, notebooks and quick tests, with no download.

A person is a small 3D skeleton. A pose sets the direction of every bone, the body is turned, projected and
dressed with tapered limbs; so the joints are exact, near limbs hide far ones, and the right hand of someone
who faces the camera lies at image left. People and props are placed from near to far, which tells at once
what each of them hides, and are painted from far to near.

Points of the image plane are complex numbers, `x + 1j * y`, in units of a person's standing height: a normal
is a product with `1j`, a rotation a product with `exp(1j * angle)`. The module reads in three parts: people,
props and backgrounds, scenes.
"""

import colorsys
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from keras_cornernet import files
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Boxes, Keypoints

MIN_VISIBLE = 0.45  # of a person's silhouette; who would be hidden more is placed elsewhere or left out
FEWEST_PIXELS = 12  # of a person that must be seen
PLACEMENTS = 6  # tried before a person is left out
EMPTY_SHARE = 0.05  # of the scenes show nobody
SUPERSAMPLING = 2

Colour = tuple[int, int, int]
Vector = tuple[float, float, float]  # x to the right of the image, y down, z towards the camera


class _Scene(NamedTuple):
    image: np.ndarray  # (h, w, 3) uint8
    boxes: Boxes
    keypoints: Keypoints
    silhouettes: list[np.ndarray]  # (h, w) bool per person, nearest first, hidden parts included


def draw_scene(
    seed: int | np.random.Generator,
    size: tuple[int, int] = (240, 320),
    *,
    max_people: int = 4,
    heights: tuple[float, float] = (0.25, 0.85),
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
        image. Coordinates are continuous: pixel `i` covers `i..i + 1`.

    Raises:
        ValueError: `size`, `max_people` or `heights` is out of range.

    Example:
        >>> image, boxes, keypoints = draw_scene(7)
        >>> visualization.draw_skeletons(image, keypoints.xy, keypoints.visibility > 0, skeletons.LSP)
    """
    _check(size, max_people, heights)
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    scene = _compose(rng, size, max_people, heights)
    return scene.image, scene.boxes, scene.keypoints


def make_scenes(
    folder: str | Path,
    count: int,
    *,
    seed: int,
    size: tuple[int, int] = (240, 320),
    max_people: int = 4,
    heights: tuple[float, float] = (0.25, 0.85),
    suffix: str = ".jpg",
) -> Path:
    """Writes drawn scenes as a data set in COCO form.

    Scene `i` depends on `seed` and `i` alone, so a longer data set begins with the shorter one.

    Args:
        folder: receives `images/000000.jpg`, ... and `annotations.json`, which is written last.
        count: number of scenes.
        seed: number all scenes follow from.
        size: `(height, width)` of the images in pixels.
        max_people: most people in a scene.
        heights: smallest and largest standing height of a person, as fractions of the image height.
        suffix: `".jpg"` or `".png"`.

    Returns:
        The path of `annotations.json`: boxes and 14 keypoints of the category `person`, id 1.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(size, max_people, heights)
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    if suffix not in (".jpg", ".png"):
        raise ValueError(f"suffix must be '.jpg' or '.png', got {suffix!r}")
    folder = Path(folder)
    images, annotations = [], []
    for index in range(count):
        scene = _compose(np.random.default_rng([seed, index]), size, max_people, heights)
        name = f"{index:06d}{suffix}"
        picture = Image.fromarray(scene.image)
        files.write_with(
            folder / "images" / name, lambda path, picture=picture: picture.save(path, quality=92)
        )
        images.append({"id": index + 1, "file_name": name, "height": size[0], "width": size[1]})
        for person in range(len(scene.silhouettes)):
            annotations.append(_coco_person(scene, person, index + 1, len(annotations) + 1))
    category = {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(LSP.joints),
        "skeleton": [[a + 1, b + 1] for a, b in LSP.limbs],
    }
    info = {"description": f"scenes drawn by keras_cornernet.data.scenes, seed {seed}"}
    content = {"info": info, "images": images, "annotations": annotations, "categories": [category]}
    return files.write_json(folder / "annotations.json", content)


def _check(size: tuple[int, int], max_people: int, heights: tuple[float, float]) -> None:
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size must be (height, width) of at least 32 pixels each, got {size}")
    if max_people < 0:
        raise ValueError(f"max_people must be at least 0, got {max_people}")
    if len(heights) != 2 or not 0.05 <= heights[0] <= heights[1] <= 2:
        raise ValueError(f"heights must be (smallest, largest) within 0.05..2, got {heights}")


def _coco_person(scene: _Scene, person: int, image_id: int, annotation_id: int) -> dict:
    x1, y1, x2, y2 = scene.boxes.xyxy[person].tolist()
    visibility = scene.keypoints.visibility[person]
    keypoints = []
    for (x, y), v in zip(scene.keypoints.xy[person].tolist(), visibility.tolist(), strict=True):
        keypoints += [round(x, 2), round(y, 2), v] if v else [0, 0, 0]
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(scene.silhouettes[person].sum()),
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": int((visibility > 0).sum()),
    }


# Drawing -------------------------------------------------------------------------------------------------


class _Sprite(NamedTuple):
    """Something drawn on its own, cut to its silhouette."""

    image: Image.Image  # RGBA
    mask: np.ndarray  # (h, w) bool, the silhouette
    joints: np.ndarray | None = None  # (14, 2) pixels of the sprite


class _Canvas:
    """A transparent sheet that is drawn on in units of a person's height, at twice the final size.

    Every shape has a dark base and a lit, smaller shape on it, shifted towards the light.
    """

    def __init__(self, top_left: complex, bottom_right: complex, height: float, light: complex = -0.6 - 0.8j):
        self.scale = SUPERSAMPLING * height
        self.origin = top_left
        extent = (bottom_right - top_left) * height
        size = (max(math.ceil(extent.real), 1), max(math.ceil(extent.imag), 1))
        self.sheet = Image.new("RGBA", (SUPERSAMPLING * size[0], SUPERSAMPLING * size[1]))
        self._draw = ImageDraw.Draw(self.sheet)
        self.light = light

    def _at(self, point: complex) -> tuple[float, float]:
        moved = (point - self.origin) * self.scale
        return moved.real, moved.imag

    def flat(self, points: Sequence[complex], colour: Colour) -> None:
        """A filled polygon of one colour."""
        self._draw.polygon([self._at(p) for p in points], fill=colour)

    def solid(self, points: Sequence[complex], colour: Colour, depth: float = 0.2) -> None:
        """A filled polygon with a lit middle; `depth` is how much smaller that is."""
        self.flat(points, _shade(colour, 0.8))
        centre = sum(points) / len(points)
        reach = max(abs(p - centre) for p in points)
        shift = centre + self.light * reach * depth * 0.4
        self.flat([shift + (p - centre) * (1 - depth) for p in points], colour)

    def disc(self, centre: complex, radius: float, colour: Colour) -> None:
        """A filled circle of one colour."""
        (x, y), r = self._at(centre), radius * self.scale
        self._draw.ellipse([x - r, y - r, x + r, y + r], fill=colour)

    def oval(self, centre: complex, along: complex, across: complex, colour: Colour) -> None:
        """A filled ellipse of one colour with the half-axes `along` and `across`."""
        self.flat([centre + along * c + across * s for c, s in CIRCLE], colour)

    def ball(self, centre: complex, along: complex, across: complex, colour: Colour) -> None:
        """An ellipse with a lit side."""
        self.oval(centre, along, across, _shade(colour, 0.8))
        shift = centre + self.light * 0.2 * min(abs(along), abs(across))
        self.oval(shift, 0.76 * along, 0.76 * across, colour)

    def capsule(self, a: complex, b: complex, ra: float, rb: float, colour: Colour) -> None:
        """A tapered stroke of one colour with round ends."""
        self.disc(a, ra, colour)
        self.disc(b, rb, colour)
        length = abs(b - a)
        if length > 1e-6:
            normal = 1j * (b - a) / length
            self.flat([a + normal * ra, b + normal * rb, b - normal * rb, a - normal * ra], colour)

    def limb(self, points: Sequence[complex], radii: Sequence[float], colours: Sequence[Colour]) -> None:
        """A chain of tapered strokes, one colour per stroke, lit as one body."""
        strokes = list(zip(points[:-1], points[1:], radii[:-1], radii[1:], colours, strict=True))
        for a, b, ra, rb, colour in strokes:
            self.capsule(a, b, ra, rb, _shade(colour, 0.76))
        for a, b, ra, rb, colour in strokes:
            lift = 0.24 * self.light
            self.capsule(a + lift * ra, b + lift * rb, 0.7 * ra, 0.7 * rb, colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """An upright rectangle of one colour."""
        self._draw.rectangle([*self._at(left + 1j * top), *self._at(right + 1j * bottom)], fill=colour)

    def sprite(self, joints: Sequence[complex] | None = None) -> _Sprite | None:
        """What was drawn, at final size; None when nothing is left of it."""
        image = self.sheet.reduce(SUPERSAMPLING)
        solid = image.getchannel("A").point(SOLID)
        frame = solid.getbbox()
        if frame is None:
            return None
        mask = np.asarray(solid.crop(frame)) > 0
        if joints is None:
            return _Sprite(image.crop(frame), mask)
        # A supersampled pixel i is drawn around the coordinate i, and covers i..i + 1: hence the half.
        points = [[(v + 0.5) / SUPERSAMPLING for v in self._at(p)] for p in joints]
        return _Sprite(image.crop(frame), mask, np.array(points, np.float32) - np.float32(frame[:2]))


CIRCLE = [(math.cos(math.tau * i / 20), math.sin(math.tau * i / 20)) for i in range(20)]
SOLID = [255 * (value >= 128) for value in range(256)]


def _shade(colour: Colour, factor: float) -> Colour:
    return tuple(min(255, int(channel * factor)) for channel in colour)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return low + (high - low) * rng.random()


def _chance(rng: np.random.Generator, share: float) -> bool:
    return rng.random() < share


def _pick(rng: np.random.Generator, options: Sequence):
    return options[int(rng.random() * len(options))]


def _any_colour(rng: np.random.Generator) -> Colour:
    """Clothes and paint: mostly a hue of some strength, sometimes a grey."""
    saturation = _between(rng, 0.0, 0.15) if _chance(rng, 0.25) else _between(rng, 0.3, 0.95)
    rgb = colorsys.hsv_to_rgb(rng.random(), saturation, _between(rng, 0.22, 0.97))
    return tuple(int(255 * channel) for channel in rgb)


def _varied(rng: np.random.Generator, colour: Colour, spread: float = 0.12) -> Colour:
    return _shade(colour, 1 + _between(rng, -spread, spread))


# People --------------------------------------------------------------------------------------------------

SKINS = ((255, 224, 196), (241, 194, 160), (224, 172, 130), (198, 134, 92), (150, 98, 64), (110, 70, 46))
HAIRS = ((30, 24, 22), (62, 40, 28), (104, 66, 38), (168, 122, 66), (222, 190, 120), (150, 60, 30))
GREYS = ((200, 200, 204), (130, 130, 134))
DYED = ((190, 60, 120), (60, 110, 190))
JEANS = ((44, 62, 100), (84, 112, 156), (38, 40, 46), (120, 104, 80), (96, 96, 100))


class _Arm(NamedTuple):
    """Degrees: `swing` 0 hangs, 90 forward, 180 up; `spread` sideways; the bends turn the forearm on."""

    swing: float
    spread: float
    bend: float = 10.0
    fold: float = 0.0  # sideways bend: up if positive, towards the body if negative


class _Leg(NamedTuple):
    """Degrees: as `_Arm`; the knee bends backwards."""

    swing: float
    spread: float
    knee: float = 5.0


class _Pose(NamedTuple):
    """A body's posture; right side first. Angles in degrees."""

    arms: tuple[_Arm, _Arm]
    legs: tuple[_Leg, _Leg]
    lean: float = 0.0  # of the trunk: forward,
    tilt: float = 0.0  # and to the person's left
    turn: float = 0.0  # of the whole body in the image plane
    seat: bool = False


def _arm(rng: np.random.Generator) -> _Arm:
    """One of the things arms do while people stand about."""
    kind = rng.random()
    if kind < 0.45:
        return _Arm(_between(rng, -12, 18), _between(rng, 5, 18), _between(rng, 2, 35))
    if kind < 0.6:  # hand on hip
        return _Arm(_between(rng, -20, 0), _between(rng, 38, 52), 0, _between(rng, -110, -85))
    if kind < 0.7:  # folded, or holding something
        return _Arm(_between(rng, 10, 35), _between(rng, 5, 15), _between(rng, 60, 95), _between(rng, -60, 0))
    if kind < 0.8:  # hand at the head
        return _Arm(_between(rng, 20, 60), _between(rng, 10, 30), _between(rng, 110, 140))
    if kind < 0.9:  # waving
        return _Arm(0, _between(rng, 75, 130), 0, _between(rng, 20, 90))
    return _Arm(_between(rng, 60, 120), _between(rng, 0, 30), _between(rng, 0, 30))  # pointing


def _standing(rng: np.random.Generator) -> _Pose:
    shift = _between(rng, -4, 4)
    legs = [_Leg(_between(rng, -4, 8), _between(rng, 1, 12), _between(rng, 0, 10)) for _ in range(2)]
    return _Pose((_arm(rng), _arm(rng)), tuple(legs), lean=_between(rng, -3, 8), tilt=shift)


def _walking(rng: np.random.Generator) -> _Pose:
    step, bend = _between(rng, 14, 32), _between(rng, 8, 40)
    arms = (_Arm(step, 6, bend), _Arm(-step, 6, bend))
    legs = (_Leg(-step + 6, 2, _between(rng, 10, 40)), _Leg(step, 2, _between(rng, 2, 15)))
    return _Pose(arms, legs, lean=_between(rng, 0, 8))


def _running(rng: np.random.Generator) -> _Pose:
    step = _between(rng, 35, 60)
    arms = (_Arm(step, 10, _between(rng, 70, 105)), _Arm(-step, 12, _between(rng, 60, 95)))
    legs = (_Leg(-step * 0.6, 3, _between(rng, 30, 95)), _Leg(step, 3, _between(rng, 20, 85)))
    return _Pose(arms, legs, lean=_between(rng, 6, 22))


def _sitting(rng: np.random.Generator) -> _Pose:
    legs = [_Leg(_between(rng, 76, 92), _between(rng, 2, 18), _between(rng, 65, 100)) for _ in range(2)]
    lap = [_Arm(_between(rng, 15, 40), _between(rng, 6, 16), _between(rng, 25, 60), -15) for _ in range(2)]
    arms = (_arm(rng) if _chance(rng, 0.3) else lap[0], lap[1])
    return _Pose(arms, tuple(legs), lean=_between(rng, -12, 22), tilt=_between(rng, -5, 5), seat=True)


def _arms_raised(rng: np.random.Generator) -> _Pose:
    if _chance(rng, 0.5):
        arms = [_Arm(0, _between(rng, 110, 170), 0, _between(rng, -10, 40)) for _ in range(2)]
    else:
        arms = [_Arm(_between(rng, 120, 180), _between(rng, 0, 20), _between(rng, 0, 40)) for _ in range(2)]
    legs = [_Leg(_between(rng, -8, 8), _between(rng, 2, 25), _between(rng, 0, 12)) for _ in range(2)]
    return _Pose(tuple(arms), tuple(legs), tilt=_between(rng, -15, 15))


def _bending(rng: np.random.Generator) -> _Pose:
    lean, knee = _between(rng, 45, 105), _between(rng, 0, 40)
    arms = [_Arm(_between(rng, -5, 40), _between(rng, 2, 15), _between(rng, 0, 30)) for _ in range(2)]
    legs = [_Leg(knee * 0.5 - 5, _between(rng, 2, 14), knee) for _ in range(2)]
    return _Pose(tuple(arms), tuple(legs), lean=lean)


def _squatting(rng: np.random.Generator) -> _Pose:
    knee = _between(rng, 95, 135)
    legs = [_Leg(knee * 0.75, _between(rng, 5, 30), knee) for _ in range(2)]
    arms = [_Arm(_between(rng, 25, 95), _between(rng, 2, 20), _between(rng, 0, 70)) for _ in range(2)]
    return _Pose(tuple(arms), tuple(legs), lean=_between(rng, 15, 45))


def _kneeling(rng: np.random.Generator) -> _Pose:
    legs = (_Leg(_between(rng, -12, 0), 4, _between(rng, 80, 95)), _Leg(_between(rng, 75, 95), 6, 88))
    return _Pose((_arm(rng), _arm(rng)), legs, lean=_between(rng, -2, 25))


def _kicking(rng: np.random.Generator) -> _Pose:
    legs = (_Leg(_between(rng, -12, 5), 3, _between(rng, 0, 20)), _Leg(_between(rng, 40, 100), 10, 12))
    if _chance(rng, 0.4):  # to the side
        legs = (_Leg(0, 3, 5), _Leg(0, _between(rng, 40, 85), 5))
    arms = (_Arm(_between(rng, 0, 60), _between(rng, 20, 70), 30), _Arm(-20, _between(rng, 20, 80), 20))
    return _Pose(arms, legs, lean=_between(rng, -25, 5), tilt=_between(rng, -20, 0))


def _dancing(rng: np.random.Generator) -> _Pose:
    arms = [_Arm(_between(rng, -30, 60), _between(rng, 20, 150), 0, _between(rng, -80, 80)) for _ in range(2)]
    legs = [_Leg(_between(rng, -25, 45), _between(rng, 5, 45), _between(rng, 0, 80)) for _ in range(2)]
    return _Pose(tuple(arms), tuple(legs), _between(rng, -10, 25), _between(rng, -20, 20))


def _lying(rng: np.random.Generator) -> _Pose:
    pose = _pick(rng, (_standing, _walking, _arms_raised, _sitting, _dancing))(rng)
    return pose._replace(turn=_pick(rng, (-90, 90)) + _between(rng, -12, 12), seat=False)


def _handstand(rng: np.random.Generator) -> _Pose:
    arms = [_Arm(_between(rng, -8, 8) + 180, _between(rng, 2, 14), 0) for _ in range(2)]
    legs = [_Leg(_between(rng, -50, 50), _between(rng, 0, 45), _between(rng, 0, 50)) for _ in range(2)]
    return _Pose(tuple(arms), tuple(legs), turn=180 + _between(rng, -15, 15))


def _tumbling(rng: np.random.Generator) -> _Pose:
    pose = _pick(rng, (_dancing, _squatting, _arms_raised, _kicking, _running))(rng)
    return pose._replace(turn=_between(rng, -180, 180))


POSES: tuple[tuple[Callable[[np.random.Generator], _Pose], float], ...] = (
    *((_standing, 0.22), (_walking, 0.16), (_running, 0.09), (_sitting, 0.1), (_arms_raised, 0.08)),
    *((_bending, 0.06), (_squatting, 0.04), (_kneeling, 0.04), (_kicking, 0.05), (_dancing, 0.06)),
    *((_lying, 0.04), (_handstand, 0.03), (_tumbling, 0.03)),
)
POSE_STEPS = np.cumsum([share for _, share in POSES])


class _Body(NamedTuple):
    """Lengths and half-widths, in fractions of the standing height."""

    head: float
    trunk: float
    arm: tuple[float, float]
    leg: tuple[float, float]
    shoulder: float
    hip: float
    waist: float
    girth: float  # factor on the thickness of limbs and trunk


def _body(rng: np.random.Generator) -> _Body:
    child = _chance(rng, 0.15)
    long = 1 + _between(rng, -0.07, 0.07)
    girth = _between(rng, 0.84, 1.4)
    return _Body(
        head=_between(rng, 0.17, 0.21) if child else _between(rng, 0.128, 0.15),
        trunk=_between(rng, 0.275, 0.305),
        arm=(0.168 * long, 0.145 * long),
        leg=(0.215, 0.205) if child else (0.24 * long, 0.235 * long),
        shoulder=_between(rng, 0.092, 0.122) * (0.8 + 0.2 * girth),
        hip=_between(rng, 0.05, 0.066) * (0.7 + 0.3 * girth),
        waist=_between(rng, 0.06, 0.086) * girth,
        girth=girth,
    )


def _bone(swing: float, spread: float, side: int) -> Vector:
    """Direction of a bone in the body's frame: x to the person's left, y down, z ahead."""
    a, s = math.radians(swing), math.radians(spread)
    return side * math.sin(s), math.cos(s) * math.cos(a), math.cos(s) * math.sin(a)


def _plus(a: Vector, b: Vector, length: float = 1.0) -> Vector:
    return a[0] + length * b[0], a[1] + length * b[1], a[2] + length * b[2]


class _Figure(NamedTuple):
    """A posed body seen by the camera: `at` and `depth` (towards the camera) of each named point."""

    at: dict[str, complex]
    depth: dict[str, float]
    across: complex  # the person's left, in the image
    ahead: complex  # where the trunk faces, in the image
    gaze: complex  # where the head faces, in the image, and
    facing: float  # how much of that is towards the camera, -1..1
    up: complex  # unit, from chin to head top in the image


def _figure(rng: np.random.Generator, body: _Body, pose: _Pose, yaw: float) -> _Figure:
    """Poses the body in its own frame, turns it by `yaw` (0 faces the camera) and projects it."""
    lean, tilt = math.radians(pose.lean), math.radians(pose.tilt)
    spine = (math.sin(tilt), -math.cos(tilt) * math.cos(lean), math.cos(tilt) * math.sin(lean))
    twist = math.radians(_between(rng, -18, 18))
    left = (math.cos(twist) * math.cos(tilt), math.sin(tilt), -math.sin(twist))
    nod = 0.55 * lean + math.radians(_between(rng, -12, 18))
    look = math.radians(_between(rng, -40, 40))
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

    up = seen(head)
    return _Figure(
        at={name: seen(point) for name, point in points.items()},
        depth={name: near(point) for name, point in points.items()},
        across=seen(left),
        ahead=seen((0.0, math.sin(lean), math.cos(lean))),
        gaze=seen(gaze),
        facing=near(gaze),
        up=up / max(abs(up), 1e-3),
    )


class _Clothes(NamedTuple):
    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    sleeve: float  # 0 none, 1 to the elbow, 2 to the wrist
    leg: float  # 1 to the knee, 2 to the ankle; of trousers or skirt
    skirt: bool
    stripes: Colour | None
    hairdo: str  # "short", "long", "bun", "bald", "cap"
    cap: Colour


def _clothes(rng: np.random.Generator) -> _Clothes:
    skin = _varied(rng, _pick(rng, SKINS), 0.07)
    shirt = _any_colour(rng)
    dress = _chance(rng, 0.1)
    trousers = _varied(rng, _pick(rng, JEANS)) if _chance(rng, 0.5) else _any_colour(rng)
    return _Clothes(
        skin=skin,
        hair=_varied(rng, _pick(rng, _pick(rng, (HAIRS, HAIRS, HAIRS, HAIRS, GREYS, DYED)))),
        shirt=shirt,
        trousers=shirt if dress else trousers,
        shoes=_any_colour(rng) if _chance(rng, 0.6) else (40, 36, 36),
        sleeve=_pick(rng, (0.0, 0.55, 0.8, 1.4, 2.0, 2.0)),
        leg=_pick(rng, (0.55, 0.8, 1.5, 2.0, 2.0, 2.0)),
        skirt=dress or _chance(rng, 0.1),
        stripes=_any_colour(rng) if _chance(rng, 0.25) else None,
        hairdo=_pick(rng, ("short", "short", "short", "long", "long", "bun", "cap", "bald")),
        cap=_any_colour(rng),
    )


def _draw_person(rng: np.random.Generator, height: float) -> tuple[_Sprite | None, float | None]:
    """A person of `height` pixels, and how far below its top a seat belongs (pixels), if it sits."""
    body, clothes = _body(rng), _clothes(rng)
    pose = POSES[int(np.searchsorted(POSE_STEPS, rng.random() * POSE_STEPS[-1]))][0](rng)
    if _chance(rng, 0.5):
        pose = pose._replace(arms=pose.arms[::-1], legs=pose.legs[::-1], tilt=-pose.tilt)
    yaw = math.radians(_pick(rng, (0, 0, 90, -90, 180, 45, -45, 135, -135)) + _between(rng, -30, 30))
    figure = _figure(rng, body, pose, yaw)
    xs, ys = [p.real for p in figure.at.values()], [p.imag for p in figure.at.values()]
    margin = 0.13 + 0.13j
    canvas = _Canvas(complex(min(xs), min(ys)) - margin, complex(max(xs), max(ys)) + margin, height)

    depth = figure.depth
    trunk = 0.5 * depth["neck"]
    parts = [
        (trunk - 0.002, _draw_seat_of_trousers),
        (trunk, _draw_trunk),
        (max(depth["head"], trunk + 0.01), _draw_head),
    ]
    legs = {}
    for side in ("right", "left"):
        arm = 0.5 * (depth[f"{side}_elbow"] + depth[f"{side}_wrist"])
        parts.append((arm + 0.02, _part(_draw_arm, side)))
        legs[side] = 0.8 * depth[f"{side}_knee"] + 0.2 * depth[f"{side}_ankle"] - 0.08
        parts.append((legs[side], _part(_draw_leg, side)))
    if clothes.skirt:
        parts.append((max(trunk - 0.001, *(leg + 0.001 for leg in legs.values())), _draw_skirt))
    if clothes.hairdo == "long":
        parts.append((depth["head"] - 0.09 * figure.facing, _draw_long_hair))
    for _, draw in sorted(parts, key=lambda part: part[0]):
        draw(canvas, figure, body, clothes)

    sprite = canvas.sprite([figure.at[joint] for joint in LSP.joints])
    if sprite is None or not pose.seat:
        return sprite, None
    return sprite, float(0.5 * (sprite.joints[2, 1] + sprite.joints[3, 1]) + 0.05 * height)


def _part(draw: Callable, side: str) -> Callable:
    return lambda canvas, figure, body, clothes: draw(canvas, figure, body, clothes, side)


def _draw_limb(
    canvas: _Canvas,
    points: Sequence[complex],
    radii: Sequence[float],
    covered: float,
    cloth: Colour,
    skin: Colour,
) -> None:
    """A limb of two bones, wearing `cloth` along the first `covered` bones (0..2)."""
    canvas.limb(points, radii, [skin] * (len(points) - 1))
    if covered <= 0:
        return
    whole = min(int(covered), len(points) - 1)
    ends, wide = list(points[: whole + 1]), [1.16 * r for r in radii[: whole + 1]]
    rest = covered - whole
    if rest > 0 and whole + 1 < len(points):
        ends.append(points[whole] + rest * (points[whole + 1] - points[whole]))
        wide.append(1.16 * (radii[whole] + rest * (radii[whole + 1] - radii[whole])))
    canvas.limb(ends, wide, [cloth] * (len(ends) - 1))


def _draw_arm(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes, side: str) -> None:
    at = figure.at
    shoulder, elbow, wrist = at[f"{side}_shoulder"], at[f"{side}_elbow"], at[f"{side}_wrist"]
    g = body.girth
    canvas.limb([wrist, at[f"{side}_hand"]], [0.019, 0.017], [clothes.skin])
    radii = [0.034 * g, 0.026 * g, 0.018 * (0.5 + 0.5 * g)]
    _draw_limb(canvas, [shoulder, elbow, wrist], radii, clothes.sleeve, clothes.shirt, clothes.skin)


def _draw_leg(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes, side: str) -> None:
    at = figure.at
    hip, knee, ankle = at[f"{side}_hip"], at[f"{side}_knee"], at[f"{side}_ankle"]
    g = body.girth
    canvas.limb([at[f"{side}_heel"], at[f"{side}_toe"]], [0.026, 0.019], [clothes.shoes])
    radii = [0.054 * g, 0.037 * g, 0.023 * (0.5 + 0.5 * g)]
    covered = min(clothes.leg, 0.4) if clothes.skirt else clothes.leg
    _draw_limb(canvas, [hip, knee, ankle], radii, covered, clothes.trousers, clothes.skin)


def _draw_seat_of_trousers(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes) -> None:
    r = 0.058 * body.girth
    hips = [figure.at["right_hip"], figure.at["left_hip"]]
    canvas.limb(hips, [r, r], [clothes.trousers])


def _draw_skirt(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes) -> None:
    at, g = figure.at, body.girth
    span = min(clothes.leg, 1.6)
    outline = []
    for side in ("right", "left"):
        hip, knee, ankle = at[f"{side}_hip"], at[f"{side}_knee"], at[f"{side}_ankle"]
        hem = hip + (knee - hip) * span if span <= 1 else knee + (ankle - knee) * (span - 1)
        along = hem - hip
        normal = 1j * along / max(abs(along), 1e-6)
        outline += [hip + normal * 0.06 * g, hip - normal * 0.06 * g, hip - 0.03 * figure.up]
        outline += [hem + normal * (0.05 * g + 0.03), hem - normal * (0.05 * g + 0.03)]
    canvas.solid(_hull(outline), clothes.trousers, 0.14)


def _hull(points: Sequence[complex]) -> list[complex]:
    """The convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(points), key=lambda p: (p.real, p.imag))

    def chain(sweep: Sequence[complex]) -> list[complex]:
        kept: list[complex] = []
        for p in sweep:
            while len(kept) > 1 and ((kept[-1] - kept[-2]).conjugate() * (p - kept[-1])).imag <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return chain(ordered) + chain(ordered[::-1])


def _draw_trunk(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes) -> None:
    at, g = figure.at, body.girth
    pelvis, neck = at["pelvis"], at["neck"]
    spine = neck - pelvis
    # Seen from above or below the spine is short; the person's left then tells which way is across.
    normal = 1j * spine / abs(spine) if abs(spine) > 0.08 else figure.across / max(abs(figure.across), 1e-3)
    sections = (  # height along the spine, half-width, half-depth
        *((-0.1, 1.12 * body.hip + 0.036 * g, 0.07 * g), (0.12, 1.05 * body.hip + 0.034 * g, 0.07 * g)),
        *((0.38, body.waist + 0.004, 0.062 * g), (0.68, 0.5 * (body.waist + body.shoulder) + 0.01, 0.07 * g)),
        *((0.86, body.shoulder + 0.012, 0.066 * g), (0.97, body.shoulder + 0.004, 0.05 * g)),
        (1.04, 0.05, 0.035),
    )
    left, right = [], []
    for height, width, thick in sections:
        lateral = width * (figure.across.real * normal.real + figure.across.imag * normal.imag)
        forward = thick * (figure.ahead.real * normal.real + figure.ahead.imag * normal.imag)
        half = math.hypot(lateral, forward) * normal
        left.append(pelvis + height * spine + half)
        right.append(pelvis + height * spine - half)
    r = 0.034 * g
    canvas.limb([at["right_shoulder"], at["left_shoulder"]], [r, r], [clothes.shirt])
    canvas.solid(left + right[::-1], clothes.shirt, 0.16)
    if clothes.stripes:
        for i in range(1, 5):
            above = [edge[i] + 0.55 * (edge[i + 1] - edge[i]) for edge in (right, left)]
            canvas.flat([left[i], right[i], *above], clothes.stripes)


def _draw_head(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes) -> None:
    at, up, facing = figure.at, figure.up, figure.facing
    size = body.head
    side = 1j * up
    # Foreshortened heads stay round: the skull is about as deep as it is high.
    top, centre = at["head_top"], at["head"]
    centre = top - up * max(abs(top - centre), 0.42 * size)
    aside = figure.gaze.real * side.real + figure.gaze.imag * side.imag
    canvas.limb([at["neck"], centre], [0.031 * (0.4 + 0.6 * body.girth)] * 2, [_shade(clothes.skin, 0.92)])
    tall, wide = 0.5 * size, 0.39 * size
    bald = clothes.hairdo == "bald"
    hair = clothes.skin if bald else clothes.hair
    if clothes.hairdo == "bun":
        canvas.ball(
            centre + up * tall * 0.75 - side * aside * wide * 0.8, 0.2 * size * up, 0.2 * size * side, hair
        )
    canvas.ball(centre, tall * up, wide * side, hair)
    if facing > -0.35:
        turned = centre + side * aside * 0.24 * wide - up * 0.12 * tall
        canvas.oval(turned, 0.86 * tall * up, wide * (0.62 + 0.28 * max(facing, 0)) * side, clothes.skin)
        _draw_face(canvas, turned, up, side, aside, facing, size, clothes)
    else:  # the nape
        canvas.oval(
            centre - up * 0.82 * tall, 0.2 * tall * up, 0.55 * wide * side, _shade(clothes.skin, 0.92)
        )
    if abs(facing) > 0.5:
        for ear in (-1, 1):
            canvas.disc(
                centre + side * ear * wide * 0.98 - up * 0.15 * tall, 0.075 * size, _shade(clothes.skin, 0.9)
            )
    if clothes.hairdo == "cap":
        rim = centre + 0.2 * tall * up
        crown = [
            rim + 1.08 * wide * side * c + 0.9 * tall * up * s for c, s in CIRCLE[: len(CIRCLE) // 2 + 1]
        ]
        canvas.solid(crown, clothes.cap, 0.12)
        brim = [rim + side * aside * wide * reach for reach in (0.4, 1.55)]
        canvas.capsule(*brim, 0.05 * size, 0.04 * size, _shade(clothes.cap, 0.7))


def _draw_face(
    canvas: _Canvas,
    centre: complex,
    up: complex,
    side: complex,
    aside: float,
    facing: float,
    size: float,
    clothes: _Clothes,
) -> None:
    if size * canvas.scale < 14:  # too small to see
        return
    middle = centre + side * aside * 0.17 * size
    spread = 0.15 * size * max(facing, 0.0)
    dark = _shade(clothes.skin, 0.35)
    eyes = (-1, 1) if facing > 0.3 else (0,)
    for eye in eyes:
        canvas.disc(middle + side * eye * spread + up * 0.07 * size, 0.04 * size, dark)
        canvas.capsule(
            middle + side * (eye * spread - 0.06 * size) + up * 0.16 * size,
            middle + side * (eye * spread + 0.06 * size) + up * 0.16 * size,
            *(0.016 * size, 0.016 * size, _shade(clothes.hair, 0.7)),
        )
    nose = middle + side * aside * 0.14 * size
    canvas.capsule(
        middle + up * 0.02 * size,
        nose - up * 0.07 * size,
        0.024 * size,
        0.034 * size,
        _shade(clothes.skin, 0.82),
    )
    mouth = middle - up * 0.2 * size
    canvas.capsule(
        mouth - side * 0.6 * spread, mouth + side * 0.6 * spread, 0.022 * size, 0.022 * size, (150, 70, 70)
    )


def _draw_long_hair(canvas: _Canvas, figure: _Figure, body: _Body, clothes: _Clothes) -> None:
    at, up, size = figure.at, figure.up, body.head
    side = 1j * up
    aside = figure.gaze.real * side.real + figure.gaze.imag * side.imag
    crown = at["head"] + up * 0.05 * size - side * aside * 0.1 * size
    ends = crown - up * 0.85 * size - side * aside * 0.2 * size
    wide = size * (0.4 if abs(figure.facing) > 0.4 else 0.32)
    canvas.limb([crown, ends], [wide, 0.85 * wide], [clothes.hair])


# Props and backgrounds -----------------------------------------------------------------------------------

WOODS = ((120, 82, 52), (92, 62, 42), (160, 118, 76), (70, 52, 40))
METALS = ((70, 74, 80), (120, 126, 132), (48, 60, 52), (160, 164, 168))
LEAVES = ((58, 110, 52), (84, 132, 58), (40, 84, 54), (150, 120, 50), (110, 140, 80))
FURS = ((96, 64, 40), (170, 120, 74), (60, 54, 52), (210, 196, 176), (140, 140, 140))


def _draw_tree(rng: np.random.Generator, canvas: _Canvas) -> None:
    bark, leaf = _varied(rng, _pick(rng, WOODS)), _pick(rng, LEAVES)
    tall = _between(rng, 1.3, 2.3)
    fork = -0.55j * tall
    canvas.limb([0.02, fork], [0.08, 0.05], [bark])
    for side in (-1, 1):
        canvas.limb([fork, fork + complex(side * 0.25, -0.3)], [0.05, 0.025], [bark])
    if _chance(rng, 0.2):  # bare
        for angle in (-0.7, -0.2, 0.3, 0.8):
            tip = complex(math.sin(angle), -math.cos(angle)) * 0.45 * tall
            canvas.limb([fork, fork + tip], [0.035, 0.01], [bark])
    elif _chance(rng, 0.35):  # fir
        for level in range(3):
            half, top = 0.42 - 0.09 * level, -tall * (0.55 + 0.22 * level)
            base = top + 0.34 * tall
            canvas.solid(
                [complex(-half, base), complex(half, base), complex(0, top)], _varied(rng, leaf), 0.15
            )
    else:
        for _ in range(9):
            centre = complex(_between(rng, -0.42, 0.42), -tall * _between(rng, 0.6, 0.9))
            r = _between(rng, 0.16, 0.3)
            canvas.ball(centre, 1j * r, r, _varied(rng, leaf))


def _draw_bush(rng: np.random.Generator, canvas: _Canvas) -> None:
    leaf, wide = _pick(rng, LEAVES), _between(rng, 0.25, 0.6)
    for _ in range(8):
        r = _between(rng, 0.1, 0.2)
        centre = complex(_between(rng, -wide, wide), -_between(rng, 0.08, 0.35))
        canvas.ball(centre, 1j * r, r, _varied(rng, leaf, 0.2))


def _draw_cactus(rng: np.random.Generator, canvas: _Canvas) -> None:
    green, tall = _varied(rng, (70, 128, 72)), _between(rng, 0.7, 1.2)
    canvas.limb([0, -1j * tall], [0.085, 0.075], [green])
    for side in (-1, 1):
        root = -1j * tall * _between(rng, 0.4, 0.6)
        elbow = root + side * _between(rng, 0.17, 0.24)
        canvas.limb([root, elbow, elbow - 1j * _between(rng, 0.15, 0.4)], [0.05, 0.05, 0.045], [green] * 2)


def _draw_lamp(rng: np.random.Generator, canvas: _Canvas) -> None:
    metal, tall = _pick(rng, METALS), _between(rng, 1.5, 2.4)
    top = -1j * tall
    canvas.limb([0, -0.2j, top], [0.06, 0.03, 0.02], [metal] * 2)
    if _chance(rng, 0.5):
        canvas.ball(top, 0.11j, 0.11, (250, 240, 190))
    else:
        arm = top + _pick(rng, (-0.35, 0.35))
        canvas.limb([top, arm], [0.02, 0.02], [metal])
        canvas.ball(arm, 0.045j, 0.1, (245, 240, 215))


def _draw_sign(rng: np.random.Generator, canvas: _Canvas) -> None:
    tall, colour = _between(rng, 0.9, 1.4), _any_colour(rng)
    canvas.limb([0, -1j * tall], [0.022, 0.022], [_pick(rng, METALS)])
    if _chance(rng, 0.5):
        canvas.ball(-1j * tall, 0.16j, 0.16, colour)
        canvas.oval(-1j * tall, 0.04j, 0.11, (245, 245, 245))
    else:
        canvas.box(-0.24, -tall - 0.14, 0.24, -tall + 0.14, _shade(colour, 0.7))
        canvas.box(-0.21, -tall - 0.11, 0.21, -tall + 0.11, colour)


def _draw_coat_rack(rng: np.random.Generator, canvas: _Canvas) -> None:
    wood, cloth = _varied(rng, _pick(rng, WOODS)), _any_colour(rng)
    canvas.limb([-0.16, -0.12j, 0.16], [0.02, 0.03, 0.02], [wood] * 2)
    canvas.limb([0, -1j], [0.025, 0.02], [wood])
    for side in (-1, 1):
        canvas.limb([-0.9j, complex(0.14 * side, -1.0)], [0.018, 0.014], [wood])
    coat = [-0.88j, 0.13 - 0.8j, 0.17 - 0.3j, -0.14 - 0.27j, -0.12 - 0.8j]
    canvas.solid(coat, cloth, 0.15)
    if _chance(rng, 0.6):
        canvas.limb([0.11 - 0.76j, 0.17 - 0.42j], [0.035, 0.03], [_shade(cloth, 0.9)])
    if _chance(rng, 0.5):
        canvas.ball(-1.03j, 0.05j, 0.09, _any_colour(rng))


def _draw_box(rng: np.random.Generator, canvas: _Canvas) -> None:
    colour, wide, tall = _any_colour(rng), _between(rng, 0.2, 0.6), _between(rng, 0.2, 0.7)
    skew = _pick(rng, (-1, 1)) * _between(rng, 0.1, 0.2)
    canvas.box(-wide / 2, -tall, wide / 2, 0, _shade(colour, 0.85))
    corner = wide / 2 if skew > 0 else -wide / 2
    canvas.flat(
        [corner, corner - 1j * tall, corner + skew - 1j * (tall + 0.1), corner + skew - 0.1j],
        _shade(colour, 0.6),
    )
    canvas.flat(
        [
            -wide / 2 - 1j * tall,
            wide / 2 - 1j * tall,
            wide / 2 + skew - 1j * (tall + 0.1),
            -wide / 2 + skew - 1j * (tall + 0.1),
        ],
        colour,
    )
    if _chance(rng, 0.5):
        canvas.box(-0.03, -tall, 0.03, 0, _shade(colour, 0.65))


def _draw_ball(rng: np.random.Generator, canvas: _Canvas) -> None:
    r, colour = _between(rng, 0.08, 0.22), _any_colour(rng)
    canvas.ball(-1j * r, 1j * r, r, colour)
    if _chance(rng, 0.6):
        canvas.oval(-1j * r, 0.9j * r, 0.25 * r, _any_colour(rng))


def _draw_car(rng: np.random.Generator, canvas: _Canvas) -> None:
    colour, way = _any_colour(rng), _pick(rng, (-1, 1))
    cabin = [-0.62 - 0.42j, -0.42 - 0.82j, 0.25 - 0.82j, 0.55 - 0.45j]
    glass = [-0.5 - 0.45j, -0.36 - 0.76j, 0.21 - 0.76j, 0.43 - 0.46j]
    hull = [-1.05 - 0.12j, -1.08 - 0.4j, -0.6 - 0.5j, 0.55 - 0.5j, 1.02 - 0.38j, 1.08 - 0.12j]
    canvas.solid([complex(way * p.real, p.imag) for p in cabin], colour, 0.1)
    canvas.flat([complex(way * p.real, p.imag) for p in glass], (150, 176, 190))
    canvas.box(-0.1, -0.78, -0.05, -0.45, _shade(colour, 0.8))
    canvas.solid([complex(way * p.real, p.imag) for p in hull], colour, 0.1)
    canvas.ball(way * 1.0 - 0.34j, 0.04j, 0.05, (250, 244, 200))
    for x in (-0.64, 0.64):
        canvas.disc(x - 0.15j, 0.16, (34, 34, 38))
        canvas.disc(x - 0.15j, 0.08, (150, 152, 158))


def _draw_animal(rng: np.random.Generator, canvas: _Canvas) -> None:
    """A quadruped between dog and horse."""
    fur, way, k = _varied(rng, _pick(rng, FURS)), _pick(rng, (-1, 1)), _between(rng, 0.4, 1.0)

    def at(x: float, y: float) -> complex:
        return complex(way * x, y) * k

    for x, shade in ((-0.34, 0.7), (0.3, 0.7), (-0.28, 1.0), (0.36, 1.0)):
        foot = x + _between(rng, -0.13, 0.13)
        points = [at(x, -0.46), at(0.5 * (x + foot) + 0.03, -0.24), at(foot, -0.03)]
        canvas.limb(points, [0.075 * k, 0.05 * k, 0.035 * k], [_shade(fur, shade)] * 2)
    canvas.limb([at(-0.4, -0.55), at(-0.62, -_between(rng, 0.3, 0.85))], [0.035 * k, 0.02 * k], [fur])
    canvas.limb([at(-0.32, -0.56), at(0.3, -0.54)], [0.14 * k, 0.155 * k], [fur])
    head = at(0.56, -_between(rng, 0.72, 0.95))
    canvas.limb([at(0.34, -0.6), head], [0.11 * k, 0.07 * k], [fur])
    canvas.limb([head, head + at(0.17, 0.06)], [0.085 * k, 0.05 * k], [fur])
    canvas.limb(
        [head + at(-0.03, -0.05), head + at(-0.08, -0.15)], [0.035 * k, 0.015 * k], [_shade(fur, 0.7)]
    )
    canvas.disc(head + at(0.05, -0.02), 0.014 * k, (20, 16, 16))


def _draw_chair(rng: np.random.Generator, canvas: _Canvas) -> None:
    wood, way = _varied(rng, _pick(rng, WOODS + METALS)), _pick(rng, (-1, 1))
    seat = _shade(wood, 1.2) if _chance(rng, 0.5) else _any_colour(rng)
    for x in (-0.17, 0.17, -0.1, 0.22):
        canvas.limb([x - 0.27j, x * 1.1 - 0.01j], [0.018, 0.015], [wood])
    canvas.limb([complex(-0.17 * way, -0.27), complex(-0.21 * way, -0.58)], [0.022, 0.02], [wood])
    canvas.solid([-0.2 - 0.25j, -0.14 - 0.31j, 0.26 - 0.31j, 0.2 - 0.25j], seat, 0.1)
    back = [complex(way * x, y) for x, y in ((-0.2, -0.4), (-0.13, -0.44), (-0.16, -0.62), (-0.23, -0.58))]
    canvas.solid(back, seat, 0.1)


def _draw_barrel(rng: np.random.Generator, canvas: _Canvas) -> None:
    colour, r, tall = _any_colour(rng), _between(rng, 0.12, 0.2), _between(rng, 0.3, 0.55)
    canvas.solid(
        [-r, -1.12 * r - 0.5j * tall, -r - 1j * tall, r - 1j * tall, 1.12 * r - 0.5j * tall, r], colour
    )
    for share in (0.25, 0.75):
        canvas.box(-1.06 * r, -tall * share - 0.015, 1.06 * r, -tall * share + 0.015, _shade(colour, 0.55))
    canvas.oval(-1j * tall, 0.3j * r, r, _shade(colour, 0.9))


def _draw_sticks(rng: np.random.Generator, canvas: _Canvas) -> None:
    """Loose limbs in the colours of skin and cloth that make up nobody."""
    at = complex(0, -0.08)
    for _ in range(int(2 + rng.random() * 3)):
        step = complex(_between(rng, -0.22, 0.22), -_between(rng, 0.05, 0.22))
        colour = _pick(rng, SKINS) if _chance(rng, 0.5) else _any_colour(rng)
        canvas.limb([at, at + step], [_between(rng, 0.025, 0.06), _between(rng, 0.02, 0.05)], [colour])
        at += step * _between(rng, 0.3, 1.2)


# What a prop looks like, and its extent in heights of a person: half width, height.
PROPS: tuple[tuple[Callable[[np.random.Generator, _Canvas], None], float, float], ...] = (
    *((_draw_tree, 0.8, 2.5), (_draw_bush, 0.85, 0.6), (_draw_cactus, 0.4, 1.35), (_draw_lamp, 0.5, 2.6)),
    *(
        (_draw_sign, 0.3, 1.65),
        (_draw_coat_rack, 0.25, 1.15),
        (_draw_box, 0.55, 0.85),
        (_draw_ball, 0.3, 0.5),
    ),
    *((_draw_car, 1.15, 0.9), (_draw_animal, 0.9, 1.2), (_draw_chair, 0.35, 0.7), (_draw_barrel, 0.3, 0.65)),
    (_draw_sticks, 1.0, 1.1),
)


def _draw_prop(rng: np.random.Generator, height: float) -> _Sprite | None:
    """Any thing that is not a person, where a person would be `height` pixels tall."""
    draw, half, tall = _pick(rng, PROPS)
    canvas = _Canvas(complex(-half, -tall), complex(half, 0.1), height)
    draw(rng, canvas)
    return canvas.sprite()


def _draw_seat(rng: np.random.Generator, width: float, height: float) -> _Sprite | None:
    """A block to sit on, of that size in pixels."""
    colour = _varied(rng, _pick(rng, WOODS + METALS))
    canvas = _Canvas(0j, complex(width / height, 1), height)
    canvas.box(0, 0, width / height, 1, _shade(colour, 0.75))
    canvas.box(0, 0, width / height, 0.18, colour)
    return canvas.sprite()


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    column = np.linspace(top, bottom, size[0])[:, None]
    return Image.fromarray(np.broadcast_to(np.rint(column).astype(np.uint8), (*size, 3)).copy())


def _clouded(rng: np.random.Generator, picture: Image.Image, cells: int, strength: float) -> Image.Image:
    """Lightens and darkens a picture in soft patches, `cells` of them along the longer side."""
    width, height = picture.size
    step = max(width, height) / cells
    shape = (max(2, round(height / step)), max(2, round(width / step)))
    coarse = rng.integers(0, 256, shape, dtype=np.uint8)
    patches = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    low, high = picture.point([v * (1 - strength) for v in range(256)] * 3), picture
    return Image.composite(high, low, patches)


def _tone(rng: np.random.Generator, saturation: float, low: float, high: float) -> Colour:
    rgb = colorsys.hsv_to_rgb(rng.random(), saturation * rng.random(), _between(rng, low, high))
    return tuple(int(255 * channel) for channel in rgb)


def _paint_landscape(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> Image.Image:
    height, width = size
    skies = ((110, 160, 220), (170, 190, 205), (240, 180, 130), (70, 80, 120), (200, 215, 230))
    grounds = (
        (110, 140, 70),
        (196, 178, 130),
        (120, 116, 110),
        (150, 120, 84),
        (225, 228, 232),
        (70, 110, 60),
    )
    sky, ground = _varied(rng, _pick(rng, skies)), _varied(rng, _pick(rng, grounds))
    picture = _gradient(size, _shade(sky, 0.85), _shade(sky, 1.15))
    picture.paste(
        _gradient((height - horizon, width), _shade(ground, 1.1), _shade(ground, 0.8)), (0, horizon)
    )
    draw = ImageDraw.Draw(picture)
    kind = rng.random()
    if kind < 0.4:  # hills
        for _ in range(int(1 + rng.random() * 3)):
            top, phase = _between(rng, 0.2, 0.7) * horizon, rng.random() * 6
            waves = [
                (x, horizon - top * (0.5 + 0.5 * math.sin(phase + 5 * x / width)))
                for x in range(0, width + 8, 8)
            ]
            draw.polygon([(0, horizon), *waves, (width, horizon)], fill=_varied(rng, ground, 0.35))
    elif kind < 0.7:  # a town
        x = 0.0
        while x < width:
            wide, top = _between(rng, 0.06, 0.2) * width, _between(rng, 0.15, 0.95) * horizon
            wall = _tone(rng, 0.35, 0.3, 0.85)
            draw.rectangle([x, horizon - top, x + wide, horizon], fill=wall)
            step, pane = max(6.0, 0.045 * height), _shade(wall, _pick(rng, (0.6, 1.3)))
            for row in range(int(top / step)):
                y = horizon - top + (row + 0.3) * step
                for column in range(int(wide / step)):
                    left = x + (column + 0.25) * step
                    draw.rectangle([left, y, left + 0.45 * step, y + 0.5 * step], fill=pane)
            x += wide
    if _chance(rng, 0.35):  # a road or path towards the horizon
        at, near = rng.random() * width, rng.random() * width
        spread = _between(rng, 0.15, 0.5) * width
        path = [(at, horizon), (near - spread, height), (near + spread, height)]
        draw.polygon(path, fill=_tone(rng, 0.1, 0.35, 0.7))
    return _clouded(rng, picture, _pick(rng, (6, 20, 60)), _between(rng, 0.05, 0.3))


def _paint_room(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> Image.Image:
    height, width = size
    wall, floor = (
        _tone(rng, 0.4, 0.45, 0.95),
        _varied(rng, _pick(rng, (*WOODS, (150, 150, 150), (176, 160, 140)))),
    )
    picture = _gradient(size, _shade(wall, 1.05), _shade(wall, 0.85))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.random() * 4)):  # windows, pictures, doors
        x, wide = rng.random() * width, _between(rng, 0.1, 0.25) * width
        door = _chance(rng, 0.3)
        y, tall = (0.2 * horizon, horizon) if door else (_between(rng, 0.05, 0.3) * horizon, 0.5 * horizon)
        frame, pane = _pick(rng, ((240, 238, 230), (90, 66, 46), (50, 50, 54))), _tone(rng, 0.6, 0.2, 1.0)
        draw.rectangle([x, y, x + wide, y + tall], fill=frame)
        rim = max(2.0, 0.012 * width)
        draw.rectangle([x + rim, y + rim, x + wide - rim, y + tall - rim], fill=pane)
        draw.line([x + wide / 2, y, x + wide / 2, y + tall], fill=frame, width=int(rim))
    draw.rectangle([0, horizon, width, height], fill=floor)
    draw.rectangle([0, horizon - 0.025 * height, width, horizon], fill=_shade(wall, 0.7))
    vanishing, dark = rng.random() * width, _shade(floor, 0.82)
    for x in range(-width, 2 * width, max(8, width // 14)):
        draw.line([vanishing + (x - vanishing) * 0.4, horizon, x, height], fill=dark)
    return _clouded(rng, picture, 3, _between(rng, 0.05, 0.3))


def _paint_bricks(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> Image.Image:
    height, width = size
    brick = _pick(rng, ((158, 82, 62), (176, 140, 112), (130, 130, 130), (210, 200, 186), (96, 70, 66)))
    picture = Image.new("RGB", (width, height), _shade(brick, _pick(rng, (0.7, 1.3))))
    draw = ImageDraw.Draw(picture)
    tall = max(5.0, _between(rng, 0.035, 0.08) * height)
    wide = tall * _between(rng, 1.8, 2.6)
    shades = [_varied(rng, brick, 0.14) for _ in range(5)]
    for row in range(int(horizon / tall) + 1):
        for column in range(int(width / wide) + 2):
            left, top = (column - 0.5 * (row % 2) - 0.3) * wide, row * tall
            colour = shades[(row * 7 + column * 3 + row * column) % 5]
            draw.rectangle([left, top, left + wide - 2, top + tall - 2], fill=colour)
    ground = _tone(rng, 0.25, 0.3, 0.75)
    picture.paste(
        _gradient((height - horizon, width), _shade(ground, 1.1), _shade(ground, 0.8)), (0, horizon)
    )
    return _clouded(rng, picture, _pick(rng, (4, 40)), _between(rng, 0.05, 0.25))


def _paint_pattern(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> Image.Image:
    """Stripes, tiles or clutter: no place at all, so that the place cannot give people away."""
    height, width = size
    a, b = _tone(rng, 0.7, 0.3, 0.95), _tone(rng, 0.7, 0.3, 0.95)
    picture = _gradient(size, a, _shade(a, _between(rng, 0.6, 1.2)))
    draw = ImageDraw.Draw(picture)
    kind = rng.random()
    step = _between(rng, 0.03, 0.14) * width
    if kind < 0.35:
        slant = _between(rng, -1, 1) * height
        for i in range(-int(height / step) - 1, int((width + height) / step) + 1, 2):
            left = i * step
            draw.polygon(
                [(left, 0), (left + step, 0), (left + step + slant, height), (left + slant, height)], fill=b
            )
    elif kind < 0.55:
        for row in range(int(height / step) + 1):
            for column in range(row % 2, int(width / step) + 1, 2):
                draw.rectangle([column * step, row * step, (column + 1) * step, (row + 1) * step], fill=b)
    else:
        for _ in range(30):
            x, y, r = rng.random() * width, rng.random() * height, _between(rng, 0.02, 0.16) * width
            colour, flat = _tone(rng, 0.8, 0.2, 1.0), _between(rng, 0.3, 1.0)
            if _chance(rng, 0.5):
                draw.ellipse([x - r, y - flat * r, x + r, y + flat * r], fill=colour)
            else:
                angles = [rng.random() * math.tau + turn for turn in (0, 2, 4)]
                draw.polygon([(x + r * math.cos(t), y + r * math.sin(t)) for t in angles], fill=colour)
    return _clouded(rng, picture, _pick(rng, (5, 30)), _between(rng, 0.1, 0.5))


def _paint_texture(rng: np.random.Generator, size: tuple[int, int], horizon: int) -> Image.Image:
    """Rough walls and grounds: patches of several sizes."""
    a, b = _tone(rng, 0.6, 0.4, 0.95), _tone(rng, 0.5, 0.3, 0.8)
    picture = _gradient(size, a, _shade(a, 0.8))
    picture.paste(_gradient((size[0] - horizon, size[1]), b, _shade(b, 0.7)), (0, horizon))
    for cells in (4, 15, 70):
        picture = _clouded(rng, picture, cells, _between(rng, 0.1, 0.45))
    return picture


BACKGROUNDS = (
    *(_paint_landscape, _paint_landscape, _paint_landscape, _paint_room, _paint_room),
    *(_paint_bricks, _paint_pattern, _paint_texture),
)


# Scenes --------------------------------------------------------------------------------------------------


class _Placed(NamedTuple):
    sprite: _Sprite
    left: int
    top: int


def _compose(
    rng: np.random.Generator, size: tuple[int, int], max_people: int, heights: tuple[float, float]
) -> _Scene:
    height, width = size
    horizon = int(height * _between(rng, 0.25, 0.6))
    picture = _pick(rng, BACKGROUNDS)(rng, size, horizon)
    eye = _between(rng, 0.55, 1.0)  # height of the camera in heights of a person
    nobody = _chance(rng, EMPTY_SHARE)
    people = 0 if nobody or max_people == 0 else 1 + int(max_people * rng.random() ** 1.3)
    low, high = math.log(heights[0]), math.log(heights[1])
    queue = [(math.exp(_between(rng, low, high)), True) for _ in range(people)]
    queue += [(math.exp(_between(rng, low, high)), False) for _ in range(int(rng.random() * 5))]
    queue.sort(reverse=True)

    covered = np.zeros((height, width), bool)
    placed: list[_Placed] = []
    persons: list[_Placed] = []
    visibility, silhouettes = [], []
    for share, is_person in queue:
        tall = share * height
        sprite, seat = _draw_person(rng, tall) if is_person else (_draw_prop(rng, tall), None)
        if sprite is None:
            continue
        for _ in range(PLACEMENTS):
            spot = _placement(rng, sprite, size, horizon + tall * eye)
            silhouette = _in_frame(spot, size)
            seen = np.count_nonzero(silhouette & ~covered)
            if not is_person or seen >= max(MIN_VISIBLE * np.count_nonzero(sprite.mask), FEWEST_PIXELS):
                break
        else:
            continue
        if is_person:
            persons.append(spot)
            silhouettes.append(silhouette)
            visibility.append(_visibility(spot, covered))
        placed.append(spot)
        covered |= silhouette
        block = _seat_below(rng, spot, seat) if seat is not None else None
        if block is not None:
            placed.append(block)
            covered |= _in_frame(block, size)

    for sprite, left, top in reversed(placed):
        _paint_shadow(picture, sprite, left, top)
        picture.paste(sprite.image, (left, top), sprite.image)
    return _annotate(_finish(rng, picture), persons, visibility, silhouettes)


def _placement(rng: np.random.Generator, sprite: _Sprite, size: tuple[int, int], ground: float) -> _Placed:
    """Somewhere across the image, standing at about the row `ground`."""
    height, width = size
    ground += _between(rng, -0.03, 0.03) * height
    if _chance(rng, 0.8):  # most stand within the frame, the others lose their feet
        ground = min(ground, height * _between(rng, 0.9, 1.02))
    left = _between(rng, -0.02, 1.02) * width - sprite.image.width / 2
    return _Placed(sprite, round(left), round(ground - sprite.image.height))


def _seat_below(rng: np.random.Generator, person: _Placed, seat: float) -> _Placed | None:
    hips = person.sprite.joints[2:4, 0]
    wide = 0.45 * person.sprite.image.height
    tall = person.sprite.image.height - seat
    if tall < 2:
        return None
    block = _draw_seat(rng, wide, tall)
    left = round(person.left + float(hips.mean()) - wide / 2)
    return block and _Placed(block, left, round(person.top + seat))


def _in_frame(spot: _Placed, size: tuple[int, int]) -> np.ndarray:
    """The sprite's silhouette on the image, `(h, w)` bool."""
    frame = np.zeros(size, bool)
    mask, left, top = spot.sprite.mask, spot.left, spot.top
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + mask.shape[1], size[1]), min(top + mask.shape[0], size[0])
    if x1 < x2 and y1 < y2:
        frame[y1:y2, x1:x2] = mask[y1 - top : y2 - top, x1 - left : x2 - left]
    return frame


def _visibility(spot: _Placed, covered: np.ndarray) -> np.ndarray:
    """COCO's flag per joint, given what nearer things cover."""
    height, width = covered.shape
    columns, rows = np.floor(spot.sprite.joints + np.float32((spot.left, spot.top))).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    hidden = covered[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return np.where(inside, np.where(hidden, 1, 2), 0).astype(np.int32)


def _paint_shadow(picture: Image.Image, sprite: _Sprite, left: int, top: int) -> None:
    width, height = sprite.image.size
    flat = max(3, round(0.1 * min(width, height)))
    shadow = SHADOW.resize((width, 2 * flat))
    picture.paste((20, 20, 30), (left, top + height - flat - 1), shadow)


def _soft_disc(strength: int = 120) -> Image.Image:
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    return Image.fromarray(
        (strength * np.clip(1.2 - x * x - y * y, 0, 1) ** 1.5 * (x * x + y * y < 1)).astype(np.uint8)
    )


SHADOW = _soft_disc()


def _finish(rng: np.random.Generator, picture: Image.Image) -> np.ndarray:
    """Light, blur and noise over the whole image."""
    height, width = picture.height, picture.width
    if _chance(rng, 0.3):
        picture = picture.filter(ImageFilter.GaussianBlur(_between(rng, 0.3, 1.0)))
    gains = _between(rng, 0.85, 1.3) * np.array([_between(rng, 0.92, 1.08) for _ in range(3)])
    lift = _between(rng, -10, 22)
    tables = np.clip(np.rint(gains[:, None] * np.arange(256) + lift), 0, 255).astype(int).ravel().tolist()
    image = np.asarray(picture.point(tables))
    strength = int(_between(rng, 0, 14)) if _chance(rng, 0.6) else 0
    if strength:
        noise = rng.integers(-strength, strength + 1, (height, width, 1), dtype=np.int8)
        image = np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return image


def _annotate(
    image: np.ndarray, persons: list[_Placed], visibility: list[np.ndarray], silhouettes: list[np.ndarray]
) -> _Scene:
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
    return _Scene(image, boxes, keypoints, silhouettes)
