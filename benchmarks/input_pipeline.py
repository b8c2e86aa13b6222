"""Whether the data keep up with training: `python benchmarks/input_pipeline.py [--preset NAME] [--rounds N]`.

Times passes of `make_dataset` over JPEG files of 640x480 with 12 boxes or one person each, with the
augmentation (`--augmentation`) and input size of a preset (`cornernet_small`, or `hourglass_phone` for
people), once decoding every file anew and once from the cache of decoded images; both must yield the same.
Compares them with OpenCV alone on two threads, with a torch `DataLoader` of two workers that uses OpenCV
(both with mosaics where the augmentation has them), with our own reading by Pillow, and with the training
step that consumes them (`train_on_batch` with the optimizer of `keras-cornernet train`). All sides run in one
process, in turn, on 2 threads.

Targets, as times of an image: files at most 1 / 0.67 of OpenCV's, the cache at most OpenCV's, files at most
the `DataLoader`'s, and either at most half the training step's.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from opencv_reading import OpenCVExamples, in_data_loader, on_threads
from PIL import Image
from tensorflow_training import keras, tf
from timing import VERDICT_HEAD, Spread, interleave, ratio, table, verdict

from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.preprocessing import opencv
from keras_cornernet.presets import augmentation_named, from_preset, make_trainer, preset_named
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Person, PoseDataset, Sample
from keras_cornernet.training import TrainingConfig, make_optimizer

IMAGES, BOXES, SIZE = 128, 12, (480, 640)
PERSON_SIDE = 240.0
FILES, CACHED = "make_dataset, files decoded anew", "make_dataset, cached"
PILLOW, STEP = "make_dataset, files decoded anew, Pillow", "training step"
OPENCV, LOADER = "OpenCV, two threads", "torch DataLoader with OpenCV, two workers"
TARGETS = (
    (FILES, OPENCV, 1 / 0.67),
    (CACHED, OPENCV, 1.0),
    (FILES, LOADER, 1.0),
    (FILES, STEP, 0.5),
    (CACHED, STEP, 0.5),
)
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
            Person(
                str(path),
                i,
                center,
                PERSON_SIDE,
                joints.astype(np.float32),
                np.full(len(joints), 2, np.int32),
            )
        )
    return PoseDataset(tuple(people), LSP) if pose else DetectionDataset(tuple(samples), CATEGORIES)


def first_pass(dataset):
    dataset.epochs.current = 0
    return [tf.nest.map_structure(lambda part: part.numpy(), batch) for batch in dataset]


def run_through(dataset):
    for _ in dataset:
        pass


def run_through_with_pillow(dataset):
    cv2, opencv.cv2 = opencv.cv2, None
    try:
        run_through(dataset)
    finally:
        opencv.cv2 = cv2


def opencv_examples(dataset, input_size, mosaic):
    """The same files for OpenCV alone, about as large in the input as our augmentations show them."""
    if isinstance(dataset, PoseDataset):
        points = [person.keypoints for person in dataset.people]
        centers = [person.center for person in dataset.people]
        zoom = input_size[0] / PERSON_SIDE
    else:
        points = [sample.boxes.xyxy.reshape(-1, 2) for sample in dataset.samples]
        centers = [np.array(SIZE[::-1]) / 2] * len(points)
        zoom = min(n / side for n, side in zip(input_size, SIZE, strict=True))
    return OpenCVExamples(list(dataset.paths), points, centers, [zoom] * len(points), input_size, mosaic)


def training_step(model, batch, steps):
    """A function that trains one step on a batch, and returns when that is done."""
    trainer = make_trainer(model)
    trainer.compile(optimizer=make_optimizer(TrainingConfig(), steps))
    images, annotations = tf.nest.map_structure(tf.constant, batch)
    assert np.isfinite(trainer.train_on_batch(images, annotations)).all()
    return lambda: trainer.train_on_batch(images, annotations)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", default="cornernet_small")
    parser.add_argument("--augmentation", default="default")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    preset = preset_named(options.preset)
    labels = {"skeleton": LSP} if preset.skeleton else {"categories": CATEGORIES}
    model = from_preset(options.preset, **labels)
    augmentation = augmentation_named(model, options.augmentation)
    with tempfile.TemporaryDirectory() as folder:
        data = write_images(Path(folder), bool(preset.skeleton))
        datasets = {
            name: make_dataset(
                data,
                preset.input_size,
                batch_size=options.batch,
                augmentation=augmentation,
                shuffle=True,
                cache_bytes=cache_bytes,
            )
            for name, cache_bytes in ((FILES, 0), (CACHED, 2**30), (PILLOW, 0))
        }
        batches = first_pass(datasets[FILES])
        for _ in range(2):  # the first pass of the second dataset fills its cache, the other reads from it
            for expected, got in zip(batches, first_pass(datasets[CACHED]), strict=True):
                tf.nest.map_structure(np.testing.assert_array_equal, expected, got)
        size = batches[0][0].shape
        print(f"{options.preset}, images {size}; both datasets yield the same {len(batches)} batches\n")
        examples = opencv_examples(data, preset.input_size, getattr(augmentation, "mosaic", 0.0))
        sides = {
            FILES: lambda: run_through(datasets[FILES]),
            OPENCV: on_threads(examples),
            CACHED: lambda: run_through(datasets[CACHED]),
            LOADER: in_data_loader(examples, options.batch),
            PILLOW: lambda: run_through_with_pillow(datasets[PILLOW]),
            STEP: training_step(model, batches[0], steps=100),
        }
        sides = {name: run for name, run in sides.items() if run is not None}
        results = interleave(sides, options.rounds)
    images = {name: options.batch if name == STEP else len(batches) * options.batch for name in results}
    results = {
        name: Spread(tuple(s / images[name] for s in spread.samples)) for name, spread in results.items()
    }
    print(table(results, "one image"), "\n")
    for name, spread in results.items():
        print(f"{name}: {1 / spread.median:.1f} images a second")
    print("", VERDICT_HEAD, sep="\n")
    for side, other, target in TARGETS:
        if other in results:
            print(verdict(ratio(results, side, other), target, f"{side} / {other}"))


if __name__ == "__main__":
    main()
