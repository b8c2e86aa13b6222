"""The way back: from the maps of a network to answers in pixels of the image.

`Detector`, `SaccadeDetector`, `PoseEstimator` and every exported file share these functions. They speak
`keras.ops`, so that they become part of a compiled graph on any backend.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from keras import ops

from keras_cornernet.codecs import confirm_by_centers
from keras_cornernet.inference.config import PoseInferenceConfig, PostprocessConfig
from keras_cornernet.inference.mirroring import halves, side_by_side, unmirror
from keras_cornernet.inference.placement import Placement
from keras_cornernet.inference.way_back import (
    boxes_to_image,
    clip_boxes,
    points_to_image,
    reach_beyond,
    with_mirror_images,
)
from keras_cornernet.ops.boxes import ordered, without_unusable
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.ops.suppression import soft_nms
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.tensors import Tensor

Outputs = list[dict[str, dict[str, Tensor]]]


class Answers(Protocol):
    """What turns the maps of a network into answers; exported graphs need nothing else of a model.

    Attributes:
        outputs: names of the answers.
        fits_longer_side: whether the longer side of an image fills the shorter side of the input, so that the
            image is shown as the square of one person is; otherwise the whole image is fitted into the input.
        outliers_are_noise: whether rare large values inside the network may be cut off, see `export.ranges`.
    """

    outputs: tuple[str, ...]
    fits_longer_side: bool
    outliers_are_noise: bool

    def answers(
        self, outputs: Outputs, placement: Placement, input_size: Size, *, flip: bool
    ) -> dict[str, Tensor]:
        """The answers in image pixels, by name.

        Args:
            outputs: of the network. With `flip` they have twice as many rows as there are images: those of
                the images, then those of their mirror images.
            placement: of the images.
            input_size: `(height, width)` of the inputs.
            flip: see `outputs`.
        """
        ...


class BoxAnswers:
    """From the maps of a detector to its final boxes.

    Args:
        codec: has `decode(outputs, input_size)`.
        settings: of suppression, merging and rejection.
        clip_early: clip the boxes of each view before suppression; the final boxes are always clipped.
    """

    outputs: ClassVar[tuple[str, ...]] = ("boxes", "scores", "labels", "num_detections")
    fits_longer_side: ClassVar[bool] = False
    # Without them cornernet_people loses 11 points of AP: the rare large values are the corners.
    outliers_are_noise: ClassVar[bool] = False

    def __init__(self, codec: Any, settings: PostprocessConfig, *, clip_early: bool = True):
        self.codec = codec
        self.settings = settings
        self.clip_early = clip_early

    def answers(
        self, outputs: Outputs, placement: Placement, input_size: Size, *, flip: bool
    ) -> dict[str, Tensor]:
        """The final boxes of images that are shown in one view; see `Answers.answers` and `best`."""
        found = self.candidates(outputs, placement, input_size, flip=flip)
        return self.best([found], placement.image_size)

    def candidates(
        self, outputs: Outputs, placement: Placement, input_size: Size, *, flip: bool
    ) -> tuple[Tensor, ...]:
        """The boxes of one view of each image, before suppression.

        Args:
            outputs, placement, input_size, flip: see `Answers.answers`.

        Returns:
            What the codec decodes, with boxes and centres in image pixels. Boxes that are not finite or reach
            beyond `settings.border` have the score -1.
        """
        if flip and getattr(self.codec, "averages_mirrored", False):
            outputs, flip = self.codec.average_mirrored(*([half] for half in halves(outputs[-1]))), False
        if flip:
            placement = with_mirror_images(placement, input_size[1])
        found: Any = self.codec.decode(outputs, input_size)
        boxes, scores = without_unusable(found.boxes, found.scores)
        boxes = boxes_to_image(boxes, placement)
        if self.settings.border is not None:
            scores = ops.where(reach_beyond(boxes, placement, self.settings.border), -1.0, scores)
        if self.clip_early:
            boxes = clip_boxes(boxes, placement.image_size)
        found = found._replace(boxes=boxes, scores=scores)
        if "centers" in found._fields:
            found = found._replace(centers=points_to_image(found.centers, placement))
        parts: tuple[Tensor, ...] = type(found)(*map(side_by_side, found)) if flip else found
        return parts

    def best(self, views: Sequence[tuple[Tensor, ...]], image_size: Tensor) -> dict[str, Tensor]:
        """What centres confirm and suppression keeps of the boxes of all views.

        Args:
            views: for each view what `candidates` returned.
            image_size: `(batch, 2)` heights and widths of the images.

        Returns:
            `boxes` `(batch, k, 4)` float32 `xyxy` in image pixels, inside the image; `scores` `(batch, k)`
            float32; `labels` `(batch, k)` int32; `num_detections` `(batch,)` int32. Boxes are sorted by
            score. Rows from `num_detections` on are padding: box and score 0, label -1.
        """
        parts = zip(*(view[:4] for view in views), strict=True)
        boxes, scores, labels, corner_scores = (ops.concatenate(part, axis=1) for part in parts)
        settings = self.settings
        if centers := views[settings.center_view][4:]:
            scores = confirm_by_centers(boxes, scores, labels, *centers, best=settings.best_center)
        kept = soft_nms(
            boxes,
            scores,
            labels,
            method=settings.method,
            sigma=settings.sigma,
            iou_threshold=settings.iou_threshold,
            max_detections=settings.max_detections,
            corner_scores=corner_scores,
            merge_exponent=settings.merge_exponent,
        )
        real = kept.scores >= 0
        labels = gather_rows(labels[..., None], kept.index)[..., 0]
        # The corners of a merged box are two separate means, which may change places.
        boxes = clip_boxes(ordered(kept.boxes), image_size)
        answers = (
            ops.where(real[..., None], boxes, 0.0),
            ops.where(real, kept.scores, 0.0),
            ops.where(real, labels, -1),
            ops.sum(ops.cast(real, "int32"), axis=-1),
        )
        return dict(zip(self.outputs, answers, strict=True))


class KeypointAnswers:
    """From the heatmaps of a pose network to keypoints, for inputs that show one person each.

    Args:
        codec: has `decode(outputs, input_size)`.
        skeleton: of the keypoints.
        settings: `shift_mirrored` is used.
    """

    outputs: ClassVar[tuple[str, ...]] = ("keypoints", "scores")
    fits_longer_side: ClassVar[bool] = True
    outliers_are_noise: ClassVar[bool] = True

    def __init__(self, codec: Any, skeleton: Skeleton, settings: PoseInferenceConfig):
        self.codec = codec
        self.skeleton = skeleton
        self.settings = settings

    def answers(
        self, outputs: Outputs, placement: Placement, input_size: Size, *, flip: bool
    ) -> dict[str, Tensor]:
        """The keypoints; see `Answers.answers`.

        Returns:
            `keypoints` `(batch, k, 2)` float32 x, y in image pixels and `scores` `(batch, k)` float32.
        """
        maps = {"keypoints": {"heatmap": self.heatmaps(outputs, flip=flip)}}
        points, scores = self.codec.decode([maps], input_size)
        answers = points_to_image(points, placement), scores
        return dict(zip(self.outputs, answers, strict=True))

    def heatmaps(self, outputs: Outputs, *, flip: bool) -> Tensor:
        """The heatmaps `(batch, h, w, k)` of the last stack, averaged with those of the mirror images."""
        maps = outputs[-1]
        if not flip:
            return maps["keypoints"]["heatmap"]
        ours, mirrored = (half["keypoints"]["heatmap"] for half in halves(maps))
        return (ours + unmirror(mirrored, self.skeleton, shift=self.settings.shift_mirrored)) / 2
