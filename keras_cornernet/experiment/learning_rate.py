"""Which learning rate suits a network and its data: a short run whose rate rises until the loss does."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from keras_cornernet.checks import check_number
from keras_cornernet.experiment.preparation import precision, prepared
from keras_cornernet.presets import training_config
from keras_cornernet.structures import OnProblem
from keras_cornernet.training import TrainingConfig, make_optimizer
from keras_cornernet.visualization import plot_curves

SMOOTHING = 0.9
DIVERGED = 4.0  # times the lowest loss
SAFETY = 10.0  # the rate of the lowest loss is too high to stay at


@dataclass(frozen=True)
class LearningRates:
    """What a learning-rate test found.

    Attributes:
        rates: tried in turn, one a batch.
        losses: of each batch.
        suggestion: a tenth of the rate with the lowest smoothed loss.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float

    def plot(self) -> Image.Image:
        """The losses over the batches, plain and smoothed, up to where they leave all bounds."""
        curve = smoothed(self.losses)
        top = DIVERGED * min(curve)
        curves = {"loss": np.minimum(self.losses, top).tolist(), "smoothed": np.minimum(curve, top).tolist()}
        label = f"batch; the learning rate rises from {self.rates[0]:.0e} to {self.rates[-1]:.1e}"
        return plot_curves(curves, f"a good learning rate: {self.suggestion:.1e}", log=True, x_label=label)


def find_learning_rate(
    preset: str,
    train_dataset: Any,
    config: TrainingConfig | None = None,
    *,
    weights: str | Path | None = None,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
    on_problem: OnProblem | None = None,
) -> LearningRates:
    """Trains on some batches with a learning rate that rises each time, and suggests one.

    The test ends early when the smoothed loss is four times its lowest value. Nothing is kept of the network.

    Args:
        preset, train_dataset, config, weights, on_problem: see `experiment.train`.
        lowest, highest: of the rates; they rise by the same factor from batch to batch.
        steps: number of rates.

    Raises:
        ValueError: a number is out of range, or the loss is not finite at the lowest rate.

    Source: Smith 2017 (Cyclical Learning Rates), sec. 3.3, whose accuracy is the loss here.
    """
    check_number("lowest", lowest, above=0)
    check_number("highest", highest, above=lowest)
    check_number("steps", steps, at_least=10, whole=True)
    config = replace(config or training_config(preset), pipeline="host", minutes=None, ema=0.0)
    with precision(config):
        model, dataset = prepared(preset, train_dataset, config, weights=weights, on_problem=on_problem)
        trainer = model.trainer
        optimizer = make_optimizer(config, int(dataset.cardinality()), model.network.trainable_variables)
        trainer.compile(_with_rate(optimizer, lowest))
        rates = np.geomspace(lowest, highest, steps).tolist()
        losses: list[float] = []
        for rate, (images, annotations) in zip(rates, _endless(dataset), strict=False):
            trainer.set_learning_rate(rate)
            trainer.reset_metrics()
            logs = trainer.train_on_batch(images, annotations, return_dict=True)
            losses.append(float(logs["loss"]))
            curve = smoothed(losses)
            if not math.isfinite(losses[-1]) or curve[-1] > DIVERGED * min(curve):
                break
    finite = [loss for loss in losses if math.isfinite(loss)]
    if not finite:
        raise ValueError(f"lowest: the loss is not finite at a learning rate of {lowest}")
    best = int(np.argmin(smoothed(finite)))
    return LearningRates(tuple(rates[: len(finite)]), tuple(finite), rates[best] / SAFETY)


def smoothed(losses: Any) -> list[float]:
    """A moving average that does not lag at the start."""
    mean, curve = 0.0, []
    for count, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        curve.append(mean / (1 - SMOOTHING**count))
    return curve


def _with_rate(optimizer: Any, rate: float) -> Any:
    """The optimizer with a number for its learning rate, which can be set, in place of a schedule."""
    return type(optimizer).from_config({**optimizer.get_config(), "learning_rate": rate})


def _endless(dataset: Any) -> Iterator[Any]:
    """The batches of one pass after the other."""
    while True:
        if isinstance(dataset, keras.utils.PyDataset):
            yield from (dataset[i] for i in range(len(dataset)))
        else:
            yield from dataset
