"""A whole training run in a folder: datasets, optimizer, evaluation, results, best and last model."""

import math
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from keras_cornernet import charts, files, visualization
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.experiment.judges import judge_of
from keras_cornernet.experiment.plan import TrainingPlan, make_optimizer, plan_of
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.presets import from_preset, preset_of, recipe_of, save_model, trainer_of
from keras_cornernet.structures import DataSet, PoseSet


def train(
    preset: str,
    train_set: DataSet | PoseSet,
    val_set: DataSet | PoseSet | None,
    output: str | Path,
    plan: TrainingPlan | None = None,
    *,
    resume: bool = False,
    verbose: str | int = "auto",
) -> Detector | PoseEstimator:
    """Trains a detector or a pose network and leaves a folder with all that one wants to know of the run.

    Args:
        preset: a name, or the path of a `.keras` file to go on from (other classes or joints get fresh
            heads).
        train_set, val_set: what readers returned; without `val_set` nothing is measured.
        output: folder for `last.keras`, `best.keras` (by AP or PCK), `results.csv`, `curves.png`,
            `predictions.jpg`, `plan.json`.
        plan: the numbers of the run; None: `plan_of(preset)`.
        resume: go on from the last finished epoch found in `output`.
        verbose: of `keras.Model.fit`.

    Returns:
        The best model, or the last one without `val_set`.

    Raises:
        ValueError: the folder holds a run and `resume` is off, the classes of the two sets differ, or the
            network cannot take the input size.
    """
    plan = plan or plan_of(preset)
    output = Path(output)
    judge = judge_of(train_set)
    judge.check(train_set, val_set)
    table = ResultsTable(output / "results.csv", resume)
    keras.utils.set_random_seed(plan.seed)
    model = judge.model(preset, train_set)
    grown_from = preset_of(model)
    recipe = recipe_of(model)
    input_size = model.settings.input_size or (grown_from.input_size if grown_from else (511, 511))
    if plan.input_size is not None:
        input_size = tuple(plan.input_size)
        model = model.with_settings(input_size=input_size)
    model.network.check_input_size(input_size)
    if plan.turns:
        recipe = turned(recipe)
    dataset = make_dataset(
        train_set, input_size, batch_size=plan.batch_size, recipe=recipe, shuffle=True, seed=plan.seed
    )
    trainer = trainer_of(model)
    steps_per_epoch = int(dataset.cardinality())
    plan = plan.in_epochs(steps_per_epoch)
    trainer.compile(optimizer=make_optimizer(plan, steps_per_epoch))
    files.write_json(output / "plan.json", {"preset": str(preset), **asdict(plan)}, indent=1)
    trainer.fit(
        dataset,
        epochs=plan.epochs,
        verbose=verbose,
        callbacks=[
            # Before the backup: an epoch whose evaluation was stopped is not finished, and is run again.
            EvaluateAndSave(model, judge, val_set, output, plan, table),
            # Kept when the run is over, so that it can be resumed with more epochs.
            keras.callbacks.BackupAndRestore(
                str(output / "backup"), double_checkpoint=True, delete_checkpoint=False
            ),
        ],
    )
    best = output / "best.keras"
    return from_preset(best) if best.is_file() else model


def turned(recipe):
    """The same augmentation for subjects that have no up.

    Raises:
        ValueError: the recipe is one of those that never turn an image.
    """
    if not hasattr(recipe, "turned"):
        raise ValueError(
            f"turns: the preset's {type(recipe).__name__} never turns an image; cornernet_small, "
            "cornernet_squeeze_small and centernet_small have a recipe that can"
        )
    return recipe.turned()


class EvaluateAndSave(keras.callbacks.Callback):
    """At the end of epochs: measures with the averaged weights, saves models, table and pictures."""

    def __init__(self, trained, judge, val_set, output: Path, plan: TrainingPlan, table: ResultsTable):
        super().__init__()
        self.trained = trained
        # The mirror image costs twice the time and changes little between epochs.
        self.quick = trained.with_settings(flip=False)
        self.judge = judge
        self.val_set = val_set
        self.output = output
        self.plan = plan
        self.table = table

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        last = epoch + 1 == self.plan.epochs
        if last or (epoch + 1) % self.plan.evaluate_every == 0:
            with averaged_weights(self.model):
                if self.val_set is not None:
                    row.update(self._evaluate())
                self._save(row)
        self.table.add(row)
        self._draw_curves()

    def _evaluate(self) -> dict:
        metrics, pictures = self.judge.measure(self.quick, self.val_set)
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
        pictures = [charts.plot_curves(curves, "training loss", log=True)]
        if self.val_set is not None:
            measured = {name: self.table.curve(name) for name in self.judge.names}
            pictures.append(charts.plot_curves(measured, "validation"))
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
