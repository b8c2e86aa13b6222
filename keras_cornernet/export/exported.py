"""Exported files, used as the models they came from."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_cornernet.export.runtimes import open_runtime
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.evaluating import MeasuresDetections, MeasuresPoses
from keras_cornernet.inference.pose_reader import PoseReader
from keras_cornernet.inference.reading import OnError, list_images, path_of, read_or_report
from keras_cornernet.preprocessing import View, fit_view
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories


def load(path: str | Path, *, threads: int | None = None) -> "ExportedDetector | ExportedPoseEstimator":
    """Opens an exported file with the runtime that it is made for.

    Args:
        path: a `.tflite`, `.onnx` or OpenVINO `.xml` file, or the folder of a SavedModel's version.
        threads: see `open_runtime`.

    Raises:
        ValueError: there is no such file, or it is not an export of this package.
        ImportError: the runtime is not installed; the message names the extra.

    Example:
        >>> keras_cornernet.export.load("people_int8.tflite").predict("street.jpg")[0].save("found.jpg")
    """
    runtime = open_runtime(path, threads=threads)
    return EXPORTED[runtime.description.task](runtime)


class _Exported:
    """What both kinds share.

    Attributes:
        runtime: that runs the file.
        description: what the file tells of itself.
    """

    def __init__(self, runtime):
        self.runtime = runtime
        self.description = runtime.description

    def with_settings(self, **changes):
        """Refuses, since an exported file is as it is.

        Raises:
            ValueError: always.
        """
        names = ", ".join(changes)
        raise ValueError(f"{names} cannot be changed in an exported model: say so when you export it")

    def _answers(self, image) -> tuple[dict, View | None]:
        """The answers for one image without their batch axis, and how it was shown."""
        size, view = self.description.image_size, None
        if size is not None and image.shape[:2] != size:
            view = fit_view(image.shape[:2], size)
        answers = self.runtime.run((image if view is None else view.apply(image))[None])
        return {name: value[0] for name, value in answers.items()}, view


class ExportedDetector(MeasuresDetections, _Exported):
    """A detector in an exported file."""

    task = "detection"

    @property
    def categories(self) -> Categories:
        """Names and ids of the labels."""
        return self.description.categories

    def predict(
        self, source, *, min_score: float = 0.3, flip: bool | None = None, batch_size: int = 1
    ) -> list[Detections]:
        """Finds objects on one or many images, one after the other.

        An image of another size than the file takes is fitted into it first, and its boxes are brought back;
        EXIF orientation is applied.

        Args:
            source: as of `Detector.predict`.
            batch_size: 1.

        Raises:
            OSError: an image cannot be read; the message names it.
            ValueError: an array has another shape or type.
        """
        return list(self.stream(source, min_score=min_score, flip=flip))

    def stream(
        self,
        source,
        *,
        min_score: float = 0.3,
        flip: bool | None = None,
        batch_size: int = 1,
        on_error: OnError | None = None,
    ) -> Iterator[Detections]:
        """`predict`, one result at a time; see `Detector.stream`."""
        if flip:
            self.with_settings(flip=flip)
        for item in list_images(source):
            image = read_or_report(item, on_error)
            if image is not None:
                yield self._found(image, path_of(item)).with_min_score(min_score)

    def _found(self, image, path) -> Detections:
        answers, view = self._answers(image)
        count = int(answers["num_detections"])
        boxes, scores, labels = (answers[name][:count] for name in ("boxes", "scores", "labels"))
        if view is not None:
            height, width = image.shape[:2]
            boxes = np.clip(view.boxes_to_image(boxes), 0, [width, height, width, height])
        return Detections(boxes.astype(np.float32), scores, labels, self.categories, image, path)


class ExportedPoseEstimator(MeasuresPoses, _Exported, PoseReader):
    """A pose network in an exported file, used as a `PoseEstimator`.

    The file takes one person an image. With boxes, given or found by the `detector`, everyone is cropped as
    `PoseEstimator` does, for which the images that the file takes must be the network's input, or square;
    without, the whole image is one person. A SavedModel, which takes images of any size, is shown a square of
    each person; beyond it, where the network's input is not square, it sees black.
    """

    task = "pose"

    def __init__(self, runtime, settings: PoseInferenceConfig | None = None, *, detector=None):
        _Exported.__init__(self, runtime)
        told = self.description
        size = told.image_size or (min(told.input_size),) * 2
        # The mirror image, if any, is in the file.
        settings = settings or PoseInferenceConfig(size, told.padding, flip=False)
        PoseReader.__init__(self, told.joints, settings, detector)

    def with_settings(self, **changes) -> "ExportedPoseEstimator":
        """The same file with other settings of how people are found and cropped.

        Args:
            changes: `score`, `label` or `padding`, see `PoseInferenceConfig`.

        Raises:
            ValueError: another setting, which is fixed in the file.
        """
        if inside := sorted(set(changes) - {"score", "label", "padding"}):
            _Exported.with_settings(self, **dict.fromkeys(inside))
        return ExportedPoseEstimator(self.runtime, replace(self.settings, **changes), detector=self.detector)

    def read_inputs(self, inputs: np.ndarray, *, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        """See `PoseReader.read_inputs`.

        Raises:
            ValueError: the file takes oblong images, which it fits into the network's input by their longer
                side, so that a person's square cannot fill it.
        """
        size = self.description.image_size
        if not self._takes_inputs and size is not None and size[0] != size[1]:
            raise ValueError(
                f"boxes: this file was exported with image_size {size} and reads one person who fills such "
                "an image; for people in boxes export it without image_size, or with a square one"
            )
        one_by_one = size is not None
        groups = np.split(inputs, len(inputs)) if one_by_one else [inputs]
        answers = [self.runtime.run(group) for group in groups]
        return tuple(np.concatenate([answer[name] for answer in answers]) for name in ("keypoints", "scores"))

    @property
    def _takes_inputs(self) -> bool:
        """Whether the file's images are what the network sees."""
        return self.description.image_size == self.description.input_size

    def _read_boxes(self, image, boxes, whole, batch_size):
        if not whole or self._takes_inputs:
            return super()._read_boxes(image, boxes, whole, batch_size)
        answers, view = self._answers(image)
        points = answers["keypoints"]
        points = points if view is None else view.points_to_image(points)
        return points[None].astype(np.float32), answers["scores"][None]


# The class of the models of each task, by the name that files state; `tasks.register` adds to it.
EXPORTED: dict[str, type] = {"detection": ExportedDetector, "pose": ExportedPoseEstimator}
