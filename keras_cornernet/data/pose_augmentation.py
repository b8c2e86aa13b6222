"""Geometric augmentation of people: ONE affine from the image to a turned, scaled, mirrored crop."""

from dataclasses import dataclass, replace

import numpy as np

from keras_cornernet.data.augmentation import flipped
from keras_cornernet.preprocessing import Size, View, person_view


@dataclass(frozen=True)
class PoseAugmentation:
    """The authors' recipe: crops of other scale, turned now and then, mirrored, channels brighter or darker.

    The crop's own square is changed, so that nothing is resampled twice and zooming out shows the picture
    around instead of black.

    Attributes:
        scale: the crop's side is multiplied by `2 ** z`, z normal with this deviation.
        scale_limit: largest z.
        rotation: deviation of the turn in degrees.
        rotation_limit: largest turn.
        rotate: probability of a turn.
        uniform_rotation: the turn is drawn evenly between its limits instead.
        shift: largest move of the crop's centre, as a share of its side.
        flip: probability of the mirror image, left and right joints exchanged.
        gain: smallest and largest factor of each colour channel.
        jitter, lighting: of the colours, see `augment_color`; not the authors'.

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

    def rotated(self) -> "PoseAugmentation":
        """The same recipe for subjects that have no up."""
        return replace(self, rotation=180.0, rotation_limit=180.0, rotate=1.0, uniform_rotation=True)

    def draw(self, center, side: float, input_size: Size, rng: np.random.Generator) -> tuple[View, bool]:
        """Draws the view of one person.

        Returns:
            the view, and whether it is mirrored.
        """
        zoom = 2.0 ** float(np.clip(rng.normal(0, self.scale), -self.scale_limit, self.scale_limit))
        turn = self._turn(rng) if rng.random() < self.rotate else 0.0
        move = rng.uniform(-self.shift, self.shift, 2) * side
        view = person_view(np.asarray(center) + move, side * zoom, input_size, turn)
        if rng.random() < self.flip:
            return flipped(view), True
        return view, False

    def _turn(self, rng: np.random.Generator) -> float:
        limit = self.rotation_limit
        if self.uniform_rotation:
            return rng.uniform(-limit, limit)
        return float(np.clip(rng.normal(0, self.rotation), -limit, limit))
