"""Depth or stacks: `python benchmarks/ablation.py [--scenes N] [--epochs N] [--output DIR]`.

The ablation of Newell et al. 2016, sec. 4.3, on people in drawn scenes, one large person in each: at nearly
equal parameters one deep hourglass (four residuals at each place), two stacked ones (two residuals) and four
(one), each with the loss on every stack and on the last alone. Same data, same order, same seed; PCK@0.2 on
scenes that none has seen, after each epoch. Prints a table, and writes `ablation.csv` and `ablation.png`. An
hour on two cores with the defaults.
"""

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from tensorflow_training import keras

from keras_cornernet import files, visualization
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.data.readers import read_coco_people
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.evaluation import evaluate_poses
from keras_cornernet.experiment import TrainingConfig, averaged_weights, make_optimizer
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import StackedHourglass
from keras_cornernet.presets import preset_named
from keras_cornernet.training import HeatmapPCK, Trainer

PRESET, SIZE, ORDER, WIDTH = "hourglass_people", (64, 64), 3, 64
# Stacks, residuals at each place, loss on every stack.
RUNS = {
    "1 deep hourglass": (1, 4, True),
    "2 stacks, loss on each": (2, 2, True),
    "2 stacks, loss on the last": (2, 2, False),
    "4 stacks, loss on each": (4, 1, True),
    "4 stacks, loss on the last": (4, 1, False),
}


class Measure(keras.callbacks.Callback):
    """PCK on the validation people after each epoch, with the averaged weights."""

    def __init__(self, estimator, people):
        super().__init__()
        self.estimator, self.people, self.curve = estimator, people, []

    def on_epoch_end(self, epoch, logs=None):
        with averaged_weights(self.model):
            xy, _ = self.estimator.read_dataset(self.people)
        self.curve.append(evaluate_poses(self.people, xy)["PCK@0.2"])


def train(stacks, count, every_stack, train_dataset, val_dataset, plan):
    """One run: its number of parameters, PCK after each epoch, and seconds a step."""
    keras.utils.set_random_seed(plan.seed)
    preset = preset_named(PRESET)
    network = StackedHourglass(
        len(train_dataset.skeleton.joints),
        stacks=stacks,
        channels=(WIDTH,) * (ORDER + 1),
        num_blocks=(count,) * (ORDER + 1),
        stem=(32, 32, WIDTH),
        input_size=SIZE,
    )
    codec = preset.codec_for(len(preset.skeleton.joints))
    trainer = Trainer(network, codec, replace(preset.loss, every_stack=every_stack), HeatmapPCK())
    dataset = make_dataset(
        train_dataset,
        SIZE,
        batch_size=plan.batch_size,
        augmentation=preset.augmentation,
        shuffle=True,
        seed=plan.seed,
    )
    steps = int(dataset.cardinality())
    trainer.compile(optimizer=make_optimizer(plan, steps))
    estimator = PoseEstimator(network, codec, train_dataset.skeleton, PoseInferenceConfig(SIZE, flip=False))
    measure = Measure(estimator, val_dataset)
    start = time.perf_counter()
    trainer.fit(dataset, epochs=plan.epochs, verbose=0, callbacks=[measure])
    seconds = (time.perf_counter() - start) / (plan.epochs * steps)
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights), measure.curve, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--output", type=Path, default=Path("ablation_output"))
    options = parser.parse_args()
    sets = []
    for name, count, seed in (("train", options.scenes, 1), ("val", max(20, options.scenes // 8), 2)):
        folder = options.output / name
        # One person to a scene, and a large one: what is compared shows within the hour.
        annotations = make_scenes(
            folder, count, seed=seed, size=(160, 160), max_people=1, heights=(0.7, 0.95)
        )
        sets.append(read_coco_people(annotations, folder / "images"))
    plan = TrainingConfig(epochs=options.epochs, batch_size=16)
    print(f"{len(sets[0].people)} people to train on, {len(sets[1].people)} to measure on, input {SIZE}\n")
    print("| network | parameters | PCK@0.2 at half time | at the end | best | ms a step |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    curves = {}
    for name, run in RUNS.items():
        parameters, curve, seconds = train(*run, *sets, plan)
        curves[name] = curve
        middle = curve[(len(curve) - 1) // 2]
        print(
            f"| {name} | {parameters:,} | {middle:.3f} | {curve[-1]:.3f} | {max(curve):.3f} | "
            f"{1000 * seconds:.0f} |",
            flush=True,
        )
        files.write_image(
            options.output / "ablation.png", visualization.plot_curves(curves, "PCK@0.2 by epoch")
        )
    with (options.output / "ablation.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *curves])
        writer.writerows(zip(range(1, plan.epochs + 1), *curves.values(), strict=True))


if __name__ == "__main__":
    main()
