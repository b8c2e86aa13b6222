"""A whole training run in a folder: datasets, optimizer, evaluation, results, best and last model."""

import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.devices import several_devices
from keras_cornernet.experiment.backup import Backup, BackupFile, RunState
from keras_cornernet.experiment.callbacks import EvaluateAndSave
from keras_cornernet.experiment.folder_lock import only_run
from keras_cornernet.experiment.origin import sources_of, start_of
from keras_cornernet.experiment.preparation import check_resumed, check_same_names, precision, prepared
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.inference.model import Model
from keras_cornernet.presets import from_preset, provenance_of, training_config
from keras_cornernet.structures import OnProblem, Provenance
from keras_cornernet.training import TimeLimit, TrainingConfig, make_optimizer, rate_at

NEVER = 10**6  # epochs
GUESSED = 0.03  # seconds to measure an image


@dataclass(frozen=True)
class Run:
    """A training run that has ended.

    Attributes:
        model: the best one, or the last where nothing was measured.
        table: of the epochs.
        score: name of the number that decided which model is the best, or None.
    """

    model: Model
    table: ResultsTable
    score: str | None


def train(
    preset: str,
    train_dataset: Any,
    val_dataset: Any | None,
    output: str | Path,
    config: TrainingConfig | None = None,
    *,
    weights: str | Path | None = None,
    trained: bool = True,
    provenance: Provenance | None = None,
    resume: bool = False,
    verbose: str | int = "auto",
    on_problem: OnProblem | None = None,
    started: float | None = None,
) -> Run:
    """Trains a model and leaves a folder with all that one wants to know of the run.

    Args:
        preset: a name, or the path of a `.keras` file to start from (other classes or joints get new heads).
        train_dataset, val_dataset: what readers returned; without `val_dataset` nothing is measured.
        output: folder for `last.keras`, `best.keras` (by AP or PCK), `results.csv`, `curves.png`,
            `predictions.jpg`, `plan.json`.
        config: the settings of the run; None: `presets.training_config(preset)`.
        weights: a `.keras` or `.npz` file whose weights the network starts from, see `start_from`.
        trained: start from the weights of a preset that has some.
        provenance: of the model, once it is trained; None: see `origin.start_of` and `origin.sources_of`.
        resume: continue after the last epoch of the backup in `output`; without one, begin the run.
        verbose: of `keras.Model.fit`.
        on_problem: called for images that cannot be used, which training and validation leave out; for one of
            the validation set at each measurement.
        started: of `time.monotonic()`, when a run by minutes began; None: now.

    Returns:
        The model with the best score, or the last one without `val_dataset`, and the table of the epochs.

    Raises:
        ValueError: the folder holds a run and `resume` is off, or is used by another one; the run to resume
            had other classes or joints; its backup is damaged; nothing is annotated; the two data sets have
            different classes or joints; or the network cannot take the input size.
        FloatingPointError: the loss or a weight is no longer finite.
    """
    started = time.monotonic() if started is None else started
    config = config or training_config(preset)
    if provenance is None:
        start = start_of(preset, weights=weights, trained=trained) or Provenance()
        provenance = start.grown(sources_of(train_dataset))
    if resume and (Path(output) / "last.keras").is_file():  # what it started from was named then
        provenance = provenance_of(Path(output) / "last.keras").grown(provenance.data)
    with (
        only_run(output),
        precision(config),
        several_devices(config.devices, config.batch_size, synchronized=config.synchronized),
    ):
        model, table, score = _train(
            preset,
            train_dataset,
            val_dataset,
            Path(output),
            config,
            weights,
            trained,
            provenance,
            resume,
            verbose,
            on_problem,
            started,
        )
    best = Path(output) / "best.keras"
    return Run(from_preset(best) if best.is_file() else model, table, score)


def _train(
    preset: str,
    train_dataset: Any,
    val_dataset: Any | None,
    output: Path,
    config: TrainingConfig,
    weights: str | Path | None,
    trained: bool,
    provenance: Provenance,
    resume: bool,
    verbose: str | int,
    on_problem: OnProblem | None,
    started: float,
) -> tuple[Model, ResultsTable, str | None]:
    """Does as `train`, in the precision and on the devices that are set; the model is the last one."""
    if val_dataset is not None:
        check_same_names(train_dataset, val_dataset)
    if config.early_stopping is not None and val_dataset is None:
        raise ValueError("early_stopping needs a validation set")
    backup = BackupFile(output)
    if not resume and (backup.folder.exists() or (output / "results.csv").exists()):
        raise ValueError(f"{output} holds a run already: choose another folder, or resume it")
    state = backup.read() if resume else None
    if state is not None:
        check_resumed(output, state.names, train_dataset.names)
    for folder in (output, backup.folder):
        files.remove_leftovers(folder)
    model, dataset = prepared(
        preset,
        train_dataset,
        config,
        weights=None if state else weights,
        trained=trained,
        on_problem=on_problem,
    )
    model.provenance = provenance
    steps_per_epoch = int(dataset.cardinality())
    config = config.in_epochs(steps_per_epoch)
    model.compile(make_optimizer(config, steps_per_epoch, model.network.trainable_variables))
    if state is not None:
        backup.restore(model.trainer)
    table = ResultsTable(output / "results.csv", state.rows if state else ())
    plan = {"preset": str(preset), **asdict(config)}
    files.write_json(output / "plan.json", plan, indent=1)
    limit = None
    if config.minutes is not None:
        before = state.seconds if state else 0.0
        limit = TimeLimit(60 * config.minutes, partial(rate_at, config), started=started, before=before)
        if val_dataset is not None:  # a guess until it has been measured
            limit.reserve = min(GUESSED * len(val_dataset), limit.seconds / 10)
        dataset.epochs.clock = lambda: limit.fraction

    def state_after(epoch: int) -> RunState:
        seconds = 0.0 if limit is None else limit.elapsed
        return RunState(epoch, seconds, tuple(train_dataset.names), tuple(table.until(epoch)), plan)

    evaluate_and_save = EvaluateAndSave(model, val_dataset, output, config, table, on_problem, limit)
    model.fit(
        dataset,
        epochs=config.epochs if limit is None else NEVER,
        initial_epoch=state.epoch if state else 0,
        verbose=verbose,
        callbacks=[
            *([] if limit is None else [limit]),
            # Before the backup: an epoch whose evaluation was interrupted is not complete, and runs again.
            evaluate_and_save,
            Backup(backup, state_after, limit),
        ],
    )
    score = evaluate_and_save.names[0] if evaluate_and_save.names else None
    return model, table, score
