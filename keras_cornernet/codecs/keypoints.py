"""Joints as one heatmap each, there and back."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from keras import ops

from keras_cornernet.backend import first_maximum
from keras_cornernet.ops.gather import flatten_cells

CENTERS = ("subpixel", "cell")
OUTSIDE = ("window", "center")
SHAPES = ("gaussian", "cauchy")
REFINEMENTS = ("none", "quarter", "quarter_any", "quarter_axis", "dark")


class DecodedKeypoints(NamedTuple):
    """Joints read off the maps.

    Attributes:
        points: `(batch, k, 2)` float32 x, y in input pixels.
        scores: `(batch, k)` float32, the height of each peak.
    """

    points: object
    scores: object


@dataclass(frozen=True)
class KeypointCodec:
    """Draws each joint as a bump on a map of its own, and finds it again as the map's maximum.

    Attributes:
        sigma: width of the bump in grid cells.
        radius: the bump ends that many cells from its centre cell; None draws it over the whole map.
        center: `"subpixel"` puts the bump where the joint is; `"cell"` in the middle of its cell, as the
            released codes do.
        half_cell: whether cell 0 covers 0..1 of the grid with its centre at a half (and a joint found in it
            gets that half), or stands for the position 0, as in mmpose.
        outside: a joint is drawn while its bump (`"window"`; three sigma of one without a radius) or its cell
            (`"center"`) touches the map.
        shape: `"gaussian"` or pytorch-pose's `"cauchy"`.
        refinement: how a found cell becomes a position. `"none"`: as it is. `"quarter"`: each way a quarter
            of a cell to the higher neighbour, if the cell has all four (pose-hg-train, pytorch-pose).
            `"quarter_any"`: also at the border and between equals, where it goes up and left as
            pytorch_stacked_hourglass does. `"quarter_axis"`: each way by itself, not next to the border
            (mmpose). `"dark"`: to the top of the parabola through the logarithm of the blurred map.
        blur: side of DARK's blur in cells, odd.

    Source: Newell et al. 2016, sec. 3.1 (sigma 1; the released Lua code draws 1.75). `KeypointCodec()` has
    the paper's sigma and sub-pixel centres; `KeypointCodec.named` gives those of the released codes.
    DARK: Zhang et al. 2020, sec. 3.1, and `refine_keypoints_dark` of open-mmlab/mmpose.
    """

    sigma: float = 1.0
    radius: int | None = None
    center: str = "subpixel"
    half_cell: bool = True
    outside: str = "window"
    shape: str = "gaussian"
    refinement: str = "quarter"
    blur: int = 11

    def __post_init__(self):
        for name, choices in (
            ("center", CENTERS),
            ("outside", OUTSIDE),
            ("shape", SHAPES),
            ("refinement", REFINEMENTS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {choices}, not {getattr(self, name)!r}")
        if not self.sigma > 0:
            raise ValueError(f"sigma must be positive, not {self.sigma}")
        if self.radius is not None and self.radius < 0:
            raise ValueError(f"radius must be at least 0, not {self.radius}")
        if self.blur < 1 or self.blur % 2 == 0:
            raise ValueError(f"blur must be odd and at least 1, not {self.blur}")

    @classmethod
    def named(cls, name: str) -> "KeypointCodec":
        """The codec of a released code: `"newell"`, `"umich"`, `"bearpaw"` or `"mmpose"`.

        Raises:
            ValueError: there is no such name.
        """
        if name not in RELEASED:
            raise ValueError(f"name must be one of {tuple(RELEASED)}, not {name!r}")
        return cls(**RELEASED[name])

    def encode(self, annotations: dict, input_size: tuple[int, int], grid_size: tuple[int, int]) -> dict:
        """Draws the targets on the device.

        Args:
            annotations: `"keypoints"` `(batch, k, 2)` float32 x, y in input pixels; `"keypoint_weights"`
                `(batch, k)`, 0 for joints that are not annotated.
            input_size, grid_size: `(height, width)` of the images and of the maps.

        Returns:
            `{"keypoints": {"heatmap": (batch, h, w, k), "weight": (batch, k)}}`; the map of a joint that is
            not annotated or lies outside is empty and its weight 0.
        """
        points, weights = annotations["keypoints"], ops.cast(annotations["keypoint_weights"], "float32")
        (height, width), (rows, columns) = input_size, grid_size
        place = points * np.array([columns / width, rows / height], np.float32)
        place = place - (0.5 if self.half_cell else 0.0)
        # Truncated, not floored, as the released codes do: it matters only left of the map and above it.
        cell = ops.cast(ops.cast(place + 0.5, "int32"), "float32")
        middle = cell if self.center == "cell" else place
        y, x = (np.arange(n, dtype=np.float32)[:, None] for n in grid_size)
        # `(batch, rows, 1, k)` and `(batch, 1, columns, k)`
        down, right = (
            (y - middle[:, None, :, 1])[:, :, None],
            (x - middle[:, None, :, 0])[:, None],
        )
        value = self._bump(down * down + right * right)
        reach = 3 * self.sigma if self.radius is None else self.radius
        reach = 0 if self.outside == "center" else reach
        end = np.array([columns, rows], np.float32)
        drawn = (weights > 0) & ops.all((cell >= -reach) & (cell < end + reach), axis=-1)
        if self.radius is not None:
            near = ops.abs(y - cell[:, None, :, 1])[:, :, None] <= self.radius
            near = near & (ops.abs(x - cell[:, None, :, 0])[:, None] <= self.radius)
            value = ops.where(near, value, 0.0)
        value = ops.where(drawn[:, None, None], value, 0.0)
        return {"keypoints": {"heatmap": value, "weight": ops.where(drawn, weights, 0.0)}}

    def _bump(self, square):
        if self.shape == "cauchy":
            return self.sigma / ops.power(square + self.sigma**2, 1.5)
        return ops.exp(-square / (2 * self.sigma**2))

    def decode(self, outputs: list, input_size: tuple[int, int]) -> DecodedKeypoints:
        """The maximum of each map of the last stack, refined; the first one in reading order of equals.

        A map without a positive value gives its maximum all the same, unrefined; the released codes answer
        with the corner (0, 0) there, or with -1.

        Args:
            outputs: of the network.
            input_size: `(height, width)` of the images.
        """
        maps = ops.cast(outputs[-1]["keypoints"]["heatmap"], "float32")
        rows, columns = maps.shape[1:3]
        flat = flatten_cells(maps)
        index = first_maximum(flat, axis=1)
        scores = ops.max(flat, axis=1)
        x, y = index % columns, index // columns
        refine = {"none": _stay, "dark": self._dark}.get(self.refinement, self._quarter)
        dx, dy = refine(maps, x, y)
        half = 0.5 if self.half_cell else 0.0
        cell = ops.stack([ops.cast(x, "float32"), ops.cast(y, "float32")], axis=-1)
        # On a map without a peak a neighbour means nothing.
        moved = ops.where((scores > 0)[..., None], ops.stack([dx, dy], axis=-1), 0.0)
        height, width = input_size
        pixels = np.array([width / columns, height / rows], np.float32)
        return DecodedKeypoints((cell + moved + half) * pixels, scores)

    def _quarter(self, maps, x, y):
        at, (rows, columns) = _reader(flatten_cells(maps), *maps.shape[1:3]), maps.shape[1:3]
        dx, dy = at(y, x + 1) - at(y, x - 1), at(y + 1, x) - at(y - 1, x)
        if self.refinement == "quarter_any":
            return (ops.where(d > 0, 0.25, -0.25) for d in (dx, dy))
        dx, dy = 0.25 * ops.sign(dx), 0.25 * ops.sign(dy)
        if self.refinement == "quarter":
            inside = (x > 0) & (x < columns - 1) & (y > 0) & (y < rows - 1)
            return ops.where(inside, dx, 0.0), ops.where(inside, dy, 0.0)
        return (
            ops.where((x > 1) & (x < columns - 1) & (y > 0), dx, 0.0),
            ops.where((y > 1) & (y < rows - 1) & (x > 0), dy, 0.0),
        )

    def _dark(self, maps, x, y):
        rows, columns = maps.shape[1:3]
        smooth = ops.einsum("yi,bijk,xj->byxk", _blur(rows, self.blur), maps, _blur(columns, self.blur))
        highest, before = (ops.max(m, axis=(1, 2), keepdims=True) for m in (smooth, maps))
        smooth = smooth * before / ops.maximum(highest, 1e-12)
        at = _reader(flatten_cells(ops.log(ops.maximum(smooth, 1e-10))), rows, columns)
        here = at(y, x)
        gx, gy = (at(y, x + 1) - at(y, x - 1)) / 2, (at(y + 1, x) - at(y - 1, x)) / 2
        xx = (at(y, x + 2) - 2 * here + at(y, x - 2)) / 4
        yy = (at(y + 2, x) - 2 * here + at(y - 2, x)) / 4
        xy = (at(y + 1, x + 1) - at(y - 1, x + 1) - at(y + 1, x - 1) + at(y - 1, x - 1)) / 4
        determinant = xx * yy - xy * xy
        good = (x > 1) & (x < columns - 2) & (y > 1) & (y < rows - 2) & (determinant != 0)
        determinant = ops.where(good, determinant, 1.0)
        dx, dy = (xy * gy - yy * gx) / determinant, (xy * gx - xx * gy) / determinant
        return ops.where(good, dx, 0.0), ops.where(good, dy, 0.0)


RELEASED: dict[str, dict] = {
    # anewell/pose-hg-train: `image.gaussian(7)` of Torch has a sigma of a quarter of its width.
    "newell": {"sigma": 1.75, "radius": 3, "center": "cell"},
    # princeton-vl/pytorch_stacked_hourglass, `GenerateHeatmap` and `HeatmapParser`.
    "umich": {
        "radius": 4,
        "center": "cell",
        "outside": "center",
        "refinement": "quarter_any",
    },
    # bearpaw/pytorch-pose, `draw_labelmap` and `final_preds`.
    "bearpaw": {"radius": 3, "center": "cell"},
    # open-mmlab/mmpose, `MSRAHeatmap`.
    "mmpose": {
        "sigma": 2.0,
        "radius": 6,
        "center": "cell",
        "half_cell": False,
        "refinement": "quarter_axis",
    },
}


def _stay(maps, x, y):
    zero = ops.zeros_like(x, dtype="float32")
    return zero, zero


def _reader(cells, rows, columns):
    """A function that gives the values of `cells` `(batch, rows * columns, k)` at `(batch, k)` places.

    A place outside is answered by the nearest cell of the map.
    """

    batch, count, joints = ops.shape(cells)[0], rows * columns, cells.shape[2]
    flat = ops.reshape(cells, (-1,))
    first = count * ops.arange(batch, dtype="int32")[:, None]

    def at(y, x):
        index = ops.clip(y, 0, rows - 1) * columns + ops.clip(x, 0, columns - 1)
        return ops.take(flat, (first + index) * joints + np.arange(joints, dtype=np.int32))

    return at


@cache
def _blur(count: int, side: int) -> np.ndarray:
    """`(count, count)`: the matrix that blurs a line of cells, zeros beyond its ends.

    The width of the Gaussian follows from `side` as in OpenCV's `GaussianBlur`.
    """
    sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
    weight = np.exp(-np.square(np.arange(side) - side // 2) / (2 * sigma**2))
    weight /= weight.sum()
    band = np.zeros((count, count + 2 * (side // 2)))
    for i in range(count):
        band[i, i : i + side] = weight
    return band[:, side // 2 : side // 2 + count].astype(np.float32)
