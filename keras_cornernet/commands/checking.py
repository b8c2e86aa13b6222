"""A look at a data set before time is spent on it."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.codecs.heatmaps import CORNERS
from keras_cornernet.commands.detection import Progress, picture_names
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.checking import check_images, summarize
from keras_cornernet.data.readers import read_coco
from keras_cornernet.preprocessing import read_image
from keras_cornernet.presets import Preset, preset_named
from keras_cornernet.presets.families import FAMILIES
from keras_cornernet.structures import DetectionDataset


class DataCheckResult(NamedTuple):
    """What `check_data` found; the fields are plain, fit for json.

    Attributes:
        counts: of `data.checking.summarize`.
        problems: one sentence each, which names file and place.
        pictures: files, each with the boxes first and then the drawn targets: the corners, the centres where
            the network has them, and CornerNet-Saccade's attention to large, medium and small objects.
    """

    counts: dict
    problems: list[str]
    pictures: list[str]


def check_data(
    annotations: str | Path,
    images: str | Path,
    output: str | Path,
    *,
    pictures: int = 8,
    preset: str = "cornernet_small",
    progress: Progress = list,
) -> DataCheckResult:
    """Counts what a COCO data set holds, finds its faults, and draws what a network would be taught.

    Args:
        annotations, images: COCO json and the folder of its images.
        output: folder for the pictures and `report.json`.
        pictures: how many images to draw, spread over the data set.
        preset: of a detector, whose input size and targets are drawn.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.

    Raises:
        ValueError: not COCO json, or no such preset.
    """
    chosen = preset_named(preset)
    dataset = read_coco(annotations, images)
    broken = check_images(dataset, progress)
    problems = [str(problem) for problem in (*dataset.problems, *broken)]
    counts = {**summarize(dataset), "problems": len(problems)}
    faulty = {problem.path for problem in broken}
    sound = [sample for sample in dataset.samples if sample.path not in faulty]
    with_boxes = [sample for sample in sound if len(sample.boxes.labels)] or sound
    drawn = _draw(dataset.replace(samples=spread(with_boxes, pictures)), chosen, Path(output))
    files.write_json(Path(output) / "report.json", {"counts": counts, "problems": problems}, indent=1)
    return DataCheckResult(counts, problems, drawn)


def spread(things: Sequence, count: int) -> tuple:
    """At most `count` of the things, evenly spread."""
    places = np.linspace(0, len(things) - 1, min(count, len(things))).round().astype(int)
    return tuple(things[place] for place in places)


def _draw(dataset: DetectionDataset, preset: Preset, output: Path) -> list[str]:
    """Writes a picture of boxes and targets for each image."""
    if not dataset.samples:
        return []
    loader = BoxLoader(dataset, preset.input_size)
    codec = FAMILIES[preset.network].codec(len(dataset.categories.names), **preset.codec)
    names = (*dataset.categories.names, "ignored")
    drawn = []
    for place, file_name in enumerate(picture_names([Path(s.path) for s in dataset.samples])):
        sample = dataset.samples[place]
        labels = np.where(sample.boxes.ignore, len(names) - 1, sample.boxes.labels)
        boxed = visualization.draw_boxes(read_image(sample.path), sample.boxes.xyxy, labels, names)
        shown, *parts = loader.load(0, place)
        annotations = {name: part[None] for name, part in zip(loader.annotations, parts, strict=True)}
        targets = codec.encode(annotations, preset.input_size, _grid_size(preset))
        heats = [visualization.draw_heatmap(shown.astype(np.uint8), heat) for heat in _heatmaps(targets)]
        columns = min(1 + len(heats), 3)
        picture = visualization.grid([boxed, *heats], columns, 800 * columns)
        drawn.append(str(files.write_image(output / file_name, picture)))
    return drawn


def _heatmaps(targets: dict) -> Iterator[np.ndarray]:
    """The first image's maps `(rows, columns)` over all classes: both corners in one map, then the others."""
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


def _grid_size(preset: Preset) -> tuple[int, int]:
    """The size of the maps: the stem halves once a width, rounding up."""
    defaults = inspect.signature(preset.network.__init__).parameters
    stride = 2 ** len(preset.arguments.get("stem", defaults["stem"].default))
    height, width = preset.input_size
    return -(-height // stride), -(-width // stride)
