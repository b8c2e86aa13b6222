"""Whether the data keep up with training: `python benchmarks/input_pipeline.py [--preset NAME] [--rounds N]`.

Times passes of `make_dataset` over JPEG files of 640x480 with 12 boxes or one person each, with the
augmentation and input size of a preset (`cornernet_small`, or `hourglass_phone` for people), once decoding
every file anew and once from the cache of decoded images. Compares them with the training step that
consumes them (`train_on_batch` with the optimizer of `keras-cornernet train`). All sides run in one
process, in turn, on 2 threads. The target is half the step's time per image, or less. Both datasets must
yield the same.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tensorflow_training import keras, tf
from timing import VERDICT_HEAD, Spread, interleave, ratio, table, verdict

from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.presets import from_preset, make_trainer, preset_named
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Person, PoseDataset, Sample
from keras_cornernet.training import TrainingConfig, make_optimizer

IMAGES, BOXES, SIZE = 64, 12, (480, 640)
FILES, CACHED, STEP = "make_dataset, files decoded anew", "make_dataset, cached", "training step"
TARGET = 0.5  # of the step's time per image
CATEGORIES = Categories(("one", "two", "three"), (1, 2, 3))


def write_images(folder, pose):
    """A data set of JPEG files with the noise of photographs (about 100 kB each)."""
    rng = np.random.default_rng(0)
    samples, people = [], []
    for i in range(IMAGES):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        image = np.asarray(coarse.resize(SIZE[::-1], Image.Resampling.BICUBIC), np.float32)
        image = np.clip(image + rng.normal(0, 8, (*SIZE, 1)), 0, 255).astype(np.uint8)
        path = folder / f"{i}.jpg"
        Image.fromarray(image).save(path, quality=90)
        low = rng.uniform(0, 0.7, (BOXES, 2))
        high = low + rng.uniform(0.05, 0.3, low.shape)
        corners = np.concatenate([low, high], axis=1) * [*SIZE[::-1], *SIZE[::-1]]
        labels = rng.integers(0, 3, BOXES).astype(np.int32)
        boxes = Boxes(corners.astype(np.float32), labels, np.zeros(BOXES, bool))
        samples.append(Sample(str(path), i, SIZE, boxes))
        joints = (low[0] + rng.uniform(0, 0.3, (len(LSP.joints), 2))) * SIZE[::-1]
        center = joints.mean(axis=0)
        people.append(
            Person(str(path), i, center, 240.0, joints.astype(np.float32), np.full(len(joints), 2, np.int32))
        )
    return PoseDataset(tuple(people), LSP) if pose else DetectionDataset(tuple(samples), CATEGORIES)


def first_pass(dataset):
    dataset.epochs.current = 0
    return [tf.nest.map_structure(lambda part: part.numpy(), batch) for batch in dataset]


def run_through(dataset):
    for _ in dataset:
        pass


def training_step(preset, batch, steps):
    """A function that trains one step on a batch, and returns when that is done."""
    keras.utils.set_random_seed(0)
    labels = {"skeleton": LSP} if preset_named(preset).skeleton else {"categories": CATEGORIES}
    trainer = make_trainer(from_preset(preset, **labels))
    trainer.compile(optimizer=make_optimizer(TrainingConfig(), steps))
    images, annotations = tf.nest.map_structure(tf.constant, batch)
    assert np.isfinite(trainer.train_on_batch(images, annotations)).all()
    return lambda: trainer.train_on_batch(images, annotations)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", default="cornernet_small")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    preset = preset_named(options.preset)
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_images(Path(folder), bool(preset_named(options.preset).skeleton))
        datasets = {
            name: make_dataset(
                dataset,
                preset.input_size,
                batch_size=options.batch,
                augmentation=preset.augmentation,
                shuffle=True,
                cache_bytes=cache_bytes,
            )
            for name, cache_bytes in ((FILES, 0), (CACHED, 2**30))
        }
        batches = first_pass(datasets[FILES])
        for _ in range(2):  # the first pass of the second dataset fills its cache, the other reads from it
            for expected, got in zip(batches, first_pass(datasets[CACHED]), strict=True):
                tf.nest.map_structure(np.testing.assert_array_equal, expected, got)
        size = batches[0][0].shape
        print(f"{options.preset}, images {size}; both datasets yield the same {len(batches)} batches\n")
        sides = {name: lambda data=data: run_through(data) for name, data in datasets.items()}
        sides[STEP] = training_step(options.preset, batches[0], steps=100)
        results = interleave(sides, options.rounds)
    images = {FILES: len(batches) * options.batch, CACHED: len(batches) * options.batch, STEP: options.batch}
    results = {
        name: Spread(tuple(s / images[name] for s in spread.samples)) for name, spread in results.items()
    }
    print(table(results, "one image"), "\n")
    for name, spread in results.items():
        print(f"{name}: {1 / spread.median:.1f} images a second")
    verdicts = [verdict(ratio(results, side, STEP), TARGET, f"{side} / {STEP}") for side in (FILES, CACHED)]
    print("", VERDICT_HEAD, *verdicts, sep="\n")


if __name__ == "__main__":
    main()
