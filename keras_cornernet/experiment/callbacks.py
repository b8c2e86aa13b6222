"""What a training run does after its epochs: measures and saves."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files, visualization
from keras_cornernet.evaluation import OperatingPoint
from keras_cornernet.experiment.results import ResultsTable
from keras_cornernet.inference.model import Model
from keras_cornernet.presets import save_model
from keras_cornernet.structures import OnProblem
from keras_cornernet.tasks import task_of
from keras_cornernet.training import EvaluationCallback, TimeLimit, TrainingConfig, averaged_weights

PICTURES = 9  # on predictions.jpg
# Of runs that end by time: curves are drawn that often at most.
PAUSE = 60.0  # seconds
# They are measured after each such fraction of the run, unless measuring would take over a twelfth of it.
MEASURED_EACH = 1 / 3


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
        self.point: OperatingPoint | None = None
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
        task = task_of(self.dataset)
        pictures = task.draw_predictions(self.measured, self.result, PICTURES)
        if pictures:
            files.write_image(self.output / "predictions.jpg", visualization.grid(pictures, 3, 1200))
        self.point = task.operating_point(self.measured, self.dataset, self.result, self.config.min_precision)
        if self.point is not None:
            self.point.save(self.output)
        self.names = tuple(self.result.headline)
        return dict(self.result.headline)

    def _save(self, row: dict[str, Any]) -> None:
        model = self.measured
        if self.point is not None:
            model = model.with_settings(min_scores=self.point.min_scores)
        save_model(model, self.output / "last.keras")
        if not self.names:
            return
        score = self.names[0]
        best = np.nanmax([math.nan, -1.0, *self.table.curve(score)])
        if row.get(score, math.nan) > best:
            save_model(model, self.output / "best.keras")

    def _draw_curves(self) -> None:
        columns = ["loss", *self.model.loss_terms.names]
        curves: dict[str, Sequence[float]] = {name: self.table.curve(name) for name in columns}
        pictures = [visualization.plot_curves(curves, "training loss", log=True)]
        if self.names:
            measured: dict[str, Sequence[float]] = {name: self.table.curve(name) for name in self.names}
            pictures.append(visualization.plot_curves(measured, "validation"))
        files.write_image(self.output / "curves.png", visualization.grid(pictures, 1, 800))
