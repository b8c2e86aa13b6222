"""The augmentation for photographs: a wide zoom, mosaics of four images, and changes of all colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_cornernet.checks import check_number, check_numbers
from keras_cornernet.data.color import color_map
from keras_cornernet.data.draws import Rectangle
from keras_cornernet.preprocessing import Size, View


@dataclass(frozen=True)
class PhotoAugmentation:
    """An augmentation for photographs of things at any distance.

    An image is shown at any scale, anywhere in the input, or shares it with three others of the data set: a
    mosaic shows more objects, smaller ones, and each before another background. Towards the end of a run
    images are shown alone, as they are in use.

    Attributes:
        zoom: smallest and largest factor on the size at which an image fits into the input.
        stretch: largest change of one side relative to the other, as a logarithm.
        flip: probability of the mirror image.
        mosaic: probability that four images share the input.
        mosaic_until: fraction of the run after which none do.
        mosaic_zoom: as `zoom`, of the images of a mosaic, on the geometric mean of the sizes at which an
            image fits into its quarter and covers it.
        mosaic_center: smallest and largest position of the point where the four meet, as a fraction of the
            input's sides.
        brightness, contrast, saturation: largest change of a factor.
        gain: largest change of the factor of each colour channel.
        grey: probability of a grey image.
        min_visible: a box of which a smaller fraction of the area is visible is ignored.
        min_kept: a box of which a smaller fraction is visible is left out.
        min_side: a box with a shorter side in input pixels is ignored.

    Raises:
        ValueError: a value is out of its range.

    Source: mosaics, Bochkovskiy et al. 2020 (YOLOv4), sec. 3.4.
    """

    zoom: tuple[float, float] = (0.5, 2.2)
    stretch: float = 0.25
    flip: float = 0.5
    mosaic: float = 0.5
    mosaic_until: float = 0.85
    mosaic_zoom: tuple[float, float] = (0.9, 2.2)
    mosaic_center: tuple[float, float] = (0.3, 0.7)
    brightness: float = 0.28
    contrast: float = 0.28
    saturation: float = 0.45
    gain: float = 0.08
    grey: float = 0.05
    min_visible: float = 0.4
    min_kept: float = 0.08
    min_side: float = 5.0

    clips_colors = True

    def __post_init__(self) -> None:
        for name in ("zoom", "mosaic_zoom"):
            check_numbers(name, getattr(self, name), length=2, above=0)
        check_numbers("mosaic_center", self.mosaic_center, length=2, above=0, below=1)
        for name in ("flip", "mosaic", "mosaic_until", "grey", "min_visible", "min_kept"):
            check_number(name, getattr(self, name), at_least=0, at_most=1)
        for name in ("stretch", "min_side"):
            check_number(name, getattr(self, name), at_least=0)
        for name in ("brightness", "contrast", "saturation", "gain"):
            check_number(name, getattr(self, name), at_least=0, below=1)

    def draw(
        self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes: np.ndarray | None = None
    ) -> View:
        """Draws the view of one image that is shown alone, whatever its boxes are."""
        rows, columns = input_size
        scale = min(rows / image_size[0], columns / image_size[1]) * _between(self.zoom, rng.random())
        return self._placed(image_size, scale, (0, 0, columns, rows), input_size, rng)

    def draws_mosaic(self, progress: float, rng: np.random.Generator) -> bool:
        """Draws whether the example shows four images.

        Args:
            progress: the fraction of the run that is over.
            rng: the source of all draws.
        """
        return rng.random() < self.mosaic and progress < self.mosaic_until

    def draw_mosaic(
        self, image_sizes: Sequence[Size], input_size: Size, rng: np.random.Generator
    ) -> tuple[View, ...]:
        """Draws the views of four images that share the input: each has the quarter that is its `visible`."""
        rows, columns = input_size
        low, high = self.mosaic_center
        x, y = (round(n * (low + (high - low) * rng.random())) for n in (columns, rows))
        quarters = ((0, 0, x, y), (x, 0, columns, y), (0, y, x, rows), (x, y, columns, rows))
        views = []
        for (height, width), quarter in zip(image_sizes, quarters, strict=True):
            x1, y1, x2, y2 = quarter
            fit_and_cover = (x2 - x1) / width * ((y2 - y1) / height)
            scale = math.sqrt(fit_and_cover) * _between(self.mosaic_zoom, rng.random())
            views.append(self._placed((height, width), scale, quarter, input_size, rng))
        return tuple(views)

    def draw_color(self, rng: np.random.Generator) -> np.ndarray:
        """Draws a `(3, 5)` map: brightness, then contrast, saturation and gain of the channels; or grey."""
        dice = rng.random(7).tolist()
        changes = (self.brightness, self.contrast, self.saturation, self.gain, self.gain, self.gain)
        factors = [1 + change * (2 * u - 1) for change, u in zip(changes, dice, strict=False)]
        brightness, contrast, saturation = factors[:3]
        own, mean = brightness * contrast, brightness * (1 - contrast)
        if dice[6] < self.grey:
            return color_map(0.0, own, mean)
        return color_map(own * saturation, own * (1 - saturation), mean, gain=factors[3:])

    def draw_fill(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """Draws the colour outside of the images: any grey."""
        level = int(rng.integers(256))
        return (level, level, level)

    def _placed(
        self,
        image_size: Size,
        scale: float,
        rectangle: Rectangle,
        input_size: Size,
        rng: np.random.Generator,
    ) -> View:
        """An image at about `scale`, anywhere within a rectangle, or anywhere around it if it is larger."""
        (height, width), (x1, y1, x2, y2) = image_size, rectangle
        stretched, across, down, mirror = rng.random(4).tolist()
        stretch = math.exp(self.stretch * (stretched - 0.5))
        a, d = scale * stretch, scale / stretch
        x, y = x1 + (x2 - x1 - a * width) * across, y1 + (y2 - y1 - d * height) * down
        if mirror < self.flip:
            a, x = -a, x + a * width
        return View(np.array([[a, 0, x], [0, d, y]], np.float64), input_size, rectangle)


def _between(ends: tuple[float, float], fraction: float) -> float:
    """A factor between two, by the fraction of the way on a logarithmic scale."""
    smallest, largest = ends
    return float(smallest * (largest / smallest) ** fraction)
