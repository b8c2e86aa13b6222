"""Exported files, used as the models they came from."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_cornernet.export.runtimes import open_runtime
from keras_cornernet.inference.reading import OnError, list_images, path_of, read_or_tell
from keras_cornernet.preprocessing import View, fit_view
from keras_cornernet.structures import Categories, Detections, Poses


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
    kind = ExportedPoseEstimator if runtime.description.task == "pose" else ExportedDetector
    return kind(runtime)


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

    def predict(self, source, boxes=None, *, batch_size: int = 1) -> list:
        """Answers for one or many images, one after the other.

        An image of another size than the file takes is fitted into it first, and its answers are brought
        back; EXIF orientation is applied.

        Args:
            source: as of `Detector.predict`.
            boxes: None, of a pose network too: each image is one person who fills it.
            batch_size: 1.

        Returns:
            One `Detections` or `Poses` per image.

        Raises:
            OSError: an image cannot be read; the message names it.
            ValueError: `boxes` are given, or an array has another shape or type.
        """
        if boxes is not None:
            raise ValueError("boxes must be None: an exported pose network takes each image as one person")
        return list(self.stream(source))

    def stream(self, source, *, batch_size: int = 1, on_error: OnError | None = None) -> Iterator:
        """`predict`, one result at a time; see `Detector.stream`."""
        for item in list_images(source):
            image = read_or_tell(item, on_error)
            if image is not None:
                yield self._found(image, path_of(item), *self._answers(image))

    def _answers(self, image) -> tuple[dict, View | None]:
        """The answers for one image without their batch axis, and how it was shown."""
        size, view = self.description.image_size, None
        if size is not None and image.shape[:2] != size:
            view = fit_view(image.shape[:2], size)
        answers = self.runtime.run((image if view is None else view.apply(image))[None])
        return {name: value[0] for name, value in answers.items()}, view


class ExportedDetector(_Exported):
    """A detector in an exported file."""

    @property
    def categories(self) -> Categories:
        """Names and ids of the labels."""
        return self.description.categories

    def _found(self, image, path, answers, view) -> Detections:
        count = int(answers["num_detections"])
        boxes, scores, labels = (answers[name][:count] for name in ("boxes", "scores", "labels"))
        if view is not None:
            height, width = image.shape[:2]
            boxes = np.clip(view.boxes_to_image(boxes), 0, [width, height, width, height])
        return Detections(boxes.astype(np.float32), scores, labels, self.categories, image, path)


class ExportedPoseEstimator(_Exported):
    """A pose network in an exported file."""

    def _found(self, image, path, answers, view) -> Poses:
        points, scores = answers["keypoints"], answers["scores"]
        points = points if view is None else view.points_to_image(points)
        height, width = image.shape[:2]
        box = np.array([[0, 0, width, height]], np.float32)
        whole = np.ones(1, np.float32)
        joints = self.description.joints
        return Poses(points[None].astype(np.float32), scores[None], box, whole, joints, image, path)
