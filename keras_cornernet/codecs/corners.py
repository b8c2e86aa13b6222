"""Boxes as pairs of corners that embeddings bring together."""

from dataclasses import dataclass

from keras import ops

from keras_cornernet.checks import check_number
from keras_cornernet.codecs.pairs import CornerPairCodec, Peaks, may_pair, pairs
from keras_cornernet.tensors import Tensor


@dataclass(frozen=True)
class CornerCodec(CornerPairCodec):
    """Encodes boxes to the targets of CornerNet and decodes its outputs.

    The branches of the targets are `"top_left"` and `"bottom_right"`. Decoding pairs peaks by class,
    embedding and geometry.

    Attributes:
        num_classes, min_overlap, corrected_radius, fixed_radius, sigma_divisor, offset_reach, peak_kernel:
            see `HeatmapCodec`.
        top_k, num_detections, geometric_score, reject_border: see `CornerPairCodec`.
        embedding_threshold: corners are not paired if their embeddings differ by more (sum over channels).
        embedding_scale: multiply the score of a pair by `exp(-(distance / embedding_scale) ** 2)` of its
            embeddings; None, as in the papers, treats all distances below the threshold alike.

    Source: Law & Deng 2018, secs. 3.2, 3.3 and 4.2; princeton-vl/CornerNet, `sample/coco.py` and `_decode` of
    `models/py_utils/kp_utils.py`.
    """

    embedding_threshold: float = 0.5
    embedding_scale: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("embedding_threshold", self.embedding_threshold, at_least=0)
        if self.embedding_scale is not None:
            check_number("embedding_scale", self.embedding_scale, above=0)

    def _channels(self) -> dict[str, int | str]:
        return {**super()._channels(), "embedding": "channels"}

    def _pair_scores(self, first: Peaks, second: Peaks) -> Tensor:
        distance = pairs("embedding", first, second, embedding_distance)
        score = self._mean_scores(first, second)
        if self.embedding_scale is not None:
            score = score * ops.exp(-ops.square(distance / self.embedding_scale))
        good = (
            may_pair(first, second)
            & (distance <= self.embedding_threshold)
            & pairs("x", first, second, lambda a, b: b >= a)
            & pairs("y", first, second, lambda a, b: b >= a)
        )
        return ops.where(good, score, -1.0)


def embedding_distance(a: Tensor, b: Tensor) -> Tensor:
    """The sum of absolute differences over channels; the papers' embedding has one channel."""
    return ops.sum(ops.abs(a - b), axis=-1)
