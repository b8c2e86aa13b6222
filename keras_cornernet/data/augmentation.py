"""Geometric augmentation: every recipe draws ONE affine that moves image and annotations alike."""

from dataclasses import dataclass, replace

import numpy as np

from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import Size, View, fit_view


@dataclass(frozen=True)
class CornerNetCrop:
    """The paper's recipe: a random square crop at one of eight scales, flipped half of the time.

    Attributes:
        scales: crop side over input side.
        border: the crop's centre keeps this distance from the image's edge, halved until it fits.
        flip: probability of the mirror image.
        jitter, lighting: of the colours.
        min_visible: a box that shows a smaller share of its area is ignored, not taught; the paper
            teaches whatever is left.

    Source: Law & Deng 2018, sec. 4.1; `random_crop` of princeton-vl/CornerNet, `sample/utils.py`.
    """

    scales: tuple[float, ...] = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
    border: int = 128
    flip: float = 0.5
    jitter: float = 0.4
    lighting: float = 0.1
    min_visible: float = 0.0

    def draw(self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes=None) -> View:
        """Draws the view of one image; its boxes are not looked at."""
        scale = rng.choice(np.asarray(self.scales))
        height, width = image_size
        center = [
            int(rng.integers(edge, max(n - edge, edge + 1)))
            for n, edge in ((width, self._edge(width)), (height, self._edge(height)))
        ]
        view = crop_view(image_size, input_size, center, scale)
        return flipped(view) if rng.random() < self.flip else view

    def _edge(self, side: int) -> int:
        halvings = 1
        while side - self.border // halvings <= self.border // halvings:
            halvings *= 2
        return self.border // halvings


@dataclass(frozen=True)
class SmallDataAugmentation:
    """A plain recipe for small data: the fitted image, moved, scaled, mirrored and turned a little.

    Attributes:
        scale: smallest and largest zoom about the fitted size.
        shift: largest move, as a share of the input's sides.
        stretch: largest change of one side against the other.
        flip: probability of the mirror image.
        vertical_flip: probability of the upside-down image.
        quarter_rotations: whether turns by 90 degrees are drawn too; for subjects without an up, as cells.
        jitter, lighting: of the colours.
        min_visible: a box that shows a smaller share of its area is ignored, not taught.
    """

    scale: tuple[float, float] = (0.75, 1.4)
    shift: float = 0.15
    stretch: float = 0.1
    flip: float = 0.5
    vertical_flip: float = 0.0
    quarter_rotations: bool = False
    jitter: float = 0.3
    lighting: float = 0.1
    min_visible: float = 0.3

    def rotated(self) -> "SmallDataAugmentation":
        """The same recipe for subjects that have no up."""
        return replace(self, quarter_rotations=True, vertical_flip=0.5)

    def draw(self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes=None) -> View:
        """Draws the view of one image; its boxes are not looked at."""
        rows, columns = input_size
        view = fit_view(image_size, input_size)
        zoom = np.exp(rng.uniform(*np.log(self.scale)))
        stretch = np.exp(rng.uniform(-self.stretch, self.stretch) / 2)
        turn = 90 * int(rng.integers(4)) if self.quarter_rotations else 0
        move = rng.uniform(-1, 1, 2) * self.shift * max(1.0, zoom) * np.array([columns, rows])
        about_center = affine.compose(
            affine.translation(columns / 2 + move[0], rows / 2 + move[1]),
            affine.rotation(turn),
            affine.scaling(zoom * stretch, zoom / stretch),
            affine.translation(-columns / 2, -rows / 2),
        )
        view = View(affine.compose(about_center, view.input_from_image), input_size, (0, 0, columns, rows))
        if rng.random() < self.vertical_flip:
            upside_down = np.array([[1, 0, 0], [0, -1, rows]], np.float64)
            view = view._replace(input_from_image=affine.compose(upside_down, view.input_from_image))
        return flipped(view) if rng.random() < self.flip else view


def crop_view(image_size: Size, input_size: Size, center: tuple[int, int], scale: float) -> View:
    """A crop of `int(scale * input side)` pixels about `center` (x, y), resized to the input.

    The crop's last row and column stay black when its side is odd, and so does all outside the image.

    Source: `random_crop` of princeton-vl/CornerNet, `sample/utils.py`.
    """
    rows, columns = input_size
    crop_height, crop_width = (max(2, int(n * scale)) for n in input_size)
    stretch = (columns / crop_width, rows / crop_height)
    placed = affine.compose(
        affine.scaling(*stretch),
        affine.translation(crop_width // 2 - center[0], crop_height // 2 - center[1]),
    )
    visible = (
        0,
        0,
        columns if crop_width % 2 == 0 else int(columns - stretch[0] / 2),
        rows if crop_height % 2 == 0 else int(rows - stretch[1] / 2),
    )
    return View(placed, input_size, visible)


def flipped(view: View) -> View:
    """The mirror image of a view."""
    columns = view.input_size[1]
    x1, y1, x2, y2 = view.visible
    mirror = affine.horizontal_flip(columns)
    return View(
        affine.compose(mirror, view.input_from_image), view.input_size, (columns - x2, y1, columns - x1, y2)
    )
