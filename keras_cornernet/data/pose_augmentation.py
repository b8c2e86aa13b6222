"""Geometric augmentation of people: ONE affine map to a rotated, scaled and mirrored crop."""

from dataclasses import dataclass, replace

import numpy as np

from keras_cornernet.data.augmentation import flipped
from keras_cornernet.data.draws import Rectangle
from keras_cornernet.preprocessing import Size, View, person_view


@dataclass(frozen=True)
class PoseAugmentation:
    """The augmentation of the authors: scaled, sometimes rotated or mirrored crops with changed colours.

    The person's square itself is changed, so that the image is resampled only once, and a larger crop shows
    the image around it instead of black.

    Attributes:
        scale: the crop's side is multiplied by `2 ** z`; standard deviation of the normally distributed z.
        scale_limit: largest absolute value of z.
        rotation: standard deviation of the rotation in degrees.
        rotation_limit: largest rotation in degrees.
        rotate: probability of a rotation.
        uniform_rotation: draw the rotation uniformly between its limits instead.
        shift: largest shift of the crop's centre, as a fraction of its side.
        flip: probability of the mirror image, with left and right joints exchanged.
        gain: smallest and largest factor of each colour channel.
        jitter, lighting: of the colours, see `draw_color`; the authors use neither.
        upside_down: probability of a further half turn.
        close_up: probability that only a part of the person's square is shown, as in portraits: joints
            outside of it are then taught as not being there.
        close_up_side: smallest and largest side of that part, as fractions of the square's side.
        hide: probability of a grey rectangle that hides a part of the input.
        hidden_side: smallest and largest side of it, as fractions of the input's sides.

    Source: anewell/pose-hg-train, `src/util/dataset` (the paper has 0.75 to 1.25 and 30 degrees).
    """

    scale: float = 0.25
    scale_limit: float = 0.5
    rotation: float = 30.0
    rotation_limit: float = 60.0
    rotate: float = 0.4
    uniform_rotation: bool = False
    shift: float = 0.0
    flip: float = 0.5
    gain: tuple[float, float] = (0.6, 1.4)
    jitter: float = 0.0
    lighting: float = 0.0
    upside_down: float = 0.0
    close_up: float = 0.0
    close_up_side: tuple[float, float] = (0.4, 0.8)
    hide: float = 0.0
    hidden_side: tuple[float, float] = (0.1, 0.28)

    def rotated(self) -> "PoseAugmentation":
        """The same augmentation with rotations by any angle, for people who may be seen from any side."""
        return replace(self, rotation=180.0, rotation_limit=180.0, rotate=1.0, uniform_rotation=True)

    def draw(
        self, center: np.ndarray, side: float, input_size: Size, rng: np.random.Generator
    ) -> tuple[View, bool]:
        """Draws the view of one person.

        Args:
            center: `(2,)` x, y of the middle of the person's square, image pixels.
            side: of the square, image pixels.
            input_size: `(height, width)` of the input.
            rng: the source of all draws.

        Returns:
            The view, and whether it is mirrored.
        """
        zoom = 2.0 ** _limited(rng.normal(0, self.scale), self.scale_limit)
        rotation = self._rotation(rng) if rng.random() < self.rotate else 0.0
        if self.upside_down and rng.random() < self.upside_down:
            rotation += 180.0
        shift = rng.uniform(-self.shift, self.shift, 2) * side
        if self.close_up and rng.random() < self.close_up:
            part = rng.uniform(*self.close_up_side)
            shift += rng.uniform(-1, 1, 2) * side * (1 - part) / 2
            side *= part
        view = person_view(np.asarray(center) + shift, side * zoom, input_size, rotation)
        if rng.random() < self.flip:
            return flipped(view), True
        return view, False

    def draw_hidden(self, input_size: Size, rng: np.random.Generator) -> Rectangle | None:
        """Draws the rectangle that hides a part of the input, or None."""
        if not self.hide or rng.random() >= self.hide:
            return None
        smallest, largest = self.hidden_side
        ends = []
        for length in reversed(input_size):
            half = length * (smallest + (largest - smallest) * rng.random()) / 2
            middle = length * rng.random()
            ends.append((max(0, round(middle - half)), min(length, round(middle + half))))
        (x1, x2), (y1, y2) = ends
        return (x1, y1, x2, y2)

    def _rotation(self, rng: np.random.Generator) -> float:
        limit = self.rotation_limit
        if self.uniform_rotation:
            return rng.uniform(-limit, limit)
        return _limited(rng.normal(0, self.rotation), limit)


def _limited(value: float, limit: float) -> float:
    """A number kept within plus and minus `limit`; many times faster than `np.clip`."""
    return max(-limit, min(value, limit))


PHOTO_POSES = PoseAugmentation(
    scale=0.2,
    scale_limit=0.4,
    rotation=35.0,
    rotation_limit=110.0,
    rotate=0.6,
    shift=0.05,
    gain=(0.92, 1.08),
    jitter=0.25,
    upside_down=0.06,
    hide=0.3,
)
"""For photographs of people in any posture, as in sports: stronger rotations, and parts that are hidden."""
