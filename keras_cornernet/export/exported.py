"""Exported files, used like the models they came from."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from keras_cornernet.export.description import Description
from keras_cornernet.export.differences import box_differences, keypoint_differences
from keras_cornernet.export.runtimes import open_runtime
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.evaluating import MeasuresDetections, MeasuresPoses
from keras_cornernet.inference.placement import Placement
from keras_cornernet.inference.pose_reader import Keypoints, PoseReader
from keras_cornernet.inference.reading import OnError, ReadImage, check_options, list_images, read_or_report
from keras_cornernet.inference.timing import Stopwatch, speed_of
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import Size, View, fit_view
from keras_cornernet.results import Detections, Poses
from keras_cornernet.structures import Categories


def load(path: str | Path, *, threads: int | None = None) -> Any:
    """Opens an exported file with the runtime that it is made for.

    Args:
        path: a `.tflite`, `.onnx` or OpenVINO `.xml` file, or the folder of a version of a SavedModel.
        threads: see `open_runtime`.

    Returns:
        An `ExportedDetector`, an `ExportedPoseEstimator`, or what else `EXPORTED` has for the file's task.

    Raises:
        ValueError: there is no such file, or it is not an export of this package.
        ImportError: the runtime is not installed; the message names the extra.

    Example:
        >>> model = keras_cornernet.export.load("people_int8.tflite")
        >>> model.predict("street.jpg")[0].save("found.jpg")
        PosixPath('found.jpg')
    """
    runtime = open_runtime(path, threads=threads)
    task = runtime.description.task
    if task not in EXPORTED:
        raise ValueError(f"{path}: its task is {task!r}, and only {', '.join(EXPORTED)} are known")
    return EXPORTED[task](runtime)


def describe(model: Any, image_size: Size | None = None, precision: str = "float32") -> Description:
    """The description of a model for the file that it is exported to.

    Args:
        model: has `task` and `settings`.
        image_size, precision: see `Description`.
    """
    input_size = model.settings.input_size
    return Description(
        model.task,
        **EXPORTED[model.task].described(model),
        image_size=image_size and tuple(image_size),
        precision=precision,
        input_size=input_size and tuple(input_size),
    )


class Exported:
    """A model in an exported file.

    Attributes:
        runtime: runs the file.
        description: what the file states about itself.
    """

    def __init__(self, runtime: Any):
        self.runtime = runtime
        self.description: Description = runtime.description

    def with_settings(self, **changes: Any) -> Self:
        """Raises, because the settings of an exported file are fixed.

        Raises:
            ValueError: always.
        """
        names = ", ".join(changes)
        raise ValueError(f"{names} cannot be changed in an exported model: choose it when you export")

    def _check_flip(self, flip: bool | None) -> None:
        if flip:
            self.with_settings(flip=flip)

    def _answers(self, image: np.ndarray, graph: Stopwatch) -> tuple[dict[str, np.ndarray], View | None]:
        """The answers for one image without their batch axis, and the view if the image had to be fitted."""
        size, view = self.description.image_size, None
        if size is not None and image.shape[:2] != size:
            view = fit_view(image.shape[:2], size)
        shown = image if view is None else view.apply(image)
        with graph:
            answers = self.runtime.run(shown[None])
        return {name: value[0] for name, value in answers.items()}, view


class ExportedDetector(MeasuresDetections, Exported):
    """A detector in an exported file."""

    task: ClassVar[str] = "detection"
    differences = staticmethod(box_differences)

    @staticmethod
    def described(model: Any) -> dict[str, Any]:
        """The fields of `Description` that only detectors have."""
        return {"names": model.categories.names, "ids": model.categories.ids}

    @staticmethod
    def scores(result: Detections) -> np.ndarray:
        """The scores of what a result shows."""
        return result.scores

    @property
    def categories(self) -> Categories:
        """Names and ids of the labels."""
        return self.description.categories

    def predict(
        self, source: Any, *, min_score: float = 0.3, flip: bool | None = False, batch_size: int = 1
    ) -> list[Detections]:
        """Detects objects on one or many images, one after the other.

        An image of another size than the file takes is fitted into that size first, and its boxes are brought
        back. EXIF orientation is applied.

        Args:
            source, min_score: see `Detector.predict`.
            flip: whether the mirror image is used is fixed in the file; True raises.
            batch_size: has no effect.

        Raises:
            OSError: an image cannot be read; the message names it.
            ValueError: an array has another shape or type, or an argument is out of range.
        """
        return list(self.stream(source, min_score=min_score, flip=flip, batch_size=batch_size))

    def stream(
        self,
        source: Any,
        *,
        min_score: float = 0.3,
        flip: bool | None = False,
        batch_size: int = 1,
        on_error: OnError | None = None,
    ) -> Iterator[Detections]:
        """`predict`, one result at a time; see `Detector.stream`."""
        check_options(min_score, batch_size)
        self._check_flip(flip)
        for item in list_images(source):
            image = read_or_report(item, on_error)
            if image is None:
                continue
            graph = Stopwatch()
            with Stopwatch() as total:
                found = self._found(image, graph).with_min_score(min_score)
            yield found.replace(speed=speed_of(image.milliseconds, total, graph))

    def _found(self, image: ReadImage, graph: Stopwatch) -> Detections:
        answers, view = self._answers(image.image, graph)
        count = int(answers["num_detections"])
        boxes, scores, labels = (answers[name][:count] for name in ("boxes", "scores", "labels"))
        if view is not None:
            height, width = image.size
            boxes = np.clip(view.boxes_to_image(boxes), 0, [width, height, width, height])
        return Detections(boxes.astype(np.float32), scores, labels, self.categories, image.image, image.path)


class ExportedPoseEstimator(MeasuresPoses, Exported, PoseReader):
    """A pose network in an exported file, used like a `PoseEstimator`.

    The file takes one person per image. With boxes, given or found by the `detector`, each person is cropped
    as `PoseEstimator` does; the images that the file takes must then be the network's input, or square.
    Without boxes the whole image is one person. A SavedModel, which takes images of any size, is given the
    square crop of each person; where the network's input is not square, the rest of the input is black.
    """

    task: ClassVar[str] = "pose"
    differences = staticmethod(keypoint_differences)

    def __init__(self, runtime: Any, settings: PoseInferenceConfig | None = None, *, detector: Any = None):
        Exported.__init__(self, runtime)
        description = self.description
        size = description.image_size or (min(description.input_size),) * 2
        # The mirror image, if any, is used inside the file.
        settings = settings or PoseInferenceConfig(size, description.padding, flip=False)
        PoseReader.__init__(self, description.joints, settings, detector)

    @staticmethod
    def described(model: Any) -> dict[str, Any]:
        """The fields of `Description` that only pose networks have."""
        skeleton = model.skeleton
        return {
            "names": skeleton.joints,
            "skeleton": skeleton.name,
            "limbs": skeleton.limbs,
            "flip_pairs": skeleton.flip_pairs,
            "score": 0.2,
            "padding": model.settings.padding,
        }

    @staticmethod
    def scores(result: Poses) -> np.ndarray:
        """The scores of what a result shows."""
        return result.keypoint_scores

    def with_settings(self, **changes: Any) -> Self:
        """The same file with other settings of how people are found and cropped.

        Args:
            changes: `min_score`, `label` or `padding`, see `PoseInferenceConfig`.

        Raises:
            ValueError: another setting, which is fixed in the file.
        """
        if fixed := sorted(set(changes) - {"min_score", "label", "padding"}):
            Exported.with_settings(self, **dict.fromkeys(fixed))
        return type(self)(self.runtime, replace(self.settings, **changes), detector=self.detector)

    def read_inputs(
        self, inputs: np.ndarray, placement: Placement, *, batch_size: int, flip: bool
    ) -> Keypoints:
        """See `PoseReader.read_inputs`.

        Raises:
            ValueError: the file takes oblong images and fits them into the network's input by their longer
                side, so that the square of a person cannot fill it; or `flip`, which is fixed in the file.
        """
        self._check_flip(flip)
        size = self.description.image_size
        if not self._takes_inputs and size is not None and size[0] != size[1]:
            raise ValueError(
                f"boxes: this file was exported with image_size {size} and reads one person who fills such "
                "an image; for people in boxes export it without image_size, or with a square one"
            )
        one_by_one = size is not None
        groups = np.split(inputs, len(inputs)) if one_by_one else [inputs]
        answers = [self.runtime.run(group) for group in groups]
        points, scores = (np.concatenate([answer[k] for answer in answers]) for k in ("keypoints", "scores"))
        ways_back = zip(placement.image_from_input, points, strict=True)
        return np.stack([transform_points(affine, mine) for affine, mine in ways_back]), scores

    @property
    def _takes_inputs(self) -> bool:
        """Whether the images that the file takes are the network's inputs."""
        return self.description.image_size == self.description.input_size

    def _read_boxes(
        self,
        image: ReadImage,
        boxes: np.ndarray,
        *,
        whole: bool,
        batch_size: int,
        flip: bool | None,
        graph: Stopwatch,
    ) -> Keypoints:
        if not whole or self._takes_inputs:
            options = {"batch_size": batch_size, "flip": flip, "graph": graph}
            return super()._read_boxes(image, boxes, whole=whole, **options)
        self._check_flip(flip)
        answers, view = self._answers(image.image, graph)
        points = answers["keypoints"]
        points = points if view is None else view.points_to_image(points)
        return points[None].astype(np.float32), answers["scores"][None]


# The class of the models of each task, by the name that files state; `tasks.register` adds to it.
EXPORTED: dict[str, Any] = {"detection": ExportedDetector, "pose": ExportedPoseEstimator}
