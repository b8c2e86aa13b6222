"""Where CornerNet-Saccade looks next: `(n, 4)` arrays with rows y, x in image pixels, zoom, score."""

from typing import NamedTuple

import numpy as np

from keras_cornernet.codecs import LEVELS
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import Size, View, warp, zoom_view, zoomed_side

# Nothing is looked at closer than so many times its size, nor attended to on crops that are twice as close.
LARGEST_ZOOM = 4.0
LARGEST_ATTENDED_ZOOM = 2.0
# Longer side of a box from which it counts, in image pixels, and how long it is shown on its own crop.
BOX_SIZES = ((96.0, 192.0), (32.0, 64.0), (0.0, 24.0))


class ZoomedCrop(NamedTuple):
    """One look at a place of an image.

    Attributes:
        view: the crop.
        zoom: crop pixels for one of the image.
        corner: x, y of the crop's upper left corner in image pixels. With it the way back is the released
            code's, by `zoom` from there; None takes the inverse of the view's affine.
    """

    view: View
    zoom: float
    corner: tuple[int, int] | None = None

    def points_to_image(self, points: np.ndarray) -> np.ndarray:
        """`(..., 2)` points from crop pixels back to image pixels."""
        if self.corner is None:
            return self.view.points_to_image(points)
        return points / self.zoom + self.corner

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The `(height, width, 3)` float32 input.

        Only the part of the image that is seen is touched, which may be small, and its edge is repeated for
        half a pixel, as in the released code. Nor does that round to grey levels.
        """
        way_out = self.view.input_from_image
        seen = affine.transform_boxes(affine.invert(way_out), np.array([self.view.visible], np.float64))[0]
        left, top, right, bottom = np.rint(seen).astype(int)
        part_first = affine.compose(way_out, affine.translation(left, top))
        part = image[top:bottom, left:right]
        return warp(part, part_first, self.view.input_size, visible=self.view.visible, rounded=False)


def crop_at(place: np.ndarray, image_size: Size, input_size: Size, *, released: bool) -> ZoomedCrop:
    """The look at a place.

    Args:
        place: y, x, zoom, score.
        image_size, input_size: `(height, width)` of the image and of the crop.
        released: the way back as in `SaccadeConfig.released_geometry`.
    """
    y, x, zoom = (float(value) for value in place[:3])
    view = zoom_view(image_size, (x, y), zoom, input_size)
    if not released:
        return ZoomedCrop(view, zoom)
    rows, columns = (zoomed_side(side, zoom) for side in input_size)
    return ZoomedCrop(view, zoom, (int(x) - columns // 2, int(y) - rows // 2))


def first_regions(image_size: Size, sizes) -> np.ndarray:
    """The middle of the image, zoomed so that its longer side has each of `sizes`."""
    height, width = image_size
    # Zooms are float32, as the released ones: marked places lie whole cells apart, often exactly as far as is
    # just near enough to be one, and then the last digit decides.
    zooms = np.float32([size / max(image_size) for size in sizes])
    return np.array([[height // 2, width // 2, zoom, 1.0] for zoom in zooms])


def attended_regions(
    maps: dict,
    crops: list[ZoomedCrop],
    image_size: Size,
    *,
    threshold: float,
    zooms,
    closer: bool,
    anchor: float,
) -> np.ndarray:
    """The places that attention maps mark inside the image.

    Args:
        maps: `{level: (n, rows, columns)}` of the peaks on `n` crops.
        crops: how these crops were made.
        image_size: `(height, width)`.
        threshold: marks are higher.
        zooms: how much closer to look at large, medium and small objects.
        closer: leave out levels whose zoom is not above 1.
        anchor: the point of a cell that it stands for: 0.5 its centre, 0 its upper left corner.

    Source: `decode_atts` of princeton-vl/CornerNet-Lite, `core/test/cornernet_saccade.py`.
    """
    found = [np.zeros((0, 4))]
    for i, crop in enumerate(crops):
        for (name, level), factor in zip(LEVELS.items(), zooms, strict=True):
            zoom = factor * crop.zoom
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
    """The middles of `(n, 4)` boxes in image pixels, zoomed as suits their size; all score 1.

    Source: `get_ref_locs` of princeton-vl/CornerNet-Lite, `core/test/cornernet_saccade.py`.
    """
    sides = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)
    shown = np.select(
        [sides > longer for longer, _ in BOX_SIZES[:-1]], [s for _, s in BOX_SIZES[:-1]], BOX_SIZES[-1][1]
    )
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).T
    # A box may be a point, which no zoom would show at any size.
    return np.stack([y, x, shown / np.maximum(sides, 1), np.ones(len(boxes))], axis=1)


def distinct_regions(places: np.ndarray, nms_distance: float, *, both_ways: bool = False) -> np.ndarray:
    """The best of the places that are near each other at about the same zoom, best first.

    Two places are near if they are at most `nms_distance` crop pixels apart, measured at the better one's
    zoom, in x or in y. That is the released code's rule, which leaves few places; `both_ways` wants x and y.

    Source: `location_nms` of princeton-vl/CornerNet-Lite, `core/test/cornernet_saccade.py`. Places of equal
    score are taken last come, first served, where the released order is left to chance.
    """
    order = np.argsort(places[:, 3], kind="stable")[::-1]
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        away = np.abs(places[order, :2] - places[best, :2])
        away = away.max(axis=1) if both_ways else away.min(axis=1)
        ratio = places[best, 2] / places[order, 2]
        same = (away <= nms_distance / places[best, 2]) & (ratio >= 0.8) & (ratio <= 1.2)
        order = order[~same]
    return places[kept]
