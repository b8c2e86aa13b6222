"""Finding objects: boxes in, boxes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.checking import summarize
from keras_cornernet.data.joining import with_classes
from keras_cornernet.data.readers import READERS
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.data.writers import WRITERS, coco_of_boxes
from keras_cornernet.evaluation import EvaluationResult, OperatingPoint, coco_results, fit_operating_point
from keras_cornernet.export.exported import ExportedDetector
from keras_cornernet.inference.evaluating import with_shared_classes
from keras_cornernet.preprocessing import read_image
from keras_cornernet.structures import DetectionDataset
from keras_cornernet.tasks.box_auditor import BoxAuditor
from keras_cornernet.tasks.task import Auditor, Prediction

if TYPE_CHECKING:
    from keras_cornernet.inference import Detector
    from keras_cornernet.models.network import Network
    from keras_cornernet.presets import Family, Preset


class DetectionTask:
    """See `Task`."""

    name: ClassVar[str] = "detection"
    noun: ClassVar[str] = "boxes"
    dataset: ClassVar[Any] = DetectionDataset
    loader: ClassVar[Any] = BoxLoader
    exported: ClassVar[Any] = ExportedDetector
    readers: ClassVar[Mapping[str, Any]] = READERS["detection"]
    writers: ClassVar[Mapping[str, Any]] = WRITERS["detection"]
    default_preset: ClassVar[str] = "cornernet_small"
    auditor: ClassVar[Auditor | None] = BoxAuditor()

    @property
    def families(self) -> Mapping[type[Network], Family]:
        """The networks of `Detector`."""
        from keras_cornernet.inference.detector import Detector
        from keras_cornernet.presets import FAMILIES

        return {network: family for network, family in FAMILIES.items() if issubclass(family.model, Detector)}

    def to_coco(self, dataset: DetectionDataset, root: str | Path) -> dict[str, Any]:
        """See `data.writers.coco_of_boxes`."""
        return coco_of_boxes(dataset, root)

    def to_results(self, dataset: DetectionDataset, result: EvaluationResult) -> list[dict[str, Any]]:
        """See `evaluation.coco_results`."""
        measured = [sample for sample in dataset.samples if sample.image_id in result.predictions]
        return coco_results(dataset.replace(samples=tuple(measured), parts=()), result.predictions)

    def summarize(self, dataset: DetectionDataset) -> dict[str, Any]:
        """Counts of images, boxes and classes."""
        return summarize(dataset)

    def draw_targets(self, dataset: DetectionDataset, index: int, preset: Preset) -> Image.Image:
        """The boxes, then the drawn targets: the corners, and each further heatmap of the network."""
        loader = BoxLoader(dataset.select([index]), preset.input_size)
        codec = preset.codec_for(len(dataset.names))
        names = (*dataset.categories.names, "ignored")
        sample = dataset.samples[index]
        labels = np.where(sample.boxes.ignore, len(names) - 1, sample.boxes.labels)
        boxed = visualization.draw_boxes(read_image(sample.path), sample.boxes.xyxy, labels, names)
        shown, *parts = loader.load(0, 0)
        annotations = {name: part[None] for name, part in zip(loader.annotations, parts, strict=True)}
        targets = codec.encode(annotations, preset.input_size, preset.grid_size)
        heats = [visualization.draw_heatmap(shown.astype(np.uint8), heat) for heat in _heatmaps(targets)]
        columns = min(1 + len(heats), 3)
        return visualization.grid([boxed, *heats], columns, 800 * columns)

    def draw_predictions(
        self, model: Detector, result: EvaluationResult, count: int
    ) -> Sequence[Image.Image]:
        """The first images with the boxes that were found on them."""
        shown = list(result.predictions.values())[:count]
        return [found.replace(image=read_image(found.path)).plot() for found in shown]

    def prediction(self, model: Any, *, detector: Any | None, min_score: float | None) -> Prediction:
        """Files keep all boxes, unless `min_score` is given."""
        if detector is not None:
            raise ValueError(f"--detector finds people for a pose network, and {model} is a detector itself")
        if min_score is None:
            return Prediction(model, {}, {"min_score": 0.0})
        given = {"min_score": min_score}
        return Prediction(model, given, given, given)

    def operating_point(
        self,
        model: Any,
        dataset: DetectionDataset,
        result: EvaluationResult,
        min_precision: float | None = None,
    ) -> OperatingPoint:
        """See `evaluation.fit_operating_point`."""
        dataset, categories, _ = with_shared_classes(dataset, model.categories)
        measured = [sample for sample in dataset.samples if sample.image_id in result.predictions]
        named = {id_: found.replace(categories=categories) for id_, found in result.predictions.items()}
        dataset = dataset.replace(samples=tuple(measured), parts=())
        point = fit_operating_point(dataset, named, min_precision=min_precision)
        return point.replace(min_scores=point.scores_of(categories.names))

    def with_names_of(self, dataset: DetectionDataset, other: DetectionDataset) -> DetectionDataset:
        """The boxes with the classes of another data set; boxes of further classes are left out."""
        return dataset if dataset.names == other.names else with_classes(dataset, other.categories)

    def with_detector(self, detector: Any) -> Mapping[str, Any]:
        """Raises `ValueError`: detectors find their objects themselves."""
        raise ValueError("--detector finds people for a pose network, and this model is a detector itself")

    def export_images(self, model: Detector, count: int) -> Sequence[np.ndarray]:
        """Drawn scenes."""
        return [draw_scene(seed, max_people=2)[0] for seed in range(count)]

    def annotated_images(self, model: Detector, dataset: DetectionDataset) -> Sequence[np.ndarray]:
        """The whole images."""
        return [read_image(path) for path in dataset.paths]


def _heatmaps(targets: Mapping[str, Any]) -> Iterator[np.ndarray]:
    """The first image's maps `(rows, columns)` over all classes: both corners as one, then the others."""
    from keras_cornernet.codecs.heatmaps import CORNERS

    branches = {
        name: target["heatmap"]
        for name, target in targets.items()
        if isinstance(target, dict) and "heatmap" in target
    }
    branches |= targets.get("attention", {})
    maps = {name: np.asarray(heatmap)[0].max(-1) for name, heatmap in branches.items()}
    corners = [maps.pop(name) for name in CORNERS if name in maps]
    if corners:
        yield np.maximum(*corners)
    yield from maps.values()
