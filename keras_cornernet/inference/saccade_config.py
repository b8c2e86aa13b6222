"""Settings of CornerNet-Saccade."""

from dataclasses import dataclass
from typing import Any

from keras_cornernet.checks import check_flag, check_number, check_numbers, check_size
from keras_cornernet.inference.config import LARGEST_DIVISOR, PostprocessConfig, check_positive
from keras_cornernet.preprocessing import Size


@dataclass(frozen=True)
class SaccadeConfig(PostprocessConfig):
    """Which crops CornerNet-Saccade takes.

    Attributes:
        input_size: `(height, width)` of the crops, a square.
        first_sizes: in the first round the whole image is shown with its longer side at each of these
            lengths.
        thresholds: one for each round; where an attention map is higher, a crop is taken in the next round.
        zooms: one triple for each round: by how much the crops of large, medium and small objects zoom in
            further.
        max_crops: crops of each image after the first round.
        crop_batch: crops that go through the network together, of all images that are read together; the last
            batch is filled up.
        first_score: boxes of the first round with a lower score are left out.
        box_score: around boxes with a higher score another crop is taken, at a zoom that suits their size.
            None takes none, and takes the regions that attention maps mark in their order, crop by crop and
            from large to small objects, without suppressing any: `"ref_dets": false` of the released code.
        nms_distance: of regions that are at most this many crop pixels apart at about the same zoom, the best
            one is kept; not with `box_score=None`.
        nms_both_axes: whether regions must be that close in x and y; False requires x or y, as in the
            released code, which keeps few regions.
        released_geometry: regions and boxes come back to the image by the zoom that was asked for, as in the
            released code, although crops are stretched slightly more to fill whole pixels; a marked cell
            stands for its upper left corner; boxes are clipped to the image only at the end. The published
            numbers were measured so. Otherwise regions and boxes come back by the inverse of the crop's
            affine, a cell stands for its centre, and boxes are clipped before suppression.

    Raises:
        ValueError: a value is out of range; the message names it.

    Source: Law et al. 2019 (CornerNet-Lite), sec. 3; princeton-vl/CornerNet-Lite,
    `core/test/cornernet_saccade.py` and `configs/CornerNet_Saccade.json`.
    """

    flip: bool = False
    sigma: float = 0.7
    input_size: Size = (255, 255)
    first_sizes: tuple[float, ...] = (192.0, 255.0)
    thresholds: tuple[float, ...] = (0.3,)
    zooms: tuple[tuple[float, float, float], ...] = ((1.0, 2.0, 4.0),)
    max_crops: int = 30
    crop_batch: int = 30
    first_score: float = 0.3
    box_score: float | None = 0.5
    nms_distance: float = 16.0
    nms_both_axes: bool = False
    released_geometry: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_size("input_size", self.input_size)
        if self.input_size[0] != self.input_size[1]:
            raise ValueError(f"input_size must be a square, not {self.input_size}")
        check_positive("first_sizes", self.first_sizes)
        check_numbers("first_sizes", self.first_sizes, at_most=LARGEST_DIVISOR)
        check_numbers("thresholds", self.thresholds, at_least=0, at_most=1)
        if len(self.zooms) != len(self.thresholds):
            raise ValueError(
                f"zooms and thresholds must hold one entry for each round, not {len(self.zooms)} and "
                f"{len(self.thresholds)}"
            )
        for i, zooms in enumerate(self.zooms):
            check_numbers(f"zooms[{i}]", zooms, length=3, above=0)
        check_number("max_crops", self.max_crops, at_least=1, whole=True)
        check_number("crop_batch", self.crop_batch, at_least=1, whole=True)
        check_number("first_score", self.first_score, at_least=0, at_most=1)
        if self.box_score is not None:
            check_number("box_score", self.box_score, at_least=0, at_most=1)
        check_number("nms_distance", self.nms_distance, at_least=0)
        check_flag("nms_both_axes", self.nms_both_axes)
        check_flag("released_geometry", self.released_geometry)

    def check_network(self, network: Any) -> None:
        """See `PostprocessConfig.check_network`."""
        network.check_input_size(self.input_size)
