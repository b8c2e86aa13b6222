"""Joints as one heatmap each, encoded and decoded."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from keras import ops

from keras_cornernet.backend import first_maximum
from keras_cornernet.checks import check_choice, check_flag, check_number, check_odd
from keras_cornernet.codecs.arguments import Sides, check_annotations, maps_of_branch
from keras_cornernet.codecs.refinement import REFINEMENTS, refined
from keras_cornernet.ops.gather import flatten_cells
from keras_cornernet.tensors import Size, Tensor

CENTERS = ("subpixel", "cell")
OUTSIDE = ("window", "center")
SHAPES = ("gaussian", "cauchy")
KEYPOINTS: dict[str, Sides] = {"keypoints": ("batch", "k", 2), "keypoint_weights": ("batch", "k")}


class DecodedKeypoints(NamedTuple):
    """Joints read from the maps.

    Attributes:
        points: `(batch, k, 2)` float32 x, y in input pixels.
        scores: `(batch, k)` float32, the height of each peak.
    """

    points: Tensor
    scores: Tensor


@dataclass(frozen=True)
class KeypointCodec:
    """Draws each joint as a Gaussian on a map of its own, and finds it again as the maximum of the map.

    Attributes:
        sigma: standard deviation of the Gaussian in grid cells.
        radius: the Gaussian is cut off this many cells from its centre cell; None draws it over the whole
            map.
        center: `"subpixel"` centres the Gaussian at the joint; `"cell"` in the middle of its cell, as the
            released codes do.
        half_cell: whether cell 0 covers 0..1 of the grid with its centre at a half, which decoding adds;
            False lets cell 0 stand for the position 0, as in mmpose.
        outside: a joint is drawn if its window (`"window"`; three sigma for a Gaussian without a radius) or
            its cell (`"center"`) overlaps the map.
        shape: `"gaussian"`, or `"cauchy"` of pytorch-pose.
        refinement: how the position is computed from the cell of the maximum, see `codecs.refinement`.
        blur: side of DARK's blur in cells, an odd number.

    Raises:
        ValueError: a setting is out of its range; the message names it.

    Source: Newell et al. 2016, sec. 3.1 (sigma 1; the released Lua code draws 1.75). `KeypointCodec()` has
    the paper's sigma and sub-pixel centres; `KeypointCodec.named` gives those of the released codes.
    """

    sigma: float = 1.0
    radius: int | None = None
    center: str = "subpixel"
    half_cell: bool = True
    outside: str = "window"
    shape: str = "gaussian"
    refinement: str = "quarter"
    blur: int = 11

    def __post_init__(self) -> None:
        check_number("sigma", self.sigma, above=0)
        if self.radius is not None:
            check_number("radius", self.radius, at_least=0, whole=True)
        check_choice("center", self.center, CENTERS)
        check_flag("half_cell", self.half_cell)
        check_choice("outside", self.outside, OUTSIDE)
        check_choice("shape", self.shape, SHAPES)
        check_choice("refinement", self.refinement, REFINEMENTS)
        check_odd("blur", self.blur)

    @classmethod
    def named(cls, name: str) -> Self:
        """The codec of a released code: `"newell"`, `"umich"`, `"bearpaw"` or `"mmpose"`.

        Raises:
            ValueError: there is no such name.
        """
        check_choice("name", name, RELEASED)
        return cls(**RELEASED[name])

    def encode(self, annotations: dict[str, Tensor], input_size: Size, grid_size: Size) -> dict[str, Any]:
        """Draws the targets of a batch on the device.

        Args:
            annotations: `"keypoints"` `(batch, k, 2)` float32 x, y in input pixels; `"keypoint_weights"`
                `(batch, k)`, 0 for joints that are not annotated.
            input_size, grid_size: `(height, width)` of the images and of the maps.

        Returns:
            `{"keypoints": {"heatmap": (batch, h, w, k), "weight": (batch, k)}}`; the map of a joint that is
            not annotated or lies outside is empty and its weight 0.

        Raises:
            ValueError: an array is missing or has another shape; the message names it.
        """
        check_annotations(annotations, KEYPOINTS, {}, input_size=input_size, grid_size=grid_size)
        points, weights = annotations["keypoints"], ops.cast(annotations["keypoint_weights"], "float32")
        (height, width), (rows, columns) = input_size, grid_size
        position = points * np.array([columns / width, rows / height], np.float32)
        position = position - (0.5 if self.half_cell else 0.0)
        # Truncated, not floored, as in the released codes: it matters only left of the map and above it.
        cell = ops.cast(ops.cast(position + 0.5, "int32"), "float32")
        y, x = (np.arange(n, dtype=np.float32)[:, None] for n in grid_size)
        value = self._profile(y, x, cell if self.center == "cell" else position)
        if self.radius is not None:
            near = ops.abs(y - cell[:, None, :, 1])[:, :, None] <= self.radius
            near = near & (ops.abs(x - cell[:, None, :, 0])[:, None] <= self.radius)
            value = ops.where(near, value, 0.0)
        reach = 3 * self.sigma if self.radius is None else self.radius
        reach = 0 if self.outside == "center" else reach
        end = np.array([columns, rows], np.float32)
        drawn = (weights > 0) & ops.all((cell >= -reach) & (cell < end + reach), axis=-1)
        value = ops.where(drawn[:, None, None], value, 0.0)
        return {"keypoints": {"heatmap": value, "weight": ops.where(drawn, weights, 0.0)}}

    def _profile(self, y: np.ndarray, x: np.ndarray, middle: Tensor) -> Tensor:
        """`(batch, rows, columns, k)`, the Gaussians or Cauchy profiles around `(batch, k, 2)` points."""
        # `(batch, rows, 1, k)` and `(batch, 1, columns, k)`
        down = (y - middle[:, None, :, 1])[:, :, None]
        right = (x - middle[:, None, :, 0])[:, None]
        square = down * down + right * right
        if self.shape == "cauchy":
            return self.sigma / ops.power(square + self.sigma**2, 1.5)
        return ops.exp(-square / (2 * self.sigma**2))

    def decode(self, outputs: list[Any], input_size: Size) -> DecodedKeypoints:
        """Finds the maximum of each map of the last stack, and refines it.

        Of equal maxima the first in reading order is taken. The maximum of a map without a positive value is
        not refined; the released codes return the corner (0, 0) there, or -1.

        Args:
            outputs: of the network.
            input_size: `(height, width)` of the images.

        Raises:
            ValueError: the maps are missing or have another shape; the message names them.
        """
        heads = maps_of_branch(outputs, "keypoints", {"heatmap": "k"}, input_size)
        maps = ops.cast(heads["heatmap"], "float32")
        rows, columns = maps.shape[1:3]
        flat = flatten_cells(maps)
        index = first_maximum(flat, axis=1)
        scores = ops.max(flat, axis=1)
        x, y = index % columns, index // columns
        moved = ops.stack(refined(maps, x, y, self.refinement, blur=self.blur), axis=-1)
        # On a map without a peak the neighbours mean nothing.
        moved = ops.where((scores > 0)[..., None], moved, 0.0)
        half = 0.5 if self.half_cell else 0.0
        cell = ops.stack([ops.cast(x, "float32"), ops.cast(y, "float32")], axis=-1)
        height, width = input_size
        pixels = np.array([width / columns, height / rows], np.float32)
        return DecodedKeypoints((cell + moved + half) * pixels, scores)


RELEASED: dict[str, dict[str, Any]] = {
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
