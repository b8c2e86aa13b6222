"""Geometric augmentation: each draws ONE affine map, which moves the image and its annotations alike."""

import math
from dataclasses import dataclass, replace

import numpy as np

from keras_cornernet.preprocessing import Size, View

# Rotations by multiples of 90 degrees: a, b, c, d of x' = a x + b y, y' = c x + d y.
_QUARTERS = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))


@dataclass(frozen=True)
class CornerNetCrop:
    """The augmentation of the paper: a random crop at one of eight scales, mirrored half of the time.

    Attributes:
        scales: the crop's side divided by the input's side, or by the image's.
        of_image: crops are relative to the longer side of the image, as in Objects as Points, not to the
            input.
        border: the distance in pixels that the crop's centre keeps from the image's edge, halved until it
            fits.
        flip: probability of the mirror image.
        jitter, lighting: of the colours, see `draw_color`.
        min_visible: a box of which a smaller fraction of the area is visible is ignored; in the paper it is
            positive, however little is visible.

    Source: Law & Deng 2018, sec. 4.1; `random_crop` of princeton-vl/CornerNet, `sample/utils.py`. Of the
    image: `CTDetDataset` of xingyizhou/CenterNet, `src/lib/datasets/sample/ctdet.py`.
    """

    scales: tuple[float, ...] = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
    of_image: bool = False
    border: int = 128
    flip: float = 0.5
    jitter: float = 0.4
    lighting: float = 0.1
    min_visible: float = 0.0

    def draw(
        self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes: np.ndarray | None = None
    ) -> View:
        """Draws the view of one image, whatever its boxes are."""
        scale = self.scales[rng.integers(len(self.scales))]
        if self.of_image:
            scale *= max(image_size) / max(input_size)
        height, width = image_size
        x, y = (
            int(rng.integers(edge, max(n - edge, edge + 1)))
            for n, edge in ((width, self._edge(width)), (height, self._edge(height)))
        )
        view = crop_view(image_size, input_size, (x, y), scale)
        return flipped(view) if rng.random() < self.flip else view

    def _edge(self, side: int) -> int:
        halvings = 1
        while side - self.border // halvings <= self.border // halvings:
            halvings *= 2
        return self.border // halvings


@dataclass(frozen=True)
class SmallDataAugmentation:
    """An augmentation for small data sets: the whole image, shifted, scaled, stretched and mirrored a little.

    Attributes:
        scale: smallest and largest factor on the size at which the image fits into the input.
        shift: largest shift, as a fraction of the input's sides.
        stretch: largest change of one side relative to the other.
        flip: probability of the mirror image.
        vertical_flip: probability of the upside-down image.
        quarter_rotations: rotate by a random multiple of 90 degrees, too; for images such as those of cells,
            which may be seen from any side.
        jitter, lighting: of the colours, see `draw_color`.
        min_visible: a box of which a smaller fraction of the area is visible is ignored.
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
        """The same augmentation with rotations, for images that may be seen from any side."""
        return replace(self, quarter_rotations=True, vertical_flip=0.5)

    def draw(
        self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes: np.ndarray | None = None
    ) -> View:
        """Draws the view of one image, whatever its boxes are."""
        rows, columns = input_size
        smallest, largest = self.scale
        zoom = smallest * (largest / smallest) ** rng.random()
        stretch = math.exp(self.stretch * (rng.random() - 0.5))
        quarters = int(rng.integers(4)) if self.quarter_rotations else 0
        reach = 2 * self.shift * max(1.0, zoom)
        x, y = (columns * (0.5 + reach * (rng.random() - 0.5)), rows * (0.5 + reach * (rng.random() - 0.5)))
        upside_down, mirror = rng.random() < self.vertical_flip, rng.random() < self.flip
        # The image's centre moves to (x, y); in closed form, since training draws many of these.
        fit = zoom * min(rows / image_size[0], columns / image_size[1])
        across, down = fit * stretch, fit / stretch
        a, b, c, d = _QUARTERS[quarters]
        a, b, c, d = a * across, b * down, c * across, d * down
        if upside_down:
            c, d, y = -c, -d, rows - y
        if mirror:
            a, b, x = -a, -b, columns - x
        half_height, half_width = image_size[0] / 2, image_size[1] / 2
        placed = [[a, b, x - a * half_width - b * half_height], [c, d, y - c * half_width - d * half_height]]
        return View(np.array(placed, np.float64), (rows, columns), (0, 0, columns, rows))


def crop_view(image_size: Size, input_size: Size, center: tuple[int, int], scale: float) -> View:
    """A crop of `int(scale * input side)` pixels around `center` (x, y), resized to the input.

    Outside of the image the input is black, and so is the last row or column of a crop with an odd side.

    Source: `random_crop` of princeton-vl/CornerNet, `sample/utils.py`.
    """
    rows, columns = input_size
    crop_height, crop_width = (max(2, int(n * scale)) for n in input_size)
    stretch = (columns / crop_width, rows / crop_height)
    left, top = crop_width // 2 - center[0], crop_height // 2 - center[1]
    placed = np.array([[stretch[0], 0, stretch[0] * left], [0, stretch[1], stretch[1] * top]], np.float64)
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
    mirrored = view.input_from_image.copy()
    mirrored[0] *= -1
    mirrored[0, 2] += columns
    return View(mirrored, view.input_size, (columns - x2, y1, columns - x1, y2))
