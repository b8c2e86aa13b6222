"""Poses on files: pictures and COCO results in a folder."""

from collections.abc import Sequence
from pathlib import Path

from keras_cornernet import files
from keras_cornernet.commands.detection import (
    PredictionResult,
    check_targets,
    expand,
    flipped,
    load_trained,
    picture_names,
)
from keras_cornernet.export.exported import ExportedDetector
from keras_cornernet.inference import Detector
from keras_cornernet.structures import Progress

JOINT_DRAWN = 0.2  # the score from which a joint is drawn


def predict(
    model: str,
    sources: Sequence[str | Path],
    output: str | Path,
    *,
    detector: str | None = None,
    score: float | None = None,
    flip: bool | None = None,
    progress: Progress = list,
) -> PredictionResult:
    """Poses people on images and writes what was found.

    Args:
        model: a preset with weights, a `.keras` file or an exported file, of a pose network.
        sources: images and folders of images.
        output: folder for one picture per image, `predictions.json` in COCO's result form for keypoints and
            `images.json`.
        detector: a model that finds the people; None takes each image as one person who fills it.
        score: boxes of the detector below it are nobody; None leaves it to the model's settings.
        flip: average with the mirror image; None leaves it to the model's settings.
        progress: wraps the images to show how far it is, such as `tqdm.tqdm`.

    Raises:
        ValueError: no such model, a `score` without `detector`, `detector` finds no people, or a picture
            would overwrite its source.
    """
    paths, failed = expand(sources)
    output = Path(output)
    names = picture_names(paths)
    check_targets(output, names, paths)
    estimator = flipped(load_trained(model), flip)
    if score is not None:
        if detector is None:
            raise ValueError("score is of the detector's boxes, and no detector is given")
        estimator = estimator.with_settings(score=score)
    if detector is not None:
        estimator.detector = load_trained(detector)
        if not isinstance(estimator.detector, Detector | ExportedDetector):
            raise ValueError(f"detector: {detector} is a pose network and finds nobody")
    images, predictions = [], []
    for place, path in enumerate(progress(paths)):
        try:
            found = estimator.predict(path, None if detector is None else "detect")[0]
        except OSError as error:
            failed.append(str(error))
            continue
        image_id = len(images) + 1
        found.save(output / names[place], JOINT_DRAWN)
        images.append({"id": image_id, "file_name": path.name, "path": str(path), "picture": names[place]})
        predictions += found.to_coco(image_id)
    files.write_json(output / "images.json", images, indent=1)
    files.write_json(output / "predictions.json", predictions)
    return PredictionResult(str(output), images, predictions, failed)
