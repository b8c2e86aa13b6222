"""Detection on whole images."""

from collections.abc import Iterator

import numpy as np

from keras_cornernet.backend import jit
from keras_cornernet.codecs import confirm_by_centers
from keras_cornernet.inference.config import InferenceConfig, PostprocessConfig
from keras_cornernet.inference.evaluating import MeasuresDetections
from keras_cornernet.inference.model import Model
from keras_cornernet.inference.reading import OnError, list_images, path_of, read_or_report
from keras_cornernet.ops.affine import transform_boxes
from keras_cornernet.ops.boxes import ordered, without_unusable
from keras_cornernet.ops.suppression import soft_nms
from keras_cornernet.preprocessing import View
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories


class Detector(MeasuresDetections, Model):
    """Finds objects on images with a network, its codec and test settings.

    Args:
        network: images `(batch, height, width, 3)` RGB 0..255 to maps.
        codec: has `decode(outputs, input_size)`.
        categories: names and ids of the labels.
        settings: see `InferenceConfig`.

    Network, peaks, pairing and suppression run in compiled graphs, one per input size. With a `TripletCodec`
    boxes are kept that a centre confirms, once those of all views have been pooled.

    Example:
        >>> detector = keras_cornernet.from_preset("cornernet_people")
        >>> found = detector.predict("street.jpg")[0]
        >>> found.save("street_found.jpg")
    """

    task = "detection"
    labels_field = "categories"
    settings_type: type[PostprocessConfig] = InferenceConfig

    def __init__(self, network, codec, categories: Categories, settings: InferenceConfig | None = None):
        self.network = network
        self.codec = codec
        self.categories = categories
        self.settings = settings or self.settings_type()
        self._find = jit(self._decode, network)
        self._reduce = jit(self._suppress)

    @classmethod
    def unnamed(cls, count: int) -> Categories:
        """Categories `class_0`, `class_1`, .. for a network whose file names none."""
        return Categories(tuple(f"class_{i}" for i in range(count)), tuple(range(1, count + 1)))

    def only_view(self, image_size: tuple[int, int]) -> View | None:
        """The one view in which an image of `(height, width)` is shown, or None if there are several."""
        views = self.settings.views(image_size)
        return views[0] if len(views) == 1 else None

    def predict(
        self, source, *, min_score: float = 0.3, flip: bool | None = False, batch_size: int = 1
    ) -> list[Detections]:
        """Detects on one or many images.

        Args:
            source: an array `(h, w)`, `(h, w, 3)` or a batch `(n, h, w, 3)`; a path of an image or of a
                folder of images; or a list of arrays and paths.
            batch_size: images of equal input size that go through the network together.

        Returns:
            One `Detections` per image, boxes in image pixels, best first.

        Raises:
            OSError: an image cannot be read, or a folder has none; the message names it.
            ValueError: an array has another shape or type.
        """
        return list(self.stream(source, min_score=min_score, flip=flip, batch_size=batch_size))

    def stream(
        self,
        source,
        *,
        min_score: float = 0.3,
        flip: bool | None = False,
        batch_size: int = 1,
        on_error: OnError | None = None,
    ) -> Iterator[Detections]:
        """`predict`, one result at a time.

        Args:
            source, batch_size: see `predict`.
            on_error: called with path and error for an image that cannot be read, which is then skipped; None
                raises.
        """
        model = self._flipped(flip)
        for found in model._stream(source, batch_size, on_error):
            yield found.with_min_score(min_score)

    def _flipped(self, flip):
        if flip in (None, self.settings.flip):
            return self
        if not hasattr(self, "_other"):
            self._other = self.with_settings(flip=flip)
        return self._other

    def _stream(self, source, batch_size, on_error):
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        waiting: list[tuple[str | None, np.ndarray]] = []
        for item in list_images(source):
            image = read_or_report(item, on_error)
            if image is None:
                continue
            if waiting and self._sizes(waiting[0][1]) != self._sizes(image):
                yield from self._detect(waiting)
                waiting = []
            waiting.append((path_of(item), image))
            if len(waiting) == batch_size:
                yield from self._detect(waiting)
                waiting = []
        if waiting:
            yield from self._detect(waiting)

    def _sizes(self, image):
        """Images for which this is the same can share a batch."""
        return [view.input_size for view in self.settings.views(image.shape[:2])]

    def _detect(self, items) -> Iterator[Detections]:
        """Detects on images whose views have equal sizes."""
        views = [self.settings.views(image.shape[:2]) for _, image in items]
        boxes, centers = [], []
        for place, same_scale in enumerate(zip(*views, strict=True)):
            shown = np.stack([view.apply(image) for view, (_, image) in zip(same_scale, items, strict=True)])
            for mirrored in (False, True)[: 1 + (self.settings.flip and not self._averages)]:
                batch = shown[:, :, ::-1] if mirrored else shown
                found = [np.asarray(part) for part in self._find(batch.astype(np.float32))]
                boxes.append(self._to_images(found[:4], same_scale, items, mirrored))
                if place == self.settings.center_view:
                    centers.append(centers_to_images(found[4:], same_scale, mirrored))
        parts = [*zip(*boxes, strict=True), *zip(*centers, strict=True)]
        yield from self._detections(items, [np.concatenate(part, axis=1) for part in parts])

    def _detections(self, items, pooled) -> Iterator[Detections]:
        """What suppression leaves of `(images, n, ...)` boxes, scores, labels, corner scores and centres."""
        boxes, scores, index = (np.asarray(part) for part in self._reduce(*pooled))
        labels = np.take_along_axis(pooled[2], index, axis=1)
        for i, (path, image) in enumerate(items):
            keep = scores[i] >= 0
            yield Detections(
                clipped(boxes[i][keep], image), scores[i][keep], labels[i][keep], self.categories, image, path
            )

    def _to_images(self, found, views, items, mirrored):
        """Boxes from input to image pixels, clipped to the image."""
        boxes, scores, labels, corner_scores = found
        if mirrored:
            boxes = unmirrored(boxes, views[0].input_size[1])
        if self.settings.border is not None:
            scores = np.where(self._reach_beyond(boxes, views, items), -1, scores)
        moved = []
        for view, (_, image), mine in zip(views, items, boxes, strict=True):
            moved.append(clipped(view.boxes_to_image(mine), image))
        return np.stack(moved), scores, labels, corner_scores

    def _reach_beyond(self, boxes, views, items):
        """Which boxes, in input pixels, reach farther than `border` beyond the image."""
        ends = [
            transform_boxes(view.input_from_image, np.array([[0, 0, image.shape[1], image.shape[0]]]))
            for view, (_, image) in zip(views, items, strict=True)
        ]
        beyond = (boxes - np.stack(ends)) * [-1, -1, 1, 1]
        return (beyond >= self.settings.border).any(axis=-1)

    @property
    def _averages(self) -> bool:
        """Whether maps are averaged with those of the mirror image, rather than boxes pooled."""
        return self.settings.flip and hasattr(self.codec, "average_mirrored")

    def _decode(self, images):
        outputs = self.network(images, training=False)
        if self._averages:
            mirrored = self.network(images[:, :, ::-1], training=False)
            outputs = self.codec.average_mirrored(outputs, mirrored)
        boxes, scores, *others = self.codec.decode(outputs, tuple(images.shape[1:3]))
        return *without_unusable(boxes, scores), *others

    def _suppress(self, boxes, scores, labels, corner_scores, *centers):
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
        # The corners of a merged box are two separate means, which may change places.
        return ordered(kept.boxes), kept.scores, kept.index


def clipped(boxes, image):
    """`(..., 4)` boxes cut off at the edges of their image."""
    height, width = image.shape[:2]
    return np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)


def unmirrored(boxes, width):
    """`(..., 4)` boxes of a mirrored input of that width, on the input itself."""
    return np.stack([width - boxes[..., 2], boxes[..., 1], width - boxes[..., 0], boxes[..., 3]], axis=-1)


def centers_to_images(centers, views, mirrored):
    """Points, scores and labels of centres, the points in image pixels; nothing if there are none."""
    if not centers:
        return ()
    points, scores, labels = centers
    if mirrored:
        points = points * [-1, 1] + [views[0].input_size[1], 0]
    moved = [view.points_to_image(mine) for view, mine in zip(views, points, strict=True)]
    return np.stack(moved).astype(np.float32), scores, labels
