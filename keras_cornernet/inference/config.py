"""How detectors and pose networks look at images: frozen settings."""

import math
from dataclasses import dataclass

from keras_cornernet.ops.suppression import METHODS
from keras_cornernet.preprocessing import Size, View, fit_view, padded_view


@dataclass(frozen=True)
class PostprocessConfig:
    """How the boxes that all views of an image gave are reduced to the best.

    Attributes:
        flip: show the mirror image too.
        method, sigma, iou_threshold: of the suppression, see `ops.suppression.soft_nms`.
        merge_exponent: merge suppressed boxes into the kept ones, as the paper does with several scales.
        max_detections: boxes kept for each image.
        border: boxes that reach this many input pixels or more beyond the image are rejected; 5 in CenterNet.
            None rejects none.
        best_center: of several centres in the middle of a box, use the score of the best one; False uses the
            first one, as the released code does, see `codecs.confirm_by_centers`. Only with a `TripletCodec`.
    """

    flip: bool = True
    method: str = "gaussian"
    sigma: float = 0.5
    iou_threshold: float = 0.5
    merge_exponent: float | None = None
    max_detections: int = 100
    border: float | None = None
    best_center: bool = False

    @property
    def center_view(self) -> int:
        """The index of the view whose centres confirm the boxes of all views."""
        return 0

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, not {self.method!r}")


@dataclass(frozen=True)
class InferenceConfig(PostprocessConfig):
    """How a whole image is shown at test.

    Attributes:
        input_size: the image is fitted into this `(height, width)`; None shows it at its own size, padded
            to sides `size_divisor * m - 1`, as the paper does.
        size_divisor: see `input_size`; 128 for a grid of a quarter and five halvings, and for
            CornerNet-Squeeze's of an eighth and four.
        whole_multiples: pad to sides `size_divisor * m` instead, as Objects as Points does.
        scales: the image is shown at each of them and the boxes are pooled; only without `input_size`.

    Source: Law & Deng 2018, sec. 4.2; `kp_detection` of princeton-vl/CornerNet and of Duankaiwen/CenterNet,
    `test/coco.py`.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    input_size: Size | None = None
    size_divisor: int = 128
    whole_multiples: bool = False
    scales: tuple[float, ...] = (1.0,)

    def __post_init__(self):
        super().__post_init__()
        if not self.scales or min(self.scales) <= 0:
            raise ValueError(f"scales must be positive and at least one, not {self.scales}")
        if self.input_size is not None and tuple(self.scales) != (1.0,):
            raise ValueError("scales need input_size=None: a fitted image has one size")

    def views(self, image_size: Size) -> list[View]:
        """The views of an image of `(height, width)`."""
        if self.input_size is not None:
            return [fit_view(image_size, self.input_size)]
        return [
            padded_view(image_size, scale, self.size_divisor, whole_multiples=self.whole_multiples)
            for scale in self.scales
        ]

    @property
    def center_view(self) -> int:
        """The view whose centres confirm the boxes of all: that of the scale nearest to 1.

        The released code of CenterNet takes the scale that is exactly 1, and fails without one.
        """
        return min(range(len(self.scales)), key=lambda i: abs(math.log(self.scales[i])))


@dataclass(frozen=True)
class SaccadeConfig(PostprocessConfig):
    """Where CornerNet-Saccade looks.

    Attributes:
        input_size: `(height, width)` of the crops, a square.
        first_sizes: the whole image is shown first with its longer side at each of these lengths.
        thresholds: one for each round; where an attention map is higher, a crop is taken in the next.
        zooms: one triple for each round: how much further the crops at large, medium and small objects zoom
            in.
        max_crops: of an image, after the first look.
        crop_batch: crops that go through the network together, of all images that are read together; the last
            batch is filled up.
        first_score: boxes of the first look below it are not taken.
        box_score: boxes above it are looked at again, at a size that suits them; None leaves that out.
        nms_distance: places nearer than so many crop pixels at about the same zoom are one.
        nms_both_axes: whether two places must be near in x and y to be one; False, as released, where they
            are near in x or y, which keeps few.
        released_geometry: places and boxes come back to the image by the zoom asked for, as in the released
            code, although the crop was stretched a little more to fill its whole pixels, and a marked cell
            stands for its corner; boxes are cut off at the image's edges last of all. The published numbers
            were measured so. Otherwise they come back by the inverse of the affine that made the crop, a
            cell stands for its centre, and boxes are cut off before anything is done with them.

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

    def __post_init__(self):
        super().__post_init__()
        if self.input_size[0] != self.input_size[1]:
            raise ValueError(f"input_size must be a square, not {self.input_size}")
        if not self.first_sizes or min(self.first_sizes) <= 0:
            raise ValueError(f"first_sizes must be positive and at least one, not {self.first_sizes}")
        if len(self.zooms) != len(self.thresholds):
            raise ValueError(
                f"zooms and thresholds must be as many as rounds, not {len(self.zooms)} and "
                f"{len(self.thresholds)}"
            )
        for name in ("max_crops", "crop_batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


@dataclass(frozen=True)
class PoseInferenceConfig:
    """How people are shown at test.

    Attributes:
        input_size: `(height, width)` of the network's input.
        padding: side of a person's square over the longer side of the box.
        flip: average with the mirror image.
        shift_mirrored: the heatmaps of the mirror image are moved right by one cell; for networks taught with
            mmpose's positions, which mirror cell 0 onto the last but one.
        min_score: people whom the detector finds with a lower score are left out.
        label: name of the detector's class that is posed.
    """

    input_size: Size = (256, 256)
    padding: float = 1.25
    flip: bool = True
    shift_mirrored: bool = False
    min_score: float = 0.3
    label: str = "person"

    def __post_init__(self):
        if not self.padding > 0:
            raise ValueError(f"padding must be positive, not {self.padding}")
