"""A model as functions of tensors: the network's maps, and the final answers read off them.

Both parts are apart, so that the one may be quantised and the other not.
"""

from collections.abc import Mapping

import keras
import tensorflow as tf

from keras_cornernet.codecs import confirm_by_centers
from keras_cornernet.export.folding import fold
from keras_cornernet.export.resampling import Placement, placed, to_image
from keras_cornernet.inference import Detector, PoseEstimator, SaccadeDetector
from keras_cornernet.inference.pose_estimator import unmirror
from keras_cornernet.models.network import Network
from keras_cornernet.ops.boxes import ordered, without_unusable
from keras_cornernet.ops.gather import gather_rows
from keras_cornernet.ops.suppression import soft_nms


def build_graph(model: Detector | PoseEstimator) -> "DetectorGraph | PoseGraph":
    """The graph of a model, with BatchNorm folded.

    Raises:
        ValueError: the model has no fixed input size, or is a `SaccadeDetector`, which decides as it runs
            where to look; or Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"export needs Keras on TensorFlow, and it runs on {keras.backend.backend()}: set the "
            "environment variable KERAS_BACKEND to tensorflow"
        )
    if isinstance(model, SaccadeDetector):
        raise ValueError("a SaccadeDetector looks where it decides to as it runs, and has no graph to export")
    if model.settings.input_size is None:
        raise ValueError(
            "input_size must be given: this model shows each image at its own size, and an exported one "
            "shows all at one"
        )
    network = model.network
    network.check_input_size(model.settings.input_size)
    return PoseGraph(model) if isinstance(model, PoseEstimator) else DetectorGraph(model)


class Graph:
    """What both kinds of model share.

    Attributes:
        input_size: `(height, width)` of the network's input.
        network: folded; its last stack alone.
        outputs: names of the answers.
        outliers_are_noise: whether rare large values inside the network may be cut off, see `export.ranges`.
    """

    by_longer_side: bool
    outliers_are_noise: bool
    outputs: tuple[str, ...]

    def __init__(self, model):
        self.settings = model.settings
        self.codec = model.codec
        self.input_size = tuple(model.settings.input_size)
        self.network = last_stack(fold(model.network))

    def placed(self, image_size, *, as_it_is: bool = False) -> Placement:
        """Where images of `(..., 2)` heights and widths lie in the input, or where the input itself does."""
        by_longer_side = self.by_longer_side and not as_it_is
        return placed(image_size, self.input_size, by_longer_side=by_longer_side)

    def maps(self, inputs) -> dict:
        """The maps of `(batch, *input_size, 3)` inputs, one tensor for each `branch/head`.

        With a mirror image there are twice as many rows: those of the inputs, then those of their images.
        """
        if self.settings.flip:
            inputs = tf.concat([inputs, inputs[:, :, ::-1]], axis=0)
        maps = self.network(inputs, training=False)
        return {f"{branch}/{head}": value for branch, heads in maps.items() for head, value in heads.items()}


class DetectorGraph(Graph):
    """The graph of a `Detector`."""

    by_longer_side = False
    outliers_are_noise = False  # they are the corners: without them cornernet_people loses 11 points of AP
    outputs = ("boxes", "scores", "labels", "num_detections")

    def answers(self, maps: Mapping, placement: Placement) -> dict:
        """Boxes on the images, best first.

        Args:
            maps: see `maps`.
            placement: of the images in the inputs.

        Returns:
            `boxes` `(batch, k, 4)` float32 `xyxy` image pixels; `scores` `(batch, k)` float32; `labels`
            `(batch, k)` int32; `num_detections` `(batch,)` int32. Rows beyond that number are padding: box
            and score 0, label -1.
        """
        outputs, flip = [nested(maps)], self.settings.flip
        if flip and hasattr(self.codec, "average_mirrored"):
            halves = ([nested({k: tf.split(v, 2)[i] for k, v in maps.items()})] for i in (0, 1))
            outputs, flip = self.codec.average_mirrored(*halves), False
        boxes, scores, *others = self.codec.decode(outputs, self.input_size)
        found = (*without_unusable(boxes, scores), *others)
        views = [found]
        if flip:
            views = zip(*(tf.split(part, 2) for part in found), strict=True)
        views = [self._on_images(view, placement, i == 1) for i, view in enumerate(views)]
        boxes, scores, labels, corner_scores, *centers = (
            tf.concat(parts, axis=1) for parts in zip(*views, strict=True)
        )
        settings = self.settings
        if centers:
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
        answers = (
            # The corners of a merged box are two separate means, which may change places.
            ordered(kept.boxes),
            tf.where(real, kept.scores, 0.0),
            tf.where(real, labels, -1),
            tf.reduce_sum(tf.cast(real, tf.int32), axis=-1),
        )
        return dict(zip(self.outputs, answers, strict=True))

    def _on_images(self, view, placement, mirrored):
        boxes, scores, labels, corner_scores, *centers = view
        width = float(self.input_size[1])
        if mirrored:
            boxes = tf.concat(
                [width - boxes[..., 2:3], boxes[..., 1:2], width - boxes[..., :1], boxes[..., 3:]], -1
            )
        if self.settings.border is not None:
            scores = tf.where(self._reach_beyond(boxes, placement), -1.0, scores)
        ends = [tf.cast(side, tf.float32)[:, None, None] for side in (placement.width, placement.height)]
        corners = [to_image(boxes[..., part], placement) for part in (slice(0, 2), slice(2, 4))]
        sides = [tf.clip_by_value(corner[..., i : i + 1], 0.0, ends[i]) for corner in corners for i in (0, 1)]
        if centers:
            points, *others = centers
            if mirrored:
                points = tf.concat([width - points[..., :1], points[..., 1:]], axis=-1)
            centers = [to_image(points, placement), *others]
        return tf.concat(sides, axis=-1), scores, labels, corner_scores, *centers

    def _reach_beyond(self, boxes, placement):
        """Which boxes, in input pixels, reach farther than `border` beyond the image."""
        scale, left, top, height, width = placement
        ends = tf.stack([left, top, left + scale * width, top + scale * height], axis=-1)
        beyond = (boxes - tf.cast(ends, tf.float32)[:, None]) * tf.constant([-1.0, -1.0, 1.0, 1.0])
        return tf.reduce_any(beyond >= self.settings.border, axis=-1)


class PoseGraph(Graph):
    """The graph of a `PoseEstimator`, for images that one person fills."""

    by_longer_side = True
    outliers_are_noise = True
    outputs = ("keypoints", "scores")

    def __init__(self, model: PoseEstimator):
        super().__init__(model)
        self.skeleton = model.skeleton

    def answers(self, maps: Mapping, placement: Placement) -> dict:
        """Joints: `keypoints` `(batch, k, 2)` image pixels and `scores` `(batch, k)`, float32."""
        heatmap = maps["keypoints/heatmap"]
        if self.settings.flip:
            heatmap, mirrored = tf.split(heatmap, 2)
            heatmap = (heatmap + unmirror(mirrored, self.skeleton, shift=self.settings.shift_mirrored)) / 2
        points, scores = self.codec.decode([{"keypoints": {"heatmap": heatmap}}], self.input_size)
        return {"keypoints": to_image(points, placement), "scores": scores}


def last_stack(network: Network) -> keras.Model:
    """The part of a network that a prediction needs: `{branch: {head: map}}` of its last stack."""
    outputs = network.output
    return keras.Model(network.input, outputs[-1] if isinstance(outputs, list) else outputs)


def nested(maps: Mapping) -> dict:
    """`{branch: {head: map}}` of `{branch/head: map}`."""
    branches: dict = {}
    for name, value in maps.items():
        branch, head = name.split("/")
        branches.setdefault(branch, {})[head] = value
    return branches
