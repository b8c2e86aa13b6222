"""Detection on whole images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from keras_cornernet.backend import jit
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.inference.answers import BoxAnswers
from keras_cornernet.inference.config import InferenceConfig, PostprocessConfig
from keras_cornernet.inference.evaluating import MeasuresDetections
from keras_cornernet.inference.mirroring import with_mirror_inputs
from keras_cornernet.inference.model import Model
from keras_cornernet.inference.placement import Placement, placement_of
from keras_cornernet.inference.reading import OnError, ReadImage, check_options, read_batches
from keras_cornernet.inference.timing import Stopwatch, speed_of
from keras_cornernet.preprocessing import Size, View
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories
from keras_cornernet.tensors import Tensor


class Detector(MeasuresDetections, Model):
    """Finds objects on images with a network, its codec and settings.

    Args:
        network: images `(batch, height, width, 3)` RGB 0..255 to maps.
        codec: has `decode(outputs, input_size)`.
        categories: names and ids of the labels.
        settings: see `InferenceConfig`.

    Attributes:
        answers: how maps become boxes in image pixels.
        why_no_graph: why the model cannot be exported as one graph; empty if it can.
        augmentations: for training, by name.

    Network, decoding, the way back to image pixels and suppression run in compiled graphs, one for each input
    size. With a `TripletCodec`, boxes are kept that a centre confirms once those of all views are pooled.

    Example:
        >>> detector = keras_cornernet.from_preset("cornernet_people")
        >>> found = detector.predict("street.jpg")[0]
        >>> found.save("street_found.jpg")
        PosixPath('street_found.jpg')
    """

    task: ClassVar[str] = "detection"
    labels_field: ClassVar[str] = "categories"
    why_no_graph: ClassVar[str] = ""
    augmentations: ClassVar[Mapping[str, Any]] = {"photos": PhotoAugmentation()}
    settings_type: ClassVar[type[PostprocessConfig]] = InferenceConfig

    def __init__(self, network: Any, codec: Any, categories: Categories, settings: Any = None):
        self.network = network
        self.codec = codec
        self.categories = categories
        self.settings = settings or self.settings_type()
        self.check_settings()
        chosen = self.settings.min_scores
        if chosen is not None and len(chosen) != len(categories.names):
            count = len(categories.names)
            raise ValueError(
                f"min_scores must hold one number for each of {count} classes, not {len(chosen)}"
            )
        self.answers = self._make_answers()
        self._find = jit(self._candidates, network)
        self._reduce = jit(self.answers.best)

    @classmethod
    def unnamed(cls, count: int) -> Categories:
        """Categories `class_0`, `class_1`, .. for a network whose file names none."""
        return Categories(tuple(f"class_{i}" for i in range(count)), tuple(range(1, count + 1)))

    def only_view(self, image_size: Size) -> View | None:
        """The one view in which an image of `(height, width)` is shown, or None if there are several."""
        views = self.settings.views(image_size)
        return views[0] if len(views) == 1 else None

    def predict(
        self,
        source: Any,
        *,
        min_score: float | None = None,
        flip: bool | None = False,
        batch_size: int = 1,
        channel_order: str = "rgb",
    ) -> list[Detections]:
        """Detects objects on one or many images.

        Args:
            source: paths, patterns, addresses, bytes, PIL images, arrays, tensors, or lists, generators and
                data sets of those, see `inference.reading.images_of`.
            min_score: boxes with a lower score are left out; 0 gives all. None: those of each class from its
                score in `settings.min_scores` on, or from 0.3.
            flip: use the mirror image too, which takes twice the time; None follows `settings.flip`, as
                evaluation does.
            batch_size: images of equal input size that go through the network together.
            channel_order: of arrays: `"rgb"`, or `"bgr"` as OpenCV reads them.

        Returns:
            One `Detections` for each image, boxes in image pixels, best first.

        Raises:
            OSError: an image cannot be read, or a folder has none; the message names it.
            ValueError: an array has another shape or type, or an argument is out of range.
        """
        options: Any = {"flip": flip, "batch_size": batch_size, "channel_order": channel_order}
        return list(self.stream(source, min_score=min_score, **options))

    def stream(
        self,
        source: Any,
        *,
        min_score: float | None = None,
        flip: bool | None = False,
        batch_size: int = 1,
        channel_order: str = "rgb",
        on_error: OnError | None = None,
    ) -> Iterator[Detections]:
        """`predict`, one result at a time.

        Args:
            source, min_score, flip, batch_size, channel_order: see `predict`.
            on_error: called with path and error for an image that cannot be read, which is then skipped; None
                raises the error.
        """
        check_options(min_score, batch_size)
        flip = self.settings.flip if flip is None else flip
        for images in read_batches(source, batch_size, self._input_sizes, on_error, channel_order):
            graph = Stopwatch()
            with Stopwatch() as total:
                results = self._detect(images, flip, graph)
            for image, found in zip(images, results, strict=True):
                speed = speed_of(image.milliseconds, total, graph, len(images))
                yield found.shown(min_score).replace(speed=speed)

    def _make_answers(self) -> BoxAnswers:
        return BoxAnswers(self.codec, self.settings)

    def _input_sizes(self, image_size: Size) -> object:
        """Images for which this is the same can share a batch."""
        return [view.input_size for view in self.settings.views(image_size)]

    def _detect(self, images: Sequence[ReadImage], flip: bool, graph: Stopwatch) -> list[Detections]:
        """Detects on images whose views have equal sizes; `graph` measures the compiled graphs."""
        sizes = [image.size for image in images]
        found = []
        for views in zip(*map(self.settings.views, sizes), strict=True):
            shown = [view.apply(image.image) for view, image in zip(views, images, strict=True)]
            inputs = with_mirror_inputs(np.stack(shown).astype(np.float32), flip)
            with graph:
                found.append(self._find(inputs, placement_of(views, sizes)))
        return self._results(images, found, graph)

    def _results(
        self, images: Sequence[ReadImage], views: Sequence[tuple[Tensor, ...]], graph: Stopwatch
    ) -> list[Detections]:
        """The final boxes of images, from the candidates of all their views."""
        sizes = np.array([image.size for image in images], np.float32)
        with graph:
            answers = {name: np.asarray(value) for name, value in self._reduce(views, sizes).items()}
        results = []
        for i, (image, count) in enumerate(zip(images, answers["num_detections"], strict=True)):
            boxes, scores, labels = (answers[name][i, :count] for name in ("boxes", "scores", "labels"))
            found = Detections(boxes, scores, labels, self.categories, image.image, image.path)
            results.append(found.replace(min_scores=self.settings.min_scores))
        return results

    def _candidates(self, inputs: Tensor, placement: Placement) -> tuple[Tensor, ...]:
        """The boxes of one view, see `BoxAnswers.candidates`; `inputs` may hold mirror images too."""
        outputs = self.network(inputs, training=False)
        flip = inputs.shape[0] != placement.image_size.shape[0]
        return self.answers.candidates(outputs, placement, tuple(inputs.shape[1:3]), flip=flip)
