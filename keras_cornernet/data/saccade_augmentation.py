"""CornerNet-Saccade's augmentation: a crop near one object, at a size that suits it."""

from dataclasses import dataclass

import numpy as np

from keras_cornernet.data.augmentation import flipped
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import Size, View

# Longer side of the chosen box in image pixels above which it is shown at a drawn one of these lengths, both
# ends included.
SHOWN_LENGTHS = ((96, (96, 254)), (32, (32, 96)), (0, (16, 32)))


@dataclass(frozen=True)
class SaccadeCrop:
    """A crop at the scale of one of the objects, beside it or anywhere about it, flipped half of the time.

    Attributes:
        scales: drawn from where the image has no box.
        near: in every other crop the box's middle is fewer than so many pixels from the crop's, unless the
            image's edge is nearer.
        flip: probability of the mirror image.
        jitter, lighting: of the colours.
        min_visible: None leaves it to the codec which boxes the crop shows too badly: it is told the share of
            each that is left.

    Source: Law et al. 2019 (CornerNet-Lite), sec. 3; princeton-vl/CornerNet-Lite,
    `core/sample/cornernet_saccade.py`. There the scaled image is cut to whole pixels and its boxes are not;
    here one affine moves both.
    """

    scales: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
    near: int = 15
    flip: float = 0.5
    jitter: float = 0.4
    lighting: float = 0.1
    min_visible: float | None = None

    def draw(self, image_size: Size, input_size: Size, rng: np.random.Generator, boxes=None) -> View:
        """Draws the view of one image.

        Args:
            image_size, input_size: `(height, width)`.
            rng: the source of all draws.
            boxes: `(n, 4)` `xyxy` of the objects, image pixels.
        """
        box = self._one_of(boxes, image_size, rng)
        scale = rng.choice(np.asarray(self.scales)) if box is None else self._scale_of(box, rng)
        scaled = tuple(max(1, int(n * scale)) for n in image_size)
        stretch = [scaled[1] / image_size[1], scaled[0] / image_size[0]]
        beside = rng.random() < 0.5
        center = []
        for axis in (0, 1):
            span = None if box is None else box[axis::2] * stretch[axis]
            length, side = scaled[1 - axis], input_size[1 - axis]
            center.append(self._center(span, length, side, beside, rng))
        view = scaled_crop_view(image_size, scaled, input_size, center)
        return flipped(view) if rng.random() < self.flip else view

    def _one_of(self, boxes, image_size, rng):
        """One of the boxes, clipped to the image; None if nothing is left of any."""
        if boxes is None:
            return None
        height, width = image_size
        clipped = np.clip(boxes, 0, [width, height, width, height])
        clipped = clipped[(clipped[:, 2:] > clipped[:, :2]).all(axis=1)]
        return clipped[rng.integers(len(clipped))] if len(clipped) else None

    def _scale_of(self, box, rng):
        longer = max(box[2] - box[0], box[3] - box[1])
        low, high = next(lengths for above, lengths in SHOWN_LENGTHS if longer > above)
        return rng.integers(low, high + 1) / longer

    def _center(self, span, length, side, beside, rng) -> int:
        """Where the middle of the crop lies along one axis, in pixels of the scaled image.

        Args:
            span: the two ends of the box, or None.
            length, side: of the scaled image and of the crop.
            beside: near the middle of the box; otherwise anywhere, so that the box is seen whole.
        """
        if length <= side:
            return length // 2
        if span is None:
            return int(rng.integers(0, length - side + 1)) + side // 2
        first, last = span
        if beside:
            middle = min(int((first + last) / 2), length - 1)
            low, high = middle - rng.integers(self.near), middle + rng.integers(self.near)
            return int(rng.integers(max(low, 0), min(high, length - 1) + 1))
        start = max(int(last) - side, 0)
        return int(rng.integers(start, max(min(length - side, int(first)), start) + 1)) + side // 2


def scaled_crop_view(image_size: Size, scaled: Size, input_size: Size, center: tuple[int, int]) -> View:
    """A crop of the input's size from the image resized to `scaled`, about `center` (x, y) of that.

    Outside the image the input is black, and so are the last row and column of an odd side, as released.

    Source: `crop_image` of princeton-vl/CornerNet-Lite, `core/sample/utils.py`.
    """
    shift = [side // 2 - place for side, place in zip(input_size[::-1], center, strict=True)]
    placed = affine.compose(
        affine.translation(*shift), affine.scaling(scaled[1] / image_size[1], scaled[0] / image_size[0])
    )
    ends = [
        (max(move, 0), min(length + move, side // 2 * 2))
        for move, length, side in zip(shift, scaled[::-1], input_size[::-1], strict=True)
    ]
    (left, right), (top, bottom) = ends
    return View(placed, input_size, (left, top, right, bottom))
