"""A whole training run in a folder: datasets, optimizer, evaluation, results, best and last model."""

import math
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.experiment.config import TrainingConfig, make_optimizer, training_config
from keras_cornernet.experiment.evaluators import evaluator_of
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.presets import default_augmentation, from_preset, make_trainer, preset_of, save_model
from keras_cornernet.structures import DetectionDataset, OnProblem, PoseDataset


def train(
    preset: str,
    train_dataset: DetectionDataset | PoseDataset,
    val_dataset: DetectionDataset | PoseDataset | None,
    output: str | Path,
    config: TrainingConfig | None = None,
    *,
    resume: bool = False,
    verbose: str | int = "auto",
    on_problem: OnProblem | None = None,
) -> Detector | PoseEstimator:
    """Trains a detector or a pose network and leaves a folder with all that one wants to know of the run.

    Args:
        preset: a name, or the path of a `.keras` file to go on from (other classes or joints get fresh
            heads).
        train_dataset, val_dataset: what readers returned; without `val_dataset` nothing is measured.
        output: folder for `last.keras`, `best.keras` (by AP or PCK), `results.csv`, `curves.png`,
            `predictions.jpg`, `config.json`.
        config: the numbers of the run; None: `training_config(preset)`.
        resume: go on from the last finished epoch found in `output`.
        verbose: of `keras.Model.fit`.
        on_problem: called for images that cannot be used, which training and validation leave out; for one of
            the validation set at each measurement.

    Returns:
        The best model, or the last one without `val_dataset`.

    Raises:
        ValueError: the folder holds a run and `resume` is off, the classes of the two sets differ, or the
            network cannot take the input size.
    """
    config = config or training_config(preset)
    output = Path(output)
    judge = evaluator_of(train_dataset)
    judge.check(train_dataset, val_dataset)
    table = ResultsTable(output / "results.csv", resume)
    keras.utils.set_random_seed(config.seed)
    model = judge.model(preset, train_dataset)
    grown_from = preset_of(model)
    augmentation = default_augmentation(model)
    input_size = model.settings.input_size or (grown_from.input_size if grown_from else (511, 511))
    if config.input_size is not None:
        input_size = tuple(config.input_size)
        model = model.with_settings(input_size=input_size)
    model.network.check_input_size(input_size)
    if config.rotations:
        augmentation = rotated(augmentation)
    dataset = make_dataset(
        train_dataset,
        input_size,
        batch_size=config.batch_size,
        augmentation=augmentation,
        shuffle=True,
        seed=config.seed,
        on_problem=on_problem,
    )
    trainer = make_trainer(model)
    steps_per_epoch = int(dataset.cardinality())
    config = config.in_epochs(steps_per_epoch)
    trainer.compile(optimizer=make_optimizer(config, steps_per_epoch))
    files.write_json(output / "plan.json", {"preset": str(preset), **asdict(config)}, indent=1)
    trainer.fit(
        dataset,
        epochs=config.epochs,
        verbose=verbose,
        callbacks=[
            # Before the backup: an epoch whose evaluation was stopped is not finished, and is run again.
            EvaluateAndSave(
                model, judge, val_dataset, output, config, table, on_problem or (lambda problem: None)
            ),
            # Kept when the run is over, so that it can be resumed with more epochs.
            keras.callbacks.BackupAndRestore(
                str(output / "backup"), double_checkpoint=True, delete_checkpoint=False
            ),
        ],
    )
    best = output / "best.keras"
    return from_preset(best) if best.is_file() else model


def rotated(augmentation):
    """The same augmentation for subjects that have no up.

    Raises:
        ValueError: the recipe is one of those that never turn an image.
    """
    if not hasattr(augmentation, "rotated"):
        raise ValueError(
            f"turns: the preset's {type(augmentation).__name__} never turns an image; cornernet_small, "
            "cornernet_squeeze_small and centernet_small have a recipe that can"
        )
    return augmentation.rotated()


class EvaluateAndSave(keras.callbacks.Callback):
    """At the end of epochs: measures with the averaged weights, saves models, table and pictures."""

    def __init__(
        self,
        trained,
        judge,
        val_dataset,
        output: Path,
        config: TrainingConfig,
        table: ResultsTable,
        on_problem: OnProblem,
    ):
        super().__init__()
        self.trained = trained
        # The mirror image costs twice the time and changes little between epochs.
        self.quick = trained.with_settings(flip=False)
        self.judge = judge
        self.val_dataset = val_dataset
        self.output = output
        self.config = config
        self.table = table
        self.on_problem = on_problem

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        last = epoch + 1 == self.config.epochs
        if last or (epoch + 1) % self.config.evaluate_every == 0:
            with averaged_weights(self.model):
                if self.val_dataset is not None:
                    row.update(self._evaluate())
                self._save(row)
        self.table.add(row)
        self._draw_curves()

    def _evaluate(self) -> dict:
        metrics, pictures = self.judge.measure(self.quick, self.val_dataset, self.on_problem)
        if pictures:
            files.write_image(self.output / "predictions.jpg", visualization.grid(pictures, 3, 1200))
        return metrics

    def _save(self, row):
        save_model(self.trained, self.output / "last.keras")
        score = self.judge.score
        best = np.nanmax([math.nan, -1.0, *self.table.curve(score)])
        if score in row and row[score] > best:
            save_model(self.trained, self.output / "best.keras")

    def _draw_curves(self):
        columns = ["loss", *self.model.loss_terms.names]
        curves = {name: self.table.curve(name) for name in columns}
        pictures = [visualization.plot_curves(curves, "training loss", log=True)]
        if self.val_dataset is not None:
            measured = {name: self.table.curve(name) for name in self.judge.names}
            pictures.append(visualization.plot_curves(measured, "validation"))
        files.write_image(self.output / "curves.png", visualization.grid(pictures, 1, 800))


class averaged_weights:
    """Puts the optimizer's averaged weights into a model for the length of a `with` block."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        variables = self.model.trainable_variables
        self.own = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
        self.model.optimizer.finalize_variable_values(variables)

    def __exit__(self, *_):
        for variable, value in zip(self.model.trainable_variables, self.own, strict=True):
            variable.assign(value)
