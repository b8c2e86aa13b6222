"""A whole training run in a folder: datasets, optimizer, evaluation, results, best and last model."""

import csv
import io
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np

from keras_cornernet import charts, files, visualization
from keras_cornernet.data.augmentation import SmallDataRecipe
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.evaluation.coco import evaluate_detections
from keras_cornernet.inference import Detector
from keras_cornernet.presets import from_preset, preset_of, save_detector, trainer_of
from keras_cornernet.structures import DataSet


@dataclass(frozen=True)
class TrainingPlan:
    """The numbers of a run.

    Attributes:
        epochs, batch_size: as usual.
        learning_rate: at its highest, after the warm-up; it falls to a hundredth along a cosine.
        warmup: share of the run in which the learning rate rises linearly.
        clip_norm: largest norm of a gradient step.
        ema: momentum of the average of weights that is evaluated and saved; 0 for none. None lets the
            average span about a twentieth of the run.
        evaluate_every: epochs between evaluations on the validation set (the last is always evaluated).
        input_size: `(height, width)` to train and to test at instead of the preset's.
        turns: the subjects have no up: quarter turns and upside-down images are drawn too.
        seed: of weights, order and augmentation.
    """

    epochs: int = 100
    batch_size: int = 8
    learning_rate: float = 1e-3
    warmup: float = 0.04
    clip_norm: float = 5.0
    ema: float | None = None
    evaluate_every: int = 5
    input_size: tuple[int, int] | None = None
    turns: bool = False
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size", "evaluate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be at least 0 and below 1, not {self.warmup}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")


def train(
    preset: str,
    train_set: DataSet,
    val_set: DataSet | None,
    output: str | Path,
    plan: TrainingPlan | None = None,
    *,
    resume: bool = False,
    verbose: str | int = "auto",
) -> Detector:
    """Trains a detector and leaves a folder with all that one wants to know of the run.

    Args:
        preset: a name, or the path of a `.keras` file to go on from (other classes get fresh heads).
        train_set, val_set: what readers returned; without `val_set` no AP is measured.
        output: folder for `last.keras`, `best.keras` (by AP), `results.csv`, `curves.png`,
            `predictions.jpg`, `plan.json`.
        plan: the numbers of the run.
        resume: go on from the last finished epoch found in `output`.
        verbose: of `keras.Model.fit`.

    Returns:
        The best detector, or the last one without `val_set`.

    Raises:
        ValueError: the folder holds a run and `resume` is off, the classes of the two sets differ, or the
            network cannot take the input size.
    """
    plan = plan or TrainingPlan()
    output = Path(output)
    if val_set is not None and val_set.categories != train_set.categories:
        raise ValueError(
            f"train and validation sets have different classes: {train_set.categories} and "
            f"{val_set.categories}"
        )
    table = ResultsTable(output / "results.csv", resume)
    keras.utils.set_random_seed(plan.seed)
    detector = from_preset(preset, categories=train_set.categories)
    grown_from = preset_of(detector)
    recipe = grown_from.recipe if grown_from else SmallDataRecipe()
    input_size = detector.settings.input_size or (grown_from.input_size if grown_from else (511, 511))
    if plan.input_size is not None:
        input_size = tuple(plan.input_size)
        detector.network.check_input_size(input_size)
        detector = detector.with_settings(input_size=input_size)
    if plan.turns:
        recipe = replace(recipe, quarter_turns=True, vertical_flip=0.5)
    dataset = make_dataset(
        train_set, input_size, batch_size=plan.batch_size, recipe=recipe, shuffle=True, seed=plan.seed
    )
    trainer = trainer_of(detector)
    trainer.compile(optimizer=make_optimizer(plan, steps_per_epoch=int(dataset.cardinality())))
    files.write_json(output / "plan.json", {"preset": str(preset), **asdict(plan)}, indent=1)
    trainer.fit(
        dataset,
        epochs=plan.epochs,
        verbose=verbose,
        callbacks=[
            # Kept when the run is over, so that it can be resumed with more epochs.
            keras.callbacks.BackupAndRestore(
                str(output / "backup"), double_checkpoint=True, delete_checkpoint=False
            ),
            EvaluateAndSave(detector, val_set, output, plan, table),
        ],
    )
    best = output / "best.keras"
    return from_preset(best) if best.is_file() else detector


def make_optimizer(plan: TrainingPlan, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Adam with warm-up, cosine decay, clipping and averaged weights, as the plan says."""
    total = plan.epochs * steps_per_epoch
    warm = math.ceil(plan.warmup * total)
    ema = max(0.0, 1 - 20 / total) if plan.ema is None else plan.ema
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=plan.learning_rate / 100,
        decay_steps=max(1, total - warm),
        alpha=0.01,
        warmup_target=plan.learning_rate,
        warmup_steps=warm,
    )
    return keras.optimizers.Adam(
        schedule,
        global_clipnorm=plan.clip_norm,
        use_ema=ema > 0,
        ema_momentum=ema,
        ema_overwrite_frequency=None,
    )


class ResultsTable:
    """`results.csv`: one row an epoch, rewritten whole so that it is never half-written."""

    def __init__(self, path: Path, resume: bool):
        self.path = path
        self.rows: list[dict] = []
        if path.is_file():
            if not resume:
                raise ValueError(f"{path.parent} holds a run already: choose another folder, or resume it")
            with path.open(newline="") as file:
                self.rows = [
                    {name: int(float(v)) if name == "epoch" else float(v) for name, v in row.items() if v}
                    for row in csv.DictReader(file)
                ]

    def add(self, row: dict) -> None:
        """Adds the row of an epoch; rows of that epoch and later ones are replaced."""
        self.rows = [old for old in self.rows if old["epoch"] < row["epoch"]] + [row]
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.rows)
        files.write_text(self.path, text.getvalue())

    def curve(self, name: str) -> list[float]:
        """One column, NaN where a row lacks it."""
        return [row.get(name, math.nan) for row in self.rows]


class EvaluateAndSave(keras.callbacks.Callback):
    """At the end of epochs: measures AP with the averaged weights, saves models, table and pictures."""

    def __init__(self, detector: Detector, val_set: DataSet | None, output: Path, plan: TrainingPlan, table):
        super().__init__()
        self.detector = detector
        # The mirror image costs twice the time and changes little between epochs.
        self.quick = detector.with_settings(flip=False)
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
        found = list(self.quick.stream([s.path for s in self.val_set.samples], on_error=lambda *_: None))
        by_path = {f.path: f for f in found}
        detections = {s.image_id: by_path[s.path] for s in self.val_set.samples if s.path in by_path}
        metrics = evaluate_detections(self.val_set, detections)
        shown = [f.plot() for f in found[:9]]
        files.write_image(self.output / "predictions.jpg", visualization.grid(shown, 3, 1200))
        return {name: metrics[name] for name in ("AP", "AP50", "AP75")}

    def _save(self, row):
        save_detector(self.detector, self.output / "last.keras")
        best = np.nanmax([math.nan, -1.0, *self.table.curve("AP")])
        if "AP" in row and row["AP"] > best:
            save_detector(self.detector, self.output / "best.keras")

    def _draw_curves(self):
        columns = ["loss", *self.model.loss_terms.names]
        curves = {name: self.table.curve(name) for name in columns}
        pictures = [charts.plot_curves(curves, "training loss", log=True)]
        if self.val_set is not None:
            aps = {name: self.table.curve(name) for name in ("AP", "AP50", "AP75")}
            pictures.append(charts.plot_curves(aps, "validation"))
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
