"""What `keras-cornernet train` does: a training run from files."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keras_cornernet.cli.console import check_output_folder
from keras_cornernet.cli.data_sets import DataSets

log = logging.getLogger(__name__)
SHOWN = 20  # problems of the annotations that are logged one by one


@dataclass(frozen=True)
class TrainingResult:
    """What a run left; the fields are fit for json.

    Attributes:
        output: the folder.
        model: the best model, or the last where nothing was validated.
        epochs: rows of `results.csv`.
        score: name of the number that decides which model is the best, or None without validation.
        best: the row of the best score, or the last row.
        failed: one message for each image that is missing or cannot be used.
    """

    output: str
    model: str
    epochs: int
    score: str | None
    best: dict[str, Any]
    failed: list[str]

    def __str__(self) -> str:
        lines = []
        if self.score in self.best:
            more = f" (AP50 {self.best['AP50']:.3f})" if "AP50" in self.best else ""
            lines.append(
                f"best {self.score} {self.best[self.score]:.3f}{more} after epoch {self.best['epoch']:.0f}"
            )
        return "\n".join([*lines, f"{self.epochs} epochs in {self.output}; the model: {self.model}"])


@dataclass(frozen=True)
class RateResult:
    """What a learning-rate test found; the fields are fit for json.

    Attributes:
        learning_rate: that is suggested.
        picture: file of the losses.
    """

    learning_rate: float
    picture: str

    def __str__(self) -> str:
        return f"--learning-rate {self.learning_rate:.1e} (the losses: {self.picture})"


def train_on_files(
    preset: str,
    data_sets: DataSets,
    *,
    val_annotations: str | Path | None = None,
    val_images: str | Path | None = None,
    val_fraction: float | None = None,
    background: bool = False,
    weights: str | Path | None = None,
    from_scratch: bool = False,
    output: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    resume: bool = False,
    verbose: str | int = "auto",
    find_rate: bool = False,
) -> TrainingResult | RateResult:
    """Trains a model; see `experiment.train` for what a run leaves in its folder.

    Args:
        preset: a name, or the path of a `.keras` file to start from.
        data_sets: the images and their annotations. Of folders, and of a file that holds several parts, each
            part is used for its own purpose.
        val_annotations, val_images: of the validation set, where `data_sets` names a file; its images may
            share the folder.
        val_fraction: the fraction of the images that is set aside for validation; their files are listed in
            `val_images.txt`.
        background: accept that over nine tenths of the images have no box.
        weights: a `.keras` or `.npz` file whose weights the network starts from, as far as they fit.
        from_scratch: start from random weights where the preset has trained ones.
        output: the folder of the run, `runs/<preset>` by default.
        config: fields of `TrainingConfig` that differ from the preset's; a resumed run keeps the others.
        resume: continue after the last completed epoch found in `output`.
        verbose: of `keras.Model.fit`.
        find_rate: only look for a good learning rate, see `experiment.find_learning_rate`.

    Raises:
        ValueError: a path is missing, the folder holds a run, or a file is not of the format.
    """
    started = time.monotonic()
    if from_scratch and (weights is not None or Path(preset).is_file()):
        raise ValueError("--from-scratch is of presets with trained weights, and a file of weights is given")
    val_sets = _val_sets(data_sets, val_annotations, val_images, val_fraction)
    for sets in (data_sets, val_sets):
        if sets is not None and sets.annotations is not None and sets.images is not None:
            _check_paths(sets.annotations, sets.images)
    output = Path("runs") / Path(preset).stem if output is None else Path(output)
    check_output_folder(output)
    if not resume and any((output / name).exists() for name in ("results.csv", "backup")):
        raise ValueError(f"{output} holds a run already: use --resume to continue it, or another --output")

    # Keras is loaded here, so that a mistyped path is reported at once.
    from keras_cornernet.experiment.folder_lock import only_run

    with only_run(output):
        return _train(
            preset,
            data_sets,
            val_sets,
            output,
            dict(config or {}),
            val_fraction=val_fraction,
            background=background,
            weights=weights,
            from_scratch=from_scratch,
            resume=resume,
            verbose=verbose,
            find_rate=find_rate,
            started=started,
        )


def _train(
    preset: str,
    data_sets: DataSets,
    val_sets: DataSets | None,
    output: Path,
    changes: dict[str, Any],
    *,
    val_fraction: float | None,
    background: bool,
    weights: str | Path | None,
    from_scratch: bool,
    resume: bool,
    verbose: str | int,
    find_rate: bool,
    started: float,
) -> TrainingResult | RateResult:
    """Does as `train_on_files`, in a folder that no other run uses."""
    from keras_cornernet import experiment, files, presets
    from keras_cornernet.experiment import origin
    from keras_cornernet.structures import Provenance
    from keras_cornernet.tasks import task_of

    task = task_of(preset)
    settings = {**(_stored_settings(output, preset) if resume else {}), **changes}
    if "epochs" in changes:
        settings["steps"] = None
    run_config = presets.training_config(preset, **settings)
    _announce(run_config)
    train_dataset, val_dataset = _read(task, data_sets, val_sets, val_fraction, run_config.seed, background)
    description = {**data_sets.describe(), "val_fraction": val_fraction}
    if resume:
        _check_same_data(output, description, train_dataset.names)
    problems = [*train_dataset.problems, *(val_dataset.problems if val_dataset is not None else ())]
    problems = list(dict.fromkeys(problems))
    _report(problems)
    files.write_json(output / "data.json", {**description, "names": list(train_dataset.names)}, indent=1)
    if val_fraction is not None:
        files.write_text(output / "val_images.txt", "\n".join([*dict.fromkeys(val_dataset.paths), ""]))
    if find_rate:
        found = experiment.find_learning_rate(preset, train_dataset, run_config, weights=weights)
        picture = files.write_image(output / "learning_rate.png", found.plot())
        return RateResult(found.suggestion, str(picture))
    start = origin.start_of(preset, weights=weights, trained=not from_scratch)
    _announce_start(start)
    sources = origin.sources_of(train_dataset, data_sets.names[0], data_sets.stated_terms())
    provenance = (start or Provenance()).grown(sources)
    unusable: dict[Any, None] = {}  # in the order found; each validation finds its own again
    run = experiment.train(
        preset,
        train_dataset,
        val_dataset,
        output,
        run_config,
        weights=weights,
        trained=not from_scratch,
        provenance=provenance,
        resume=resume,
        verbose=verbose,
        on_problem=unusable.setdefault,
        started=started,
    )
    return _result(output, run, [str(problem) for problem in (*problems, *unusable) if problem.costs_image])


def _result(output: Path, run: Any, failed: list[str]) -> TrainingResult:
    model = output / "best.keras"
    return TrainingResult(
        output=str(output),
        model=str(model if model.is_file() else output / "last.keras"),
        epochs=len(run.table.rows),
        score=run.score,
        best=max(run.table.rows, key=lambda row: (row.get(run.score, -1.0), row["epoch"])),
        failed=list(dict.fromkeys(failed)),
    )


def _val_sets(
    data_sets: DataSets,
    annotations: str | Path | None,
    images: str | Path | None,
    fraction: float | None,
) -> DataSets | None:
    """The data sets of the validation; None for those that are trained with, or for no validation."""
    if images is not None and annotations is None:
        raise ValueError("val_images needs val_annotations")
    if annotations is None:
        return data_sets if data_sets.data and fraction is None else None
    if data_sets.data or fraction is not None:
        raise ValueError("val_annotations: --data and --val-fraction have validation images of their own")
    return replace(data_sets, annotations=annotations, images=images or data_sets.images)


def _read(
    task: Any,
    data_sets: DataSets,
    val_sets: DataSets | None,
    val_fraction: float | None,
    seed: int,
    background: bool,
) -> tuple[Any, Any]:
    """The training set, and the validation set or None."""
    from keras_cornernet.data import joining

    train_dataset = data_sets.read(task, "train")
    if train_dataset is None:
        raise ValueError(f"data: none of {', '.join(data_sets.names)} has a part for training")
    joining.check_background(train_dataset, background)
    note = joining.background_note(train_dataset)
    if note:
        log.info(note)
    if val_fraction is not None:
        train_dataset, val_dataset = joining.split_dataset(train_dataset, val_fraction, seed)
        return train_dataset, val_dataset
    val_dataset = None if val_sets is None else val_sets.read(task, "val")
    if val_dataset is not None and data_sets.data:
        val_dataset = task.with_names_of(val_dataset, train_dataset)
    return train_dataset, val_dataset


def _check_same_data(output: Path, description: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raises `ValueError` where a run is resumed with other classes or joints, or with other data."""
    from keras_cornernet import files
    from keras_cornernet.experiment.preparation import check_resumed

    stored = output / "data.json"
    if not stored.is_file():
        return
    try:
        before = files.read_json(stored)
        if not isinstance(before, dict):
            raise ValueError(f"{stored}: expected an object, got a {type(before).__name__}")
    except ValueError as error:  # the backup knows the names as well
        log.warning("%s; it is written anew, and whether the data are the same is not checked", error)
        return
    if isinstance(before.get("names"), list):
        check_resumed(output, [str(name) for name in before["names"]], names)
    for name, value in description.items():
        if before.get(name) != value:
            raise ValueError(
                f"{output} was trained with {name} {before.get(name)}, not with {value}: use another --output"
            )


def _check_paths(annotations: str | Path, images: str | Path) -> None:
    if not Path(annotations).is_file():
        raise ValueError(f"annotations: there is no file {annotations}")
    if not Path(images).is_dir():
        raise ValueError(f"images: {images} is not a folder")


def _stored_settings(output: Path, preset: str) -> dict[str, Any]:
    """The fields of the config of the run to resume: of its backup, or before there is one of `plan.json`."""
    from keras_cornernet import files
    from keras_cornernet.experiment.backup import BackupFile
    from keras_cornernet.training.config import config_from_json

    state = BackupFile(output).read()
    source = output / "plan.json"
    if state is None and not source.is_file():
        return {}
    stored = files.read_json(source) if state is None else state.plan
    if not isinstance(stored, Mapping):
        raise ValueError(f"{source}: expected an object, got a {type(stored).__name__}")
    stored = dict(stored)
    before = stored.pop("preset", preset)
    if before != preset:
        raise ValueError(f"{output} holds a run of {before}, not of {preset}: use another --output")
    try:
        return vars(config_from_json(stored))
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _announce_start(start: Any) -> None:
    """Says what the run starts from, and on which terms."""
    if start is None:
        log.info("starts from random weights")
        return
    names = ", ".join(parent.name for parent in start.parents[:1])
    log.info(
        "starts from %s, %s (--from-scratch starts from random weights)", names, replace(start, parents=())
    )


def _announce(config: Any) -> None:
    if config.steps is not None:
        log.warning(
            "trains as published: %s steps of %d images, learning rate %g; --epochs, --batch-size and "
            "--learning-rate change that",
            f"{config.steps:,}",
            config.batch_size,
            config.learning_rate,
        )


def _report(problems: list[Any]) -> None:
    for problem in problems[:SHOWN]:
        log.warning("left out: %s", problem)
    if len(problems) > SHOWN:
        log.warning("and %d more; check-data lists them all", len(problems) - SHOWN)
