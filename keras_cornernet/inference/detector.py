"""Detection on whole images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keras_cornernet.backend import jit
from keras_cornernet.files import IMAGE_SUFFIXES
from keras_cornernet.ops.suppression import METHODS, soft_nms
from keras_cornernet.preprocessing import Size, View, fit_view, padded_view, read_image, to_rgb
from keras_cornernet.structures import Categories, Detections


@dataclass(frozen=True)
class TestSettings:
    """How an image is shown at test, and how the boxes found are reduced.

    Attributes:
        input_size: the image is fitted into this `(height, width)`; None shows it at its own size, padded
            to sides `multiple * m - 1`, as the paper does.
        multiple: see `input_size`; 128 for a grid of a quarter and five halvings.
        scales: the image is shown at each of them and the boxes are pooled; only without `input_size`.
        flip: show the mirror image too.
        method, sigma, iou_threshold: of the suppression, see `ops.suppression.soft_nms`.
        merge_exponent: merge suppressed boxes into the kept ones, as the paper does with several scales.
        max_detections: boxes kept per image.

    Source: Law & Deng 2018, sec. 4.2; `kp_detection` of princeton-vl/CornerNet, `test/coco.py`.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    input_size: Size | None = None
    multiple: int = 128
    scales: tuple[float, ...] = (1.0,)
    flip: bool = True
    method: str = "gaussian"
    sigma: float = 0.5
    iou_threshold: float = 0.5
    merge_exponent: float | None = None
    max_detections: int = 100

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, not {self.method!r}")
        if not self.scales or min(self.scales) <= 0:
            raise ValueError(f"scales must be positive and at least one, not {self.scales}")
        if self.input_size is not None and tuple(self.scales) != (1.0,):
            raise ValueError("scales need input_size=None: a fitted image has one size")

    def views(self, image_size: Size) -> list[View]:
        """The views of an image of `(height, width)`."""
        if self.input_size is not None:
            return [fit_view(image_size, self.input_size)]
        return [padded_view(image_size, scale, self.multiple) for scale in self.scales]


class Detector:
    """Finds objects on images with a network, its codec and test settings.

    Args:
        network: images `(batch, height, width, 3)` RGB 0..255 to maps.
        codec: has `decode(outputs, input_size)`.
        categories: names and ids of the labels.
        settings: see `TestSettings`.

    Network, peaks, pairing and suppression run in compiled graphs, one per input size.

    Example:
        >>> detector = keras_cornernet.from_preset("cornernet_people")
        >>> found = detector.predict("street.jpg")[0]
        >>> found.save("street_found.jpg")
    """

    def __init__(self, network, codec, categories: Categories, settings: TestSettings | None = None):
        self.network = network
        self.codec = codec
        self.categories = categories
        self.settings = settings or TestSettings()
        self._find = jit(self._decode)
        self._reduce = jit(self._suppress)

    def with_settings(self, **changes) -> "Detector":
        """The same detector with other test settings.

        Args:
            changes: fields of `TestSettings`.
        """
        return Detector(self.network, self.codec, self.categories, replace(self.settings, **changes))

    def predict(self, source, *, batch_size: int = 1) -> list[Detections]:
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
        return list(self.stream(source, batch_size=batch_size))

    def stream(
        self, source, *, batch_size: int = 1, on_error: Callable[[str, OSError], None] | None = None
    ) -> Iterator[Detections]:
        """`predict`, one result at a time.

        Args:
            source, batch_size: see `predict`.
            on_error: called with path and error for an image that cannot be read, which is then skipped; None
                raises.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        waiting: list[tuple[str | None, np.ndarray]] = []
        for item in list_images(source):
            path = str(item) if isinstance(item, str | Path) else None
            try:
                image = read_image(item) if path is not None else to_rgb(item)
            except OSError as error:
                if on_error is None:
                    raise
                on_error(path, error)
                continue
            if waiting and self._sizes(waiting[0][1]) != self._sizes(image):
                yield from self._detect(waiting)
                waiting = []
            waiting.append((path, image))
            if len(waiting) == batch_size:
                yield from self._detect(waiting)
                waiting = []
        if waiting:
            yield from self._detect(waiting)

    def _sizes(self, image):
        return [view.input_size for view in self.settings.views(image.shape[:2])]

    def _detect(self, items) -> Iterator[Detections]:
        """Detects on images whose views have equal sizes."""
        views = [self.settings.views(image.shape[:2]) for _, image in items]
        parts = []
        for same_scale in zip(*views, strict=True):
            shown = np.stack([view.apply(image) for view, (_, image) in zip(same_scale, items, strict=True)])
            for mirrored in (False, True)[: 1 + self.settings.flip]:
                batch = shown[:, :, ::-1] if mirrored else shown
                found = [np.asarray(part) for part in self._find(batch.astype(np.float32))]
                parts.append(self._to_images(found, same_scale, items, mirrored))
        pooled = [np.concatenate(part, axis=1) for part in zip(*parts, strict=True)]
        boxes, scores, index = (np.asarray(part) for part in self._reduce(*pooled))
        labels = np.take_along_axis(pooled[2], index, axis=1)
        for i, (path, image) in enumerate(items):
            keep = scores[i] >= 0
            yield Detections(boxes[i][keep], scores[i][keep], labels[i][keep], self.categories, image, path)

    def _to_images(self, found, views, items, mirrored):
        """Boxes from input to image pixels, clipped to the image."""
        boxes, scores, labels, corner_scores = found
        if mirrored:
            width = views[0].input_size[1]
            boxes = np.stack([width - boxes[..., 2], boxes[..., 1], width - boxes[..., 0], boxes[..., 3]], -1)
        moved = []
        for view, (_, image), mine in zip(views, items, boxes, strict=True):
            height, width = image.shape[:2]
            moved.append(np.clip(view.boxes_to_image(mine), 0, [width, height, width, height]))
        return np.stack(moved).astype(np.float32), scores, labels, corner_scores

    def _decode(self, images):
        outputs = self.network(images, training=False)
        return tuple(self.codec.decode(outputs, tuple(images.shape[1:3])))

    def _suppress(self, boxes, scores, labels, corner_scores):
        settings = self.settings
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
        return kept.boxes, kept.scores, kept.index


def list_images(source) -> Sequence:
    """The single images of a source: arrays as they are, folders as the sorted paths of their images.

    Raises:
        OSError: a folder holds no image, or a path does not exist.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
            if not found:
                raise FileNotFoundError(f"{path}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)})")
            return found
        return [path]
    if isinstance(source, np.ndarray):
        return list(source) if source.ndim == 4 else [source]
    if isinstance(source, Sequence):
        return [image for item in source for image in list_images(item)]
    array = np.asarray(source)
    return list(array) if array.ndim == 4 else [array]
