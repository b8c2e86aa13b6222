"""A training run from files. Paths are checked before Keras is loaded, which takes its time."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from keras_cornernet.commands.reading import read_for
from keras_cornernet.data.checking import raise_if_empty
from keras_cornernet.structures import DetectionDataset, PoseDataset, Problem

log = logging.getLogger(__name__)
SHOWN = 20  # problems that are logged one by one


class TrainingResult(NamedTuple):
    """What a run left; the fields are plain, fit for json.

    Attributes:
        output: the folder.
        model: the best model, or the last where nothing was validated.
        epochs: rows of `results.csv`.
        score: name of the number that tells the best model: `AP`, `PCK@0.2` or `PCK@0.2 of box`.
        best: the row of the best score, or the last row.
        failed: images that are missing, cannot be read or have another size than stated.
    """

    output: str
    model: str
    epochs: int
    score: str
    best: dict
    failed: list[str]


def train(
    preset: str,
    annotations: str | Path,
    images: str | Path,
    *,
    val_annotations: str | Path | None = None,
    val_images: str | Path | None = None,
    annotation_format: str = "coco",
    adjusted: bool | None = None,
    output: str | Path | None = None,
    config: Mapping[str, object] | None = None,
    resume: bool = False,
    verbose: str | int = "auto",
) -> TrainingResult:
    """Trains a detector or a pose network; see `experiment.train` for what a run leaves in its folder.

    Args:
        preset: a name, or the path of a `.keras` file to go on from.
        annotations, images: the annotation file and the folder of its images.
        val_annotations, val_images: of the validation set, if any; its images may share the folder.
        annotation_format: `"coco"`; for pose networks also `"lsp"`, `"mpii"` or `"flic"`. Of files that hold
            both parts, each is taken for its own purpose.
        adjusted: of MPII, see `read_mpii`.
        output: the folder of the run, `runs/<preset>` by default.
        config: fields of `experiment.TrainingConfig` to change in that of the preset
            (`experiment.training_config`); a resumed run keeps the others.
        resume: go on after the last finished epoch found in `output`.
        verbose: of `keras.Model.fit`.

    Raises:
        ValueError: a path is missing, the folder holds a run, or a file is not of the format.
    """
    if val_images is not None and val_annotations is None:
        raise ValueError("val_images needs val_annotations")
    pairs = {"train": (annotations, images)}
    if val_annotations is not None:
        pairs["val"] = (val_annotations, val_images or images)
    for part in pairs.values():
        _check_paths(*part)
    output = Path("runs") / Path(preset).stem if output is None else Path(output)
    settings = _settings(output, preset, config or {}, resume)

    # Keras is loaded here, so that a mistyped path is told at once.
    from keras_cornernet import experiment, presets

    pose = presets.is_pose(preset)
    config = experiment.training_config(preset, **settings)
    if config.steps is not None:
        log.warning(
            "trains as published: %s steps of %d images, learning rate %g; --epochs, --batch-size and "
            "--learning-rate change that",
            f"{config.steps:,}",
            config.batch_size,
            config.learning_rate,
        )
    sets, failed = {}, []
    for name, (annotated, folder) in pairs.items():
        reading = {"default_split": name, "adjusted": adjusted}
        sets[name] = read_for(pose, annotated, folder, annotation_format, **reading)
        raise_if_empty(sets[name], annotated)
        failed += [str(problem) for problem in sets[name].problems if problem.costs_image]
        _report(sets[name])
    unusable: dict[Problem, None] = {}  # in the order found; validation finds each again and again
    experiment.train(
        preset,
        sets["train"],
        sets.get("val"),
        output,
        config,
        resume=resume,
        verbose=verbose,
        on_problem=unusable.setdefault,
    )
    failed += map(str, unusable)
    rows = experiment.ResultsTable(output / "results.csv", resume=True).rows
    score = experiment.evaluator_of(sets["train"]).score
    model = output / "best.keras"
    return TrainingResult(
        output=str(output),
        model=str(model if model.is_file() else output / "last.keras"),
        epochs=len(rows),
        score=score,
        best=max(rows, key=lambda row: (row.get(score, -1.0), row["epoch"])),
        failed=failed,
    )


def _check_paths(annotations: str | Path, images: str | Path) -> None:
    if not Path(annotations).is_file():
        raise ValueError(f"annotations: there is no file {annotations}")
    if not Path(images).is_dir():
        raise ValueError(f"images: {images} is not a folder")


def _settings(output: Path, preset: str, changes: Mapping[str, object], resume: bool) -> dict:
    """The fields of the config: as changed, else as the run to resume had them."""
    if not resume:
        if any((output / name).exists() for name in ("results.csv", "backup")):
            raise ValueError(
                f"{output} holds a run already: use --resume to go on with it, or another --output"
            )
        return dict(changes)
    stored = json.loads((output / "plan.json").read_text()) if (output / "plan.json").is_file() else {}
    before = stored.pop("preset", preset)
    if before != preset:
        raise ValueError(f"{output} holds a run of {before}, not of {preset}: use another --output")
    if stored.get("input_size"):
        stored["input_size"] = tuple(stored["input_size"])
    return {**stored, **changes}


def _report(dataset: DetectionDataset | PoseDataset) -> None:
    for problem in dataset.problems[:SHOWN]:
        log.warning("left out: %s", problem)
    if len(dataset.problems) > SHOWN:
        log.warning("and %d more; check-data lists them all", len(dataset.problems) - SHOWN)
