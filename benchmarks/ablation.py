"""Depth or stacks: `python benchmarks/ablation.py [--scenes N] [--epochs N] [--seeds N] [--output DIR]`.

The ablation of Newell et al. 2016, sec. 4.3, on people in drawn scenes, one large person in each. At nearly
equal parameters it compares one deep hourglass (four residuals at each position) with two stacked ones (two
residuals), four (one), and eight (one, of narrower maps), the stacked ones with the loss on every stack and
on the last alone. All networks see the same data in the same order; with each seed, weights and order are
drawn anew. PCK@0.2 is measured after each epoch on scenes that no network was trained on. Prints a table with
the mean over the seeds and the range, and writes `ablation.csv` and `ablation.png`. Runs that `ablation.csv`
holds already are not repeated, so that a benchmark that was stopped goes on where it was. Takes about an
hour for each seed on two cores with the defaults.
"""

import argparse
import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tensorflow_training import keras

from keras_cornernet import files, visualization
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.data.readers import read_coco_people
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.evaluation import evaluate_poses
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import StackedHourglass
from keras_cornernet.presets import preset_named
from keras_cornernet.structures import PoseDataset
from keras_cornernet.training import HeatmapPCK, Trainer, TrainingConfig, averaged_weights, make_optimizer

PRESET, SIZE, ORDER = "hourglass_people", (64, 64), 3


class Run(NamedTuple):
    """One of the networks that are compared.

    Attributes:
        stacks: number of hourglasses.
        num_blocks: residuals at each position of an hourglass.
        width: channels of all maps after the stem.
        every_stack: whether the heatmaps of every stack are trained, or those of the last alone.
    """

    stacks: int
    num_blocks: int
    width: int
    every_stack: bool = True

    def __str__(self) -> str:
        if self.stacks == 1:
            return "1 deep hourglass"
        return f"{self.stacks} stacks, loss on {'each' if self.every_stack else 'the last'}"


RUNS = (
    Run(1, 4, 64),
    *(Run(*sizes, every) for sizes in ((2, 2, 64), (4, 1, 64), (8, 1, 44)) for every in (True, False)),
)


class Trained(NamedTuple):
    """What one run gave: trainable parameters, PCK@0.2 after each epoch, and seconds per step."""

    parameters: int
    curve: list[float]
    seconds: float


class Measure(keras.callbacks.Callback):
    """PCK on the validation people after each epoch, with the averaged weights."""

    def __init__(self, estimator: PoseEstimator, people: PoseDataset):
        super().__init__()
        self.estimator, self.people = estimator, people
        self.curve: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        with averaged_weights(self.model):
            xy, _ = self.estimator.read_dataset(self.people)
        self.curve.append(evaluate_poses(self.people, xy)["PCK@0.2"])


def train(run: Run, train_dataset: PoseDataset, val_dataset: PoseDataset, config: TrainingConfig) -> Trained:
    """Trains one network."""
    keras.utils.set_random_seed(config.seed)
    preset = preset_named(PRESET)
    network = StackedHourglass(
        len(train_dataset.skeleton.joints),
        stacks=run.stacks,
        channels=(run.width,) * (ORDER + 1),
        num_blocks=(run.num_blocks,) * (ORDER + 1),
        stem=(32, 32, run.width),
        input_size=SIZE,
    )
    codec = preset.codec_for(len(preset.skeleton.joints))
    trainer = Trainer(network, codec, replace(preset.loss, every_stack=run.every_stack), HeatmapPCK())
    dataset = make_dataset(
        train_dataset,
        SIZE,
        batch_size=config.batch_size,
        augmentation=preset.augmentation,
        shuffle=True,
        seed=config.seed,
    )
    steps = int(dataset.cardinality())
    trainer.compile(optimizer=make_optimizer(config, steps))
    estimator = PoseEstimator(network, codec, train_dataset.skeleton, PoseInferenceConfig(SIZE, flip=False))
    measure = Measure(estimator, val_dataset)
    start = time.perf_counter()
    trainer.fit(dataset, epochs=config.epochs, verbose=0, callbacks=[measure])
    seconds = (time.perf_counter() - start) / (config.epochs * steps)
    parameters = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    keras.utils.clear_session()
    return Trained(parameters, measure.curve, seconds)


def spread(values: Sequence[float]) -> str:
    """The mean and, of several values, the range."""
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f}..{max(values):.3f})"


def row(run: Run, results: Sequence[Trained]) -> str:
    """The table's line for the results of one network, one for each seed."""
    curves = [trained.curve for trained in results]
    middle = (len(curves[0]) - 1) // 2
    measured = ([c[middle] for c in curves], [c[-1] for c in curves], [max(c) for c in curves])
    milliseconds = 1000 * np.median([trained.seconds for trained in results])
    cells = (run, f"{results[0].parameters:,}", *map(spread, measured), f"{milliseconds:.0f}")
    return f"| {' | '.join(map(str, cells))} |"


def read_curves(table: Path) -> dict[tuple[str, int], Trained]:
    """The runs that a table holds, by network and seed: a benchmark that was stopped goes on after them."""
    done: dict[tuple[str, int], Trained] = {}
    if table.is_file():
        with table.open(newline="") as file:
            for line in csv.DictReader(file):
                curve = [float(pck) for pck in line["PCK@0.2 by epoch"].split()]
                trained = Trained(int(line["parameters"]), curve, float(line["seconds per step"]))
                done[line["network"], int(line["seed"])] = trained
    return done


def write_curves(table: Path, done: Mapping[tuple[str, int], Trained]) -> None:
    """Writes the table anew, with one line for each run."""
    with files.write_aside(table) as part, part.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["network", "seed", "parameters", "seconds per step", "PCK@0.2 by epoch"])
        for (name, seed), trained in done.items():
            curve = " ".join(f"{pck:.5f}" for pck in trained.curve)
            writer.writerow([name, seed, trained.parameters, f"{trained.seconds:.4f}", curve])


def make_data(folder: Path, scenes: int) -> tuple[PoseDataset, PoseDataset]:
    """People to train on and people to measure on: one large person in each scene."""
    sets = []
    for name, count, seed in (("train", scenes, 1), ("val", max(20, scenes // 8), 2)):
        part = folder / name
        annotations = make_scenes(part, count, seed=seed, size=(160, 160), max_people=1, heights=(0.7, 0.95))
        sets.append(read_coco_people(annotations, part / "images"))
    train_dataset, val_dataset = sets
    return train_dataset, val_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("ablation_output"))
    options = parser.parse_args()
    data = make_data(options.output, options.scenes)
    people, others = (len(part.people) for part in data)
    print(f"{people} people to train on, {others} to measure on, input {SIZE}, {options.seeds} seeds\n")
    table = options.output / "ablation.csv"
    done = read_curves(table)
    for seed in range(options.seeds):
        for run in RUNS:
            if (str(run), seed) in done:
                continue
            config = TrainingConfig(epochs=options.epochs, batch_size=16, seed=seed)
            done[str(run), seed] = train(run, *data, config)
            write_curves(table, done)
            print(f"<!-- {run}, seed {seed}: {done[str(run), seed].curve[-1]:.3f} -->", flush=True)
    print("\n| network | parameters | PCK@0.2 at half time | at the end | best | ms per step |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    curves: dict[str, list[float]] = {}
    for run in RUNS:
        results = [done[str(run), seed] for seed in range(options.seeds)]
        print(row(run, results), flush=True)
        curves[str(run)] = np.mean([trained.curve for trained in results], axis=0).tolist()
    picture = visualization.plot_curves(curves, f"PCK@0.2 by epoch, mean of {options.seeds} seeds")
    files.write_image(options.output / "ablation.png", picture)


if __name__ == "__main__":
    main()
