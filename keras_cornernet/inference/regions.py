"""The regions that CornerNet-Saccade crops: `(n, 4)` arrays, rows y, x in image pixels, zoom, score."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.codecs import LEVELS
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import Size, View, warp, zoom_view

LARGEST_ZOOM = 4.0  # crops with a larger zoom are not taken
LARGEST_ATTENDED_ZOOM = 2.0  # on crops with a larger zoom, attention maps are not read
# Boxes whose longer side exceeds the first number of image pixels are shown with the second as that side.
BOX_SIZES = ((96.0, 192.0), (32.0, 64.0), (0.0, 24.0))


class ZoomedCrop(NamedTuple):
    """A crop of an image.

    Attributes:
        view: how the crop is resampled.
        zoom: crop pixels for one image pixel; a float32 in the first round of the released code, see
            `first_regions`.
        corner: x, y of the crop's upper left corner in image pixels, for the way back of the released code,
            see `SaccadeConfig.released_geometry`; None for the inverse of the view's affine.
    """

    view: View
    zoom: float | np.floating[Any]
    corner: tuple[int, int] | None = None

    @property
    def image_from_input(self) -> np.ndarray:
        """The `(2, 3)` affine from crop pixels back to image pixels."""
        if self.corner is None:
            return self.view.image_from_input
        return affine.compose(affine.translation(*self.corner), affine.scaling(*[1 / float(self.zoom)] * 2))

    def points_to_image(self, points: np.ndarray) -> np.ndarray:
        """`(..., 2)` points from crop pixels back to image pixels."""
        if self.corner is None:
            return affine.transform_points(self.image_from_input, points)
        # Divided as in the released code: marked cells often lie exactly `nms_distance` apart, and then the
        # last digit decides.
        return points / self.zoom + self.corner

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The `(height, width, 3)` float32 input.

        Only the visible part of the image is touched, which may be small. Its edge is repeated for half a
        pixel and values are not rounded to grey levels, as in the released code.
        """
        input_from_image = self.view.input_from_image
        visible = np.array([self.view.visible], np.float64)
        left, top, right, bottom = np.rint(self.view.boxes_to_image(visible)[0]).astype(int)
        part = image[top:bottom, left:right]
        input_from_part = affine.compose(input_from_image, affine.translation(left, top))
        return warp(part, input_from_part, self.view.input_size, visible=self.view.visible, rounded=False)


def crop_at(region: np.ndarray, image_size: Size, input_size: Size, *, released: bool) -> ZoomedCrop:
    """The crop of a region.

    Args:
        region: y, x, zoom, score.
        image_size, input_size: `(height, width)` of the image and of the crop.
        released: whether boxes come back as in `SaccadeConfig.released_geometry`.
    """
    (y, x), zoom = map(float, region[:2]), region[2]
    rows, columns = (crop_side(side, zoom, released=released) for side in input_size)
    view = zoom_view(image_size, (x, y), (rows, columns), input_size, whole=not released)
    corner = (int(x) - columns // 2, int(y) - rows // 2) if released else None
    return ZoomedCrop(view, zoom, corner)


def crop_side(side: int, zoom: np.floating[Any], *, released: bool) -> int:
    """The side in image pixels, at least 2, of the crop that is resized to `side` input pixels.

    The released code truncates the quotient, which it computes in the type of `zoom`. Rounding makes some
    quotients a little smaller than the whole number that they should be; only there the two differ.
    """
    if released:
        return max(2, int(zoom.dtype.type(side) / zoom))
    return max(2, int(side / float(zoom) * (1 + 1e-6)))


def first_regions(image_size: Size, sizes: Sequence[float]) -> np.ndarray:
    """The centre of the image, zoomed so that the longer side of the image has each of `sizes`.

    These regions are float32 and those of later rounds float64, as in the released code: the last digit of a
    zoom decides on the last pixel of a crop, and on regions that lie exactly `nms_distance` apart.
    """
    height, width = image_size
    rows = [[height // 2, width // 2, size / max(image_size), 1.0] for size in sizes]
    return np.array(rows, np.float32)


def attended_regions(
    maps: Mapping[str, np.ndarray],
    crops: Sequence[ZoomedCrop],
    image_size: Size,
    *,
    threshold: float,
    zooms: Sequence[float],
    closer: bool,
    anchor: float,
) -> np.ndarray:
    """The regions that attention maps mark inside the image.

    Args:
        maps: `{level: (n, rows, columns)}` of the peaks on `n` crops.
        crops: the `n` crops.
        image_size: `(height, width)`.
        threshold: cells with a higher attention are marked.
        zooms: how much further to zoom in on large, medium and small objects.
        closer: leave out levels whose factor in `zooms` is not above 1.
        anchor: the point of a cell that becomes the centre of the region: 0.5 is the cell's centre, 0 its
            upper left corner.

    Source: `decode_atts` of princeton-vl/CornerNet-Lite, `core/test/cornernet_saccade.py`.
    """
    found = [np.zeros((0, 4))]
    for i, crop in enumerate(crops):
        for (name, level), factor in zip(LEVELS.items(), zooms, strict=True):
            zoom = crop.zoom * factor
            if crop.zoom > LARGEST_ATTENDED_ZOOM or zoom > LARGEST_ZOOM or (closer and factor <= 1):
                continue
            cells = np.argwhere(maps[name][i] > threshold)
            points = (cells[:, ::-1] + anchor) * level.stride
            x, y = crop.points_to_image(points).T
            scores = maps[name][i][tuple(cells.T)]
            rows = np.stack([y, x, np.full(len(cells), zoom), scores], axis=1)
            found.append(rows[(y >= 0) & (x >= 0) & (y < image_size[0]) & (x < image_size[1])])
    return np.concatenate(found)


def regions_of_boxes(boxes: np.ndarray) -> np.ndarray:
    """The centres of `(n, 4)` boxes in image pixels, with a zoom that depends on their size, and score 1.

    Source: `get_ref_locs` of princeton-vl/CornerNet-Lite, `core/test/cornernet_saccade.py`.
    """
    sides = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)
    shown = np.select(
        [sides > longer for longer, _ in BOX_SIZES[:-1]], [s for _, s in BOX_SIZES[:-1]], BOX_SIZES[-1][1]
    )
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).T
    # A box may be a point, whose zoom would be infinite.
    return np.stack([y, x, shown / np.maximum(sides, 1), np.ones(len(boxes))], axis=1)


def distinct_regions(regions: np.ndarray, nms_distance: float, *, both_ways: bool = False) -> np.ndarray:
    """Suppresses regions that are close to a better one at about the same zoom.

    Two regions are close if they are at most `nms_distance` crop pixels apart in x or in y, measured at the
    zoom of the better one. This is the rule of the released code, which keeps few regions; `both_ways`
    requires x and y.

    Returns:
        The regions that are kept, best first.

    Source: `location_nms` of princeton-vl/CornerNet-Lite, `core/test/cornernet_saccade.py`. Of regions with
    equal scores the last comes first; their order in the released code is undefined.
    """
    order = np.argsort(regions[:, 3], kind="stable")[::-1]
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        distance = np.abs(regions[order, :2] - regions[best, :2])
        distance = distance.max(axis=1) if both_ways else distance.min(axis=1)
        ratio = regions[best, 2] / regions[order, 2]
        same = (distance <= nms_distance / regions[best, 2]) & (ratio >= 0.8) & (ratio <= 1.2)
        order = order[~same]
    return regions[kept]
