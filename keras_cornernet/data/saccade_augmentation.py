"""The augmentation of CornerNet-Saccade: a crop near one object, at a scale that suits its size."""

from dataclasses import dataclass

import numpy as np

from keras_cornernet.data.augmentation import flipped
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import Size, View

# If the longer side of the chosen box is above the first number (image pixels), it is scaled to a random
# length within the pair (input pixels, both ends included).
SCALED_LENGTHS = ((96, (96, 254)), (32, (32, 96)), (0, (16, 32)))


@dataclass(frozen=True)
class SaccadeCrop:
    """A crop at a scale that suits one of the objects, near or around it, mirrored half of the time.

    Attributes:
        scales: of which one is drawn where the image has no box.
        near: in every other crop, the centres of box and crop are fewer than this number of pixels apart,
            unless the image's edge is nearer.
        flip: probability of the mirror image.
        jitter, lighting: of the colours, see `draw_color`.
        min_visible: None lets the codec decide which boxes to ignore; it is given the visible fraction of
            each.

    Source: Law et al. 2019 (CornerNet-Lite), sec. 3; princeton-vl/CornerNet-Lite,
    `core/sample/cornernet_saccade.py`. There the size of the scaled image is truncated to whole pixels while
    its boxes are not; here one affine map moves both.
    """

    scales: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
    near: int = 15
    flip: float = 0.5
    jitter: float = 0.4
    lighting: float = 0.1
    min_visible: float | None = None

    def draw(
        self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes: np.ndarray | None = None
    ) -> View:
        """Draws the view of one image.

        Args:
            image_size, input_size: `(height, width)`.
            rng: the source of all draws.
            boxes: `(n, 4)` `xyxy` of the objects, image pixels.
        """
        box = self._one_of(boxes, image_size, rng)
        scale = self.scales[rng.integers(len(self.scales))] if box is None else self._scale_of(box, rng)
        height, width = (max(1, int(n * scale)) for n in image_size)
        stretch = [width / image_size[1], height / image_size[0]]
        near = rng.random() < 0.5
        x, y = (
            self._center(None if box is None else box[axis::2] * stretch[axis], length, side, near, rng)
            for axis, (length, side) in enumerate(((width, input_size[1]), (height, input_size[0])))
        )
        view = scaled_crop_view(image_size, (height, width), input_size, (x, y))
        return flipped(view) if rng.random() < self.flip else view

    def _one_of(
        self, boxes: np.ndarray | None, image_size: Size, rng: np.random.Generator
    ) -> np.ndarray | None:
        """One of the boxes, clipped to the image; None if no box is in the image."""
        if boxes is None:
            return None
        height, width = image_size
        clipped = np.clip(boxes, 0, [width, height, width, height])
        clipped = clipped[(clipped[:, 2:] > clipped[:, :2]).all(axis=1)]
        return np.asarray(clipped[rng.integers(len(clipped))]) if len(clipped) else None

    def _scale_of(self, box: np.ndarray, rng: np.random.Generator) -> float:
        longer = max(box[2] - box[0], box[3] - box[1])
        low, high = next(lengths for above, lengths in SCALED_LENGTHS if longer > above)
        return float(rng.integers(low, high + 1) / longer)

    def _center(
        self, span: np.ndarray | None, length: int, side: int, near: bool, rng: np.random.Generator
    ) -> int:
        """The centre of the crop along one axis, in pixels of the scaled image.

        Args:
            span: the two ends of the box, or None.
            length: of the scaled image.
            side: of the crop.
            near: draw it near the centre of the box, otherwise anywhere so that the whole box is visible.
            rng: the source of all draws.
        """
        if length <= side:
            return length // 2
        if span is None:
            return int(rng.integers(0, length - side + 1)) + side // 2
        first, last = span
        if near:
            middle = min(int((first + last) / 2), length - 1)
            low = middle - int(rng.integers(self.near))
            high = middle + int(rng.integers(self.near))
            return int(rng.integers(max(low, 0), min(high, length - 1) + 1))
        start = max(int(last) - side, 0)
        return int(rng.integers(start, max(min(length - side, int(first)), start) + 1)) + side // 2


def scaled_crop_view(image_size: Size, scaled: Size, input_size: Size, center: tuple[int, int]) -> View:
    """A crop of the input's size from the image resized to `scaled`, around the point `center` (x, y) of it.

    Outside of the image the input is black, and so is the last row or column of an odd side, as in the
    released code.

    Source: `crop_image` of princeton-vl/CornerNet-Lite, `core/sample/utils.py`.
    """
    shift = [side // 2 - middle for side, middle in zip(input_size[::-1], center, strict=True)]
    placed = affine.compose(
        affine.translation(shift[0], shift[1]),
        affine.scaling(scaled[1] / image_size[1], scaled[0] / image_size[0]),
    )
    ends = [
        (max(start, 0), min(length + start, side // 2 * 2))
        for start, length, side in zip(shift, scaled[::-1], input_size[::-1], strict=True)
    ]
    (left, right), (top, bottom) = ends
    return View(placed, input_size, (left, top, right, bottom))
