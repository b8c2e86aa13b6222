"""Settings of inference: frozen, and checked where they are made."""

import math
from dataclasses import dataclass
from typing import Any

from keras_cornernet.checks import check_choice, check_flag, check_number, check_numbers, check_size
from keras_cornernet.ops.suppression_methods import METHODS
from keras_cornernet.preprocessing import Size, View, fit_view, padded_view

# Beyond these an image would take more memory than there is.
MOST_DETECTIONS, LARGEST_DIVISOR, LARGEST_SCALE = 100_000, 8192, 32


@dataclass(frozen=True)
class PostprocessConfig:
    """How the boxes that are found on all views of an image become its final boxes.

    Attributes:
        flip: use the mirror image too.
        method, sigma, iou_threshold: of the suppression, see `ops.suppression.soft_nms`.
        merge_exponent: merge suppressed boxes into the kept ones, as the paper does with several scales; None
            does not merge.
        max_detections: boxes kept for each image.
        border: boxes that reach this many input pixels or more beyond the image are rejected; 5 in CenterNet.
            None rejects none.
        best_center: of several centres in the middle of a box, use the score of the best one; False uses the
            first one, as the released code does, see `codecs.confirm_by_centers`. Only with a `TripletCodec`.
        min_scores: for each class the score from which on its boxes are shown, as
            `evaluation.fit_operating_point` finds it; None for 0.3 each.

    Raises:
        ValueError: a value is out of range; the message names it.
    """

    flip: bool = True
    method: str = "gaussian"
    sigma: float = 0.5
    iou_threshold: float = 0.5
    merge_exponent: float | None = None
    max_detections: int = 100
    border: float | None = None
    best_center: bool = False
    min_scores: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        check_flag("flip", self.flip)
        check_choice("method", self.method, METHODS)
        check_number("sigma", self.sigma, above=0)
        check_number("iou_threshold", self.iou_threshold, at_least=0, at_most=1)
        if self.merge_exponent is not None:
            check_number("merge_exponent", self.merge_exponent, above=0)
        check_number("max_detections", self.max_detections, at_least=1, whole=True)
        check_number("max_detections", self.max_detections, at_most=MOST_DETECTIONS)
        if self.border is not None:
            check_number("border", self.border, at_least=0)
        check_flag("best_center", self.best_center)
        if self.min_scores is not None:
            check_numbers("min_scores", self.min_scores, at_least=0, at_most=1)

    @property
    def center_view(self) -> int:
        """The index of the view whose centres confirm the boxes of all views."""
        return 0

    def check_network(self, network: Any) -> None:
        """Raises `ValueError` if a network cannot take inputs of these settings.

        Args:
            network: a `models.network.Network`.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class InferenceConfig(PostprocessConfig):
    """How a detector sees whole images.

    Attributes:
        input_size: images are fitted into this `(height, width)`; None keeps their own size, padded to sides
            `size_divisor * m - 1`, as the paper does.
        size_divisor: see `input_size`; 128 for a grid of a quarter and five halvings, and for
            CornerNet-Squeeze's of an eighth and four.
        whole_multiples: pad to sides `size_divisor * m` instead, as Objects as Points does.
        scales: the image is shown at each of these scales and the boxes are pooled; only without
            `input_size`.

    Raises:
        ValueError: a value is out of range; the message names it.

    Source: Law & Deng 2018, sec. 4.2; `kp_detection` of princeton-vl/CornerNet and of Duankaiwen/CenterNet,
    `test/coco.py`.
    """

    input_size: Size | None = None
    size_divisor: int = 128
    whole_multiples: bool = False
    scales: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_size is not None:
            check_size("input_size", self.input_size)
        check_number("size_divisor", self.size_divisor, at_least=1, whole=True)
        check_number("size_divisor", self.size_divisor, at_most=LARGEST_DIVISOR)
        check_flag("whole_multiples", self.whole_multiples)
        check_positive("scales", self.scales)
        check_numbers("scales", self.scales, at_most=LARGEST_SCALE)
        if self.input_size is not None and tuple(self.scales) != (1.0,):
            raise ValueError(
                f"scales need input_size=None, not {self.input_size}: a fitted image has one size"
            )

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
        """The index of the view whose centres confirm the boxes of all views: the scale nearest to 1.

        The released code of CenterNet takes the scale that is exactly 1, and fails without one.
        """
        return min(range(len(self.scales)), key=lambda i: abs(math.log(self.scales[i])))

    def check_network(self, network: Any) -> None:
        """See `PostprocessConfig.check_network`."""
        if self.input_size is not None:
            network.check_input_size(self.input_size)
            return
        try:
            network.check_input_size((self.size_divisor, self.size_divisor))
        except ValueError:
            raise ValueError(
                f"size_divisor must be a multiple of {network.size_divisor} for this network, "
                f"not {self.size_divisor}"
            ) from None


@dataclass(frozen=True)
class PoseInferenceConfig:
    """How a pose network sees people.

    Attributes:
        input_size: `(height, width)` of the network's input.
        padding: side of the square that is cropped around a person, over the longer side of the person's box.
        flip: average with the mirror image.
        shift_mirrored: the heatmaps of the mirror image are moved one cell to the right; for networks trained
            with mmpose's positions, in which mirroring moves cell 0 to the last cell but one.
        min_score: people whom the detector finds with a lower score are left out; None: the detector's own
            score for people, see `PostprocessConfig.min_scores`.
        label: name of the detector's class whose objects are people; several names, of animals say.

    Raises:
        ValueError: a value is out of range; the message names it.
    """

    input_size: Size = (256, 256)
    padding: float = 1.25
    flip: bool = True
    shift_mirrored: bool = False
    min_score: float | None = None
    label: str | tuple[str, ...] = "person"

    def __post_init__(self) -> None:
        check_size("input_size", self.input_size)
        check_number("padding", self.padding, above=0)
        check_flag("flip", self.flip)
        check_flag("shift_mirrored", self.shift_mirrored)
        if self.min_score is not None:
            check_number("min_score", self.min_score, at_least=0, at_most=1)
        given = self.label if isinstance(self.label, tuple | list) else (self.label,)
        if not given or not all(isinstance(name, str) and name for name in given):
            raise ValueError(f"label must be the name of a class, or several, not {self.label!r}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of `label`."""
        return (self.label,) if isinstance(self.label, str) else tuple(self.label)

    def check_network(self, network: Any) -> None:
        """Raises `ValueError` if a network cannot take inputs of these settings."""
        network.check_input_size(self.input_size)


def check_positive(name: str, values: Any) -> None:
    """Checks that a value is a sequence of at least one positive number."""
    check_numbers(name, values, above=0)
    if not values:
        raise ValueError(f"{name} must hold at least one number, not {values!r}")
