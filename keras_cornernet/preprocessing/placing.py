"""Places images in the inputs that a network is trained with: without aliasing, by OpenCV or by Pillow."""

import math

import numpy as np

from keras_cornernet.preprocessing import opencv
from keras_cornernet.preprocessing.views import View
from keras_cornernet.preprocessing.warping import resample


def halvings(input_from_image: np.ndarray) -> int:
    """How often an image is halved, by exact 2x2 means, before it is resampled without aliasing.

    `floor(log2(1 / scale))`, where `scale` is the square root of the map's change of area; 0 if it enlarges.
    """
    (a, b, _), (c, d, _) = input_from_image.tolist()
    area = abs(a * d - b * c)
    return max(0, math.floor(-0.5 * math.log2(max(area, 1e-18)) + 1e-9))


def halve(image: np.ndarray) -> np.ndarray:
    """The means of 2x2 pixels, rounded half up; the last row or column of an odd side is repeated.

    Args:
        image: `(height, width, 3)` uint8.

    Returns:
        `(ceil(height / 2), ceil(width / 2), 3)` uint8.
    """
    height, width, _ = image.shape
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        height, width, _ = image.shape
    if opencv.cv2 is not None:
        size = (width // 2, height // 2)
        half: np.ndarray = opencv.cv2.resize(image, size, interpolation=opencv.cv2.INTER_AREA)
        return half
    rows = image[0::2].astype(np.uint16) + image[1::2]
    means: np.ndarray = (rows[:, 0::2] + rows[:, 1::2] + 2) >> 2
    return means.astype(np.uint8)


def warp_into(canvas: np.ndarray, image: np.ndarray, view: View) -> None:
    """Resamples an image bilinearly and without aliasing into the input that it is placed in.

    Where the image shrinks it is first halved, see `halvings`. Its edge is repeated for half a pixel.

    Args:
        canvas: `(*view.input_size, 3)` uint8, the input; what the image does not cover, or what lies outside
            of `view.visible`, keeps its colour.
        image: `(height, width, 3)` uint8 RGB.
        view: the placement.

    Raises:
        ValueError: `view` maps the image to a line.
    """
    height, width, _ = image.shape
    (a, b, x), (c, d, y) = _inverse(view.input_from_image)
    rows, columns = view.input_size
    left, top, right, bottom = view.visible
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, columns), min(bottom, rows)
    upright = b == c == 0
    if upright:  # the covered part of the input is a rectangle
        left, right = _covered(a, x, width, left, right)
        top, bottom = _covered(d, y, height, top, bottom)
    if left >= right or top >= bottom:
        return
    # What the pixels of the rectangle see, and how much of the image is needed for that.
    level = halvings(view.input_from_image)
    step = 2**level
    seen_x, seen_y = (_seen(row, (left, top, right, bottom)) for row in ((a, b, x), (c, d, y)))
    (first_x, last_x), (first_y, last_y) = _needed(seen_x, step, width), _needed(seen_y, step, height)
    part = image[first_y:last_y, first_x:last_x]
    if not part.size:
        return
    for _ in range(level):
        part = halve(part)
    part_from_target = (
        (a / step, b / step, (a * left + b * top + x - first_x) / step),
        (c / step, d / step, (c * left + d * top + y - first_y) / step),
    )
    target = canvas[top:bottom, left:right]
    if upright or (seen_x[0] >= 0 and seen_x[1] < width and seen_y[0] >= 0 and seen_y[1] < height):
        _resample_into(target, part, part_from_target)
        return
    inside = _inside((a, b, a * left + b * top + x), width, target.shape[:2])
    inside &= _inside((c, d, c * left + d * top + y), height, target.shape[:2])
    found = np.empty(target.shape, np.uint8)
    _resample_into(found, part, part_from_target)
    if opencv.cv2 is None:
        np.copyto(target, found, where=inside[..., None])
    else:
        opencv.cv2.copyTo(found, inside.view(np.uint8), target)


def _inverse(affine: np.ndarray) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The inverse map in numbers; an array would take longer than the rest of the arithmetic."""
    (a, b, x), (c, d, y) = affine.tolist()
    area = a * d - b * c
    if abs(area) < 1e-12:
        raise ValueError("affine cannot be inverted: it maps the plane to a line")
    a, b, c, d = d / area, -b / area, -c / area, a / area
    return (a, b, -a * x - b * y), (c, d, -c * x - d * y)


def _covered(stretch: float, move: float, side: int, first: int, last: int) -> tuple[int, int]:
    """The pixels from `first` to before `last` whose centre, mapped to the image, lies within its side."""
    ends = sorted((-move / stretch - 0.5, (side - move) / stretch - 0.5))
    return max(first, math.ceil(ends[0] - 1e-9)), min(last, math.ceil(ends[1] - 1e-9))


def _seen(row: tuple[float, float, float], target: tuple[int, int, int, int]) -> tuple[float, float]:
    """The smallest and largest coordinate to which pixel centres of a rectangle are mapped."""
    across, down, move = row
    left, top, right, bottom = target
    ends = [
        across * i + down * j + move for i in (left + 0.5, right - 0.5) for j in (top + 0.5, bottom - 0.5)
    ]
    return min(ends), max(ends)


def _needed(seen: tuple[float, float], step: int, side: int) -> tuple[int, int]:
    """The pixels along one side of the image around those that are seen, in whole `step`s."""
    first = math.floor(seen[0] / step - 1) * step
    last = math.ceil(seen[1] / step + 1) * step
    return min(max(first, 0), side), min(max(last, 0), side)


def _inside(row: tuple[float, float, float], side: int, size: tuple[int, ...]) -> np.ndarray:
    """Whether the centres of pixels, mapped by one row of an affine map, lie within a side of the image."""
    across, down, move = row
    rows, columns = size
    mapped = (across * (np.arange(columns) + 0.5) + move)[None] + (down * (np.arange(rows) + 0.5))[:, None]
    inside: np.ndarray = (mapped >= 0) & (mapped < side)
    return inside


def _resample_into(
    target: np.ndarray, image: np.ndarray, image_from_target: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    """Resamples bilinearly; pixels outside of the image show its edge, or anything."""
    cv2 = opencv.cv2
    if cv2 is None or max(image.shape) > opencv.LONGEST_SIDE:
        # Padded, so that a point on the very edge is not taken for one outside.
        padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
        moved = [(a, b, t + 1) for a, b, t in image_from_target]
        target[:] = resample(padded, moved, target.shape[:2])
        return
    # Points of OpenCV are pixel centres.
    centers = np.array([[a, b, t + (a + b - 1) / 2] for a, b, t in image_from_target], np.float64)
    cv2.warpAffine(
        image,
        centers,
        (target.shape[1], target.shape[0]),
        dst=target,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
