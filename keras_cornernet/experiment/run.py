"""A whole training run in a folder: datasets, optimizer, evaluation, results, best and last model."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.inference.model import Model
from keras_cornernet.presets import (
    augmentation_named,
    default_input_size,
    from_preset,
    save_model,
    start_from,
    training_config,
)
from keras_cornernet.presets.families import Augmentation
from keras_cornernet.structures import OnProblem
from keras_cornernet.tasks import Task, task_of
from keras_cornernet.training import (
    EvaluationCallback,
    TimeLimit,
    TrainingConfig,
    averaged_weights,
    make_optimizer,
    rate_at,
)
from keras_cornernet.training.freezing import freeze

PICTURES = 9  # on predictions.jpg
# Of runs that end by time: an epoch has at least so many steps on the device, and curves and backups are
# written that often at most.
LEAST_STEPS = 200
PAUSE = 60.0  # seconds
# They are measured after each such fraction of the run, unless measuring would take over a twelfth of it.
MEASURED_EACH = 1 / 3
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
        resume: continue after the last completed epoch found in `output`.
        verbose: of `keras.Model.fit`.
        on_problem: called for images that cannot be used, which training and validation leave out; for one of
            the validation set at each measurement.
        started: of `time.monotonic()`, when a run by minutes began; None: now.

    Returns:
        The model with the best score, or the last one without `val_dataset`, and the table of the epochs.

    Raises:
        ValueError: the folder holds a run and `resume` is off, the two data sets have different classes or
            joints, or the network cannot take the input size.
    """
    started = time.monotonic() if started is None else started
    config = config or training_config(preset)
    with _precision(config):
        return _train(
            preset,
            train_dataset,
            val_dataset,
            Path(output),
            config,
            weights,
            resume,
            verbose,
            on_problem,
            started,
        )


@contextmanager
def _precision(config: TrainingConfig) -> Iterator[None]:
    """Within the block, networks are built with the precision of a run."""
    before = keras.config.dtype_policy()
    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _train(
    preset: str,
    train_dataset: Any,
    val_dataset: Any | None,
    output: Path,
    config: TrainingConfig,
    weights: str | Path | None,
    resume: bool,
    verbose: str | int,
    on_problem: OnProblem | None,
    started: float,
) -> Run:
    """Does as `train`, in the precision that is set."""
    task = task_of(train_dataset)
    if val_dataset is not None:
        _check_same_names(train_dataset, val_dataset)
    table = ResultsTable(output / "results.csv", resume)
    keras.utils.set_random_seed(config.seed)
    model = _model_for(preset, train_dataset, task)
    if weights is not None and not resume:
        start_from(model.network, weights)
    freeze(model.network, config.freeze)
    if config.early_stopping is not None and val_dataset is None:
        raise ValueError("early_stopping needs a validation set")
    input_size = default_input_size(model)
    if config.input_size is not None:
        input_size = config.input_size
        model = model.with_settings(input_size=input_size)
    sizes = config.train_sizes or (input_size,)
    for size in (input_size, *sizes):
        model.network.check_input_size(size)
    augmentation = augmentation_named(model, config.augmentation)
    dataset = make_dataset(
        train_dataset,
        sizes,
        batch_size=config.batch_size,
        augmentation=with_rotations(augmentation) if config.rotations else augmentation,
        shuffle=True,
        seed=config.seed,
        on_problem=on_problem,
        pipeline=config.pipeline,
        steps_per_launch=config.steps_per_launch,
        passes=1
        if config.minutes is None
        else math.ceil(LEAST_STEPS * config.batch_size / len(train_dataset)),
    )
    steps_per_epoch = int(dataset.cardinality())
    config = config.in_epochs(steps_per_epoch)
    model.compile(make_optimizer(config, steps_per_epoch, model.network.trainable_variables))
    files.write_json(output / "plan.json", {"preset": str(preset), **asdict(config)}, indent=1)
    limit = None
    if config.minutes is not None:
        before = 60 * table.rows[-1].get("minutes", 0.0) if table.rows else 0.0
        limit = TimeLimit(60 * config.minutes, partial(rate_at, config), started=started, before=before)
        if val_dataset is not None:  # a guess until it has been measured
            limit.reserve = min(GUESSED * len(val_dataset), limit.seconds / 10)
        dataset.epochs.clock = lambda: limit.fraction
    evaluate_and_save = EvaluateAndSave(model, val_dataset, output, config, table, on_problem, limit)
    model.fit(
        dataset,
        epochs=config.epochs if limit is None else NEVER,
        verbose=verbose,
        callbacks=[
            *([] if limit is None else [limit]),
            # Before the backup: an epoch whose evaluation was interrupted is not complete, and runs again.
            evaluate_and_save,
            Backup(output / "backup", limit),
        ],
    )
    best = output / "best.keras"
    score = evaluate_and_save.names[0] if evaluate_and_save.names else None
    return Run(from_preset(best) if best.is_file() else model, table, score)


def _model_for(preset: str, dataset: Any, task: Task) -> Model:
    """A model with the classes or joints of the data."""
    own = task_of(preset)
    if own is not task:
        raise ValueError(f"{preset} is for {own.name}, and the data set is for {task.name}")
    labels_field = next(iter(task.families.values())).model.labels_field
    return from_preset(preset, **{labels_field: getattr(dataset, labels_field)})


def _check_same_names(train_dataset: Any, val_dataset: Any) -> None:
    """Raises `ValueError` where two data sets have other classes or joints, or in another order."""
    ours, theirs = tuple(train_dataset.names), tuple(val_dataset.names)
    if ours == theirs:
        return
    if sorted(ours) == sorted(theirs):
        position = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
        raise ValueError(
            "the training and validation sets list the same names in another order: "
            f"{ours[position]!r} is number {position + 1} in one and "
            f"{theirs.index(ours[position]) + 1} in the other"
        )
    only = [", ".join(n for n in a if n not in b) or "none" for a, b in ((ours, theirs), (theirs, ours))]
    raise ValueError(
        "the training and validation sets have different names: "
        f"only in training {only[0]}; only in validation {only[1]}"
    )


def with_rotations(augmentation: Augmentation) -> Augmentation:
    """The same augmentation with rotations, for subjects without an upright orientation.

    Raises:
        ValueError: this augmentation has none.
    """
    if not hasattr(augmentation, "rotated"):
        raise ValueError(
            f"rotations: {type(augmentation).__name__} never rotates an image; cornernet_small, "
            "cornernet_squeeze_small and centernet_small have an augmentation that can"
        )
    rotated: Augmentation = augmentation.rotated()
    return rotated


class Backup(keras.callbacks.BackupAndRestore):
    """Keeps the state after each epoch; in runs by time, whose epochs may be short, once a minute.

    Kept when the run is over, so that it can be resumed with more epochs.

    Args:
        folder: for the state.
        limit: of a run that ends by time.
    """

    def __init__(self, folder: Path, limit: TimeLimit | None = None):
        super().__init__(str(folder), double_checkpoint=True, delete_checkpoint=False)
        self.limit = limit
        self._saved = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        if self.limit is None or self.limit.over or now - self._saved >= PAUSE:
            super().on_epoch_end(epoch, logs)
            self._saved = now


class EvaluateAndSave(EvaluationCallback):
    """At the end of epochs: measures with the averaged weights, saves models, table and pictures.

    Args:
        model: that is trained.
        dataset: the validation set, or None.
        output: the folder of the run.
        config: its settings, `epochs` given.
        table: its results so far.
        on_problem: called for images of `dataset` that cannot be used.
        limit: of a run that ends by time, which is measured at thirds of it or less often.
    """

    def __init__(
        self,
        model: Model,
        dataset: Any,
        output: Path,
        config: TrainingConfig,
        table: ResultsTable,
        on_problem: OnProblem | None,
        limit: TimeLimit | None = None,
    ):
        super().__init__(model, dataset, every=config.evaluate_every)
        self.on_problem = on_problem
        self.output = output
        self.config = config
        self.table = table
        self.limit = limit
        self._measured_at = 0.0 if limit is None else limit.elapsed
        self._drawn = time.monotonic()
        self.names: tuple[str, ...] = ()  # of the validation's numbers; the first decides which model is best

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        due = self._is_due(epoch)
        if due:
            began = time.monotonic()
            with averaged_weights(self.model):
                if self.dataset is not None:
                    row.update(self._evaluate())
                self._save(row)
            if self._no_better(row):
                self.model.stop_training = True
            self._measured(time.monotonic() - began)
        if self.limit is not None:
            row["minutes"] = self.limit.elapsed / 60
        self.table.add(row)
        if self.limit is None or due or time.monotonic() - self._drawn > PAUSE:
            self._draw_curves()
            self._drawn = time.monotonic()

    def _is_due(self, epoch: int) -> bool:
        """Whether the model is measured and saved now."""
        if self.limit is None:
            return epoch + 1 == self.config.epochs or (epoch + 1) % self.every == 0
        pause = max(MEASURED_EACH * self.limit.seconds, 12 * self.limit.reserve)
        return self.limit.over or self.limit.elapsed - self._measured_at >= pause

    def _no_better(self, row: dict[str, Any]) -> bool:
        """Whether so many measurements, this one the last, were no better than one before them."""
        patience = self.config.early_stopping
        if patience is None or not self.names:
            return False
        scores = [*self.table.curve(self.names[0]), row.get(self.names[0], math.nan)]
        scores = [score for score in scores if math.isfinite(score)]
        return bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= patience

    def _measured(self, seconds: float) -> None:
        """Keeps time for the last measurement as long as the longest so far."""
        if self.limit is not None:
            self._measured_at = self.limit.elapsed
            self.limit.reserve = max(self.limit.reserve, seconds)

    def _evaluate(self) -> dict[str, float]:
        self.result = self.measured.evaluate(self.dataset, flip=self.flip)
        for problem in self.result.problems:
            if self.on_problem is not None and problem not in self.dataset.problems:
                self.on_problem(problem)
        pictures = task_of(self.dataset).draw_predictions(self.measured, self.result, PICTURES)
        if pictures:
            files.write_image(self.output / "predictions.jpg", visualization.grid(pictures, 3, 1200))
        self.names = tuple(self.result.headline)
        return dict(self.result.headline)

    def _save(self, row: dict[str, Any]) -> None:
        save_model(self.measured, self.output / "last.keras")
        if not self.names:
            return
        score = self.names[0]
        best = np.nanmax([math.nan, -1.0, *self.table.curve(score)])
        if row.get(score, math.nan) > best:
            save_model(self.measured, self.output / "best.keras")

    def _draw_curves(self) -> None:
        columns = ["loss", *self.model.loss_terms.names]
        curves: dict[str, Sequence[float]] = {name: self.table.curve(name) for name in columns}
        pictures = [visualization.plot_curves(curves, "training loss", log=True)]
        if self.names:
            measured: dict[str, Sequence[float]] = {name: self.table.curve(name) for name in self.names}
            pictures.append(visualization.plot_curves(measured, "validation"))
        files.write_image(self.output / "curves.png", visualization.grid(pictures, 1, 800))
