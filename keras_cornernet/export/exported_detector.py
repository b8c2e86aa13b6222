"""Detectors in exported files."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from keras_cornernet.export.differences import box_differences
from keras_cornernet.export.exported_model import Exported, arrays_of
from keras_cornernet.inference.evaluating import MeasuresDetections
from keras_cornernet.inference.reading import OnError, ReadImage, check_options, images_of, read_or_report
from keras_cornernet.inference.timing import Stopwatch, speed_of
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories


class ExportedDetector(MeasuresDetections, Exported):
    """A detector in an exported file."""

    task: ClassVar[str] = "detection"
    differences = staticmethod(box_differences)
    everything: ClassVar[Mapping[str, Any]] = {"min_score": 0}

    @staticmethod
    def described(model: Any) -> dict[str, Any]:
        """The fields of `Description` that only detectors have."""
        chosen = model.settings.min_scores
        scores = {} if chosen is None else {"score": min(chosen), "scores": chosen}
        return {"names": model.categories.names, "ids": model.categories.ids, **scores}

    @staticmethod
    def scores(result: Detections) -> np.ndarray:
        """The scores of what a result shows."""
        return result.scores

    @staticmethod
    def plain(result: Detections) -> dict[str, np.ndarray]:
        """A result as arrays by name."""
        return {"boxes": result.boxes, "scores": result.scores, "labels": result.labels}

    @staticmethod
    def kept(plain: dict[str, np.ndarray], min_score: float, most: int) -> dict[str, np.ndarray]:
        """The boxes of `plain` that score at least `min_score`, and no more than `most`, best first."""
        best = np.argsort(-plain["scores"], kind="stable")[:most]
        best = best[plain["scores"][best] >= min_score]
        return {name: values[best] for name, values in plain.items()}

    def result_of(self, plain: Mapping[str, Any]) -> Detections:
        """The result with the arrays of `plain`.

        Raises:
            ValueError: an array is missing or has another shape, or a label is unknown.
        """
        boxes, scores, labels = (arrays_of(plain, name) for name in ("boxes", "scores", "labels"))
        boxes = boxes.reshape(-1, 4) if not boxes.size else boxes
        return Detections(
            boxes.astype(np.float32), scores.astype(np.float32), labels.astype(np.int32), self.categories
        )

    @property
    def categories(self) -> Categories:
        """Names and ids of the labels."""
        return self.description.categories

    def predict(
        self,
        source: Any,
        *,
        min_score: float | None = None,
        flip: bool | None = False,
        batch_size: int = 1,
        channel_order: str = "rgb",
    ) -> list[Detections]:
        """Detects objects on one or many images, one after the other.

        An image of another size than the file takes is fitted into that size first, and its boxes are brought
        back. EXIF orientation is applied.

        Args:
            source, min_score, channel_order: see `Detector.predict`.
            flip: whether the mirror image is used is fixed in the file; True raises.
            batch_size: has no effect.

        Raises:
            OSError: an image cannot be read; the message names it.
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
        """`predict`, one result at a time; see `Detector.stream`."""
        check_options(min_score, batch_size)
        self.check_flip(flip)
        for item in images_of(source):
            image = read_or_report(item, on_error, channel_order)
            if image is None:
                continue
            graph = Stopwatch()
            with Stopwatch() as total:
                found = self._found(image, graph).shown(min_score)
            yield found.replace(speed=speed_of(image.milliseconds, total, graph))

    def _found(self, image: ReadImage, graph: Stopwatch) -> Detections:
        answers, view = self.answers(image.image, graph)
        count = np.nan_to_num(answers["num_detections"])
        count = int(np.clip(count, 0, len(answers["scores"])))
        boxes, scores, labels = (answers[name][:count] for name in ("boxes", "scores", "labels"))
        # A network gone astray is taken as one that finds nothing there, as in Keras.
        sound = (
            np.isfinite(boxes).all(axis=1) & np.isfinite(scores) & (boxes[:, 2:] >= boxes[:, :2]).all(axis=1)
        )
        sound &= (labels >= 0) & (labels < len(self.categories.names))
        boxes, scores, labels = boxes[sound], scores[sound], labels[sound]
        if view is not None:
            height, width = image.size
            boxes = np.clip(view.boxes_to_image(boxes), 0, [width, height, width, height])
        return Detections(
            boxes.astype(np.float32),
            scores,
            labels,
            self.categories,
            image.image,
            image.path,
            min_scores=self.description.scores or None,
        )
