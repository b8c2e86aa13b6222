"""Detection on files: pictures and COCO results in a folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_cornernet import files
from keras_cornernet.export.exported import ExportedDetector, ExportedPoseEstimator, load
from keras_cornernet.export.runtimes import is_exported, open_runtime
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.inference.reading import list_images
from keras_cornernet.presets import PRESETS, from_preset, is_pose
from keras_cornernet.results import Detections
from keras_cornernet.structures import Progress

DRAWN = 0.3  # the score from which boxes are drawn unless another is asked for


class PredictionResult(NamedTuple):
    """What `predict` found; the fields are plain, fit for json.

    Attributes:
        output: the folder.
        images: `{"id", "file_name", "path", "picture"}` of each image that was read, ids from 1.
        predictions: in COCO result form.
        failed: one sentence for each input that could not be read, which names it.
    """

    output: str
    images: list[dict]
    predictions: list[dict]
    failed: list[str]


def predict(
    model: str,
    sources: Sequence[str | Path],
    output: str | Path,
    *,
    score: float | None = None,
    flip: bool | None = None,
    progress: Progress = list,
) -> PredictionResult:
    """Detects on images and writes what was found.

    Args:
        model: a preset with weights, or the path of a `.keras` file.
        sources: images and folders of images.
        output: folder for one picture per image, `predictions.json` in COCO result form and `images.json`.
        score: boxes below it are neither drawn nor written; by default all are written and those of at
            least 0.3 drawn.
        flip: show the mirror image too; None leaves it to the model's settings.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.

    Raises:
        ValueError: no such model, or a picture would overwrite its source.
    """
    paths, failed = expand(sources)
    output = Path(output)
    names = picture_names(paths)
    check_targets(output, names, paths)
    detector = flipped(load_trained(model), flip)
    images, predictions = [], []
    for place, found in detect_each(detector, paths, progress):
        if isinstance(found, OSError):
            failed.append(str(found))
            continue
        path, image_id = paths[place], len(images) + 1
        found = found if score is None else found.with_min_score(score)
        found.save(output / names[place], DRAWN if score is None else score)
        entry = {"id": image_id, "file_name": path.name, "path": str(path), "picture": names[place]}
        images.append(entry)
        predictions += found.to_coco(image_id)
    files.write_json(output / "images.json", images, indent=1)
    files.write_json(output / "predictions.json", predictions)
    return PredictionResult(str(output), images, predictions, failed)


def detect_each(
    detector: Detector, paths: Sequence[str | Path], progress: Progress = list
) -> Iterator[tuple[int, Detections | OSError]]:
    """Yields the place of each path and what was found there, or why the image cannot be read."""
    for place, path in enumerate(progress(paths)):
        try:
            found = detector.predict(path)[0]
        except OSError as error:
            found = error
        yield place, found


def is_pose_model(model: str) -> bool:
    """Whether a preset, a `.keras` file or an exported file poses people."""
    if is_exported(model):
        return open_runtime(model).description.task == "pose"
    return is_pose(model)


def load_trained(model: str) -> Detector | PoseEstimator | ExportedDetector | ExportedPoseEstimator:
    """Loads a preset with weights, a `.keras` file or an exported file.

    Raises:
        ValueError: no such model, or a preset that has no trained weights; the message lists those that have.
    """
    if is_exported(model):
        return load(model)
    preset = PRESETS.get(str(model))
    if preset is not None and preset.weights is None and not Path(model).is_file():
        trained = ", ".join(name for name, other in PRESETS.items() if other.weights)
        raise ValueError(f"{model} has no trained weights: train it first, or take one of {trained}")
    return from_preset(model)


def flipped(model: Detector | PoseEstimator, flip: bool | None) -> Detector | PoseEstimator:
    """The model with or without the mirror image at test; None leaves it as it is."""
    return model if flip is None else model.with_settings(flip=flip)


def picture_names(paths: Sequence[Path]) -> list[str]:
    """A file name for the picture of each image: its own, numbered where two are the same."""
    names, taken = [], set()
    for path in paths:
        known = path.suffix.lower() in files.IMAGE_SUFFIXES
        stem, suffix = (path.stem, path.suffix) if known else (path.name, ".jpg")
        name, number = stem + suffix, 1
        while name.casefold() in taken:  # some file systems do not tell cases apart
            number += 1
            name = f"{stem}_{number}{suffix}"
        taken.add(name.casefold())
        names.append(name)
    return names


def expand(sources: Sequence[str | Path]) -> tuple[list[Path], list[str]]:
    """The images of all sources, and what is wrong with folders that have none."""
    paths, failed = [], []
    for source in sources:
        try:
            paths += list_images(source)
        except OSError as error:
            failed.append(str(error))
    return paths, failed


def check_targets(output: Path, names: Sequence[str], paths: Sequence[Path]) -> None:
    """Raises `ValueError` where a picture would overwrite its source."""
    own = {os.path.realpath(path) for path in paths}
    for name in names:
        if os.path.realpath(output / name) in own:
            raise ValueError(f"the picture {output / name} would overwrite a source: choose another output")
