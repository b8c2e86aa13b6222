"""Images a second on the device: `python benchmarks/device_training.py [--seconds N] [--batch N]`.

Trains the preset `cornernet_small` with `fit` on a dataset on the device, photographs' augmentation, AdamW
and averaged weights, against a plain JAX loop: the same network and loss in one jitted step with a simple
augmentation of its own, one launch a step. Where torch is installed and sees the GPU, the same network is
trained there too, eagerly and compiled, on images and targets that lie ready. The sides take turns.

On a GPU: `--batch 64 --size 320 --mixed`; the images are drawn, so that no data is needed.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch needs room beside

import jax
import jax.numpy as jnp
import keras
import numpy as np
from PIL import Image

from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.presets import from_preset, make_trainer
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample
from keras_cornernet.training import TrainingConfig, make_optimizer

PRESET, CLASSES, OBJECTS = "cornernet_small", 6, 8
OURS, PLAIN, EAGER, COMPILED = "ours", "plain JAX loop", "torch eager", "torch.compile"
RATE, DECAY, CLIP, AVERAGE = 1e-4, 0.02, 5.0, 0.99


def drawn_photos(folder: Path, count: int) -> DetectionDataset:
    """Smooth noise of 480x640 with boxes."""
    rng = np.random.default_rng(0)
    samples = []
    for i in range(count):
        path = folder / f"{i}.jpg"
        Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((640, 480)).save(path)
        low = rng.uniform(0, 0.6, (OBJECTS, 2))
        ends = np.concatenate([low, low + rng.uniform(0.1, 0.4, (OBJECTS, 2))], 1) * [640, 480, 640, 480]
        labels = rng.integers(0, CLASSES, OBJECTS).astype(np.int32)
        boxes = Boxes(ends.astype(np.float32), labels, np.zeros(OBJECTS, bool))
        samples.append(Sample(str(path), i, (480, 640), boxes))
    names = tuple(f"class {i}" for i in range(CLASSES))
    return DetectionDataset(tuple(samples), Categories(names, tuple(range(CLASSES))))


def new_trainer(categories):
    keras.utils.set_random_seed(0)
    return make_trainer(from_preset(PRESET, categories=categories))


def our_side(data, size, batch):
    """Trains one epoch; returns its images."""
    trainer = new_trainer(data.categories)
    dataset = make_dataset(
        data,
        (size, size),
        batch_size=batch,
        augmentation=PhotoAugmentation(),
        shuffle=True,
        pipeline="device",
        passes=max(1, 64 * batch // len(data)),
    )
    config = TrainingConfig(epochs=1000, optimizer="adamw", learning_rate=RATE, weight_decay=DECAY)
    trainer.compile(make_optimizer(config, dataset.cardinality(), trainer.network.trainable_variables))

    def run():
        trainer.fit(dataset, epochs=1, verbose=0)
        return dataset.cardinality() * batch

    return run


def plain_side(data, size, batch):
    """A jitted step with its own augmentation, AdamW and average; returns the images of 64 steps."""
    trainer = new_trainer(data.categories)
    network, codec = trainer.network, trainer.codec
    photos = jnp.asarray(np.stack([np.asarray(Image.open(path)) for path in data.paths]))
    boxes = jnp.asarray(np.stack([sample.boxes.xyxy for sample in data.samples]))
    labels = jnp.asarray(np.stack([sample.boxes.labels for sample in data.samples]))

    def make_batch(key, index):
        keys = jax.random.split(key, 4)
        scale = size / 640 * jnp.exp(jax.random.uniform(keys[0], (batch,), minval=-0.7, maxval=0.8))
        room = size - scale[:, None] * jnp.array([640.0, 480.0])
        move = room * jax.random.uniform(keys[1], (batch, 2))
        pixels = jnp.arange(size) + 0.5
        x = (pixels[None] - move[:, :1]) / scale[:, None] - 0.5
        y = (pixels[None] - move[:, 1:]) / scale[:, None] - 0.5
        inside = ((y > -0.5) & (y < 479.5))[:, :, None] & ((x > -0.5) & (x < 639.5))[:, None]
        left, top = jnp.floor(jnp.clip(x, 0, 638)), jnp.floor(jnp.clip(y, 0, 478))
        across, down = jnp.clip(x - left, 0, 1)[:, None, :, None], jnp.clip(y - top, 0, 1)[:, :, None, None]

        def at(dy, dx):
            rows = top.astype(jnp.int32)[:, :, None] + dy
            columns = left.astype(jnp.int32)[:, None] + dx
            return photos[index[:, None, None], rows, columns].astype(jnp.float32)

        upper = at(0, 0) * (1 - across) + at(0, 1) * across
        lower = at(1, 0) * (1 - across) + at(1, 1) * across
        shown = jnp.where(inside[..., None], upper * (1 - down) + lower * down, 127.0)
        gain = jax.random.uniform(keys[2], (batch, 1, 1, 3), minval=0.7, maxval=1.3)
        shown = jnp.clip(shown * gain, 0, 255)
        moved = boxes[index] * scale[:, None, None] + jnp.tile(move, (1, 2))[:, None]
        moved = jnp.clip(moved, 0, size - 1)
        kept = (moved[..., 2:] - moved[..., :2]).min(-1) > 2
        return shown, {"boxes": moved, "labels": jnp.where(kept, labels[index], -1)}

    def loss_of(trained, others, images, annotations):
        outputs, others = network.stateless_call(trained, others, images, training=True)
        heatmap = next(iter(outputs[-1].values()))["heatmap"]
        targets = codec.encode(annotations, (size, size), tuple(heatmap.shape[1:3]))
        return sum(trainer.loss_terms(targets, outputs).values()), others

    def step(state, key, index):
        trained, others, mean, square, average, count = state
        images, annotations = make_batch(key, index)
        (_, others), slopes = jax.value_and_grad(loss_of, has_aux=True)(trained, others, images, annotations)
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in slopes))
        slopes = [g * jnp.minimum(1.0, CLIP / norm) for g in slopes]
        count = count + 1
        mean = [0.9 * m + 0.1 * g for m, g in zip(mean, slopes, strict=True)]
        square = [0.999 * s + 0.001 * g * g for s, g in zip(square, slopes, strict=True)]

        def moved(v, m, s):
            rate = RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            return v - rate * m / (jnp.sqrt(s) + 1e-8) - RATE * DECAY * v * (v.ndim > 1)

        trained = [moved(*values) for values in zip(trained, mean, square, strict=True)]
        average = [AVERAGE * a + (1 - AVERAGE) * v for a, v in zip(average, trained, strict=True)]
        return trained, others, mean, square, average, count

    jitted = jax.jit(step, donate_argnums=0)
    trained = [jnp.array(v.value) for v in network.trainable_variables]
    zeros = [[jnp.zeros_like(v) for v in trained] for _ in range(2)]
    others = [jnp.array(v.value) for v in network.non_trainable_variables]
    state = [trained, others, *zeros, [jnp.array(v) for v in trained], jnp.zeros(())]
    keys = iter(jax.random.split(jax.random.key(0), 100_000))
    rng = np.random.default_rng(0)

    def run(steps=64):
        nonlocal state
        for _ in range(steps):
            state = jitted(state, next(keys), jnp.asarray(rng.integers(0, len(data), batch)))
        jax.block_until_ready(state)
        return steps * batch

    return run


def torch_sides(data, size, batch, mixed):
    """Steps on images and targets that lie ready on the GPU; nothing without torch or its GPU."""
    try:
        import torch
    except ImportError:
        return {}
    if not torch.cuda.is_available():
        return {}
    import sys
    import types

    # The network restated in torch must not start TensorFlow, as the module that it takes torch from does.
    sys.modules["torch_side"] = types.ModuleType("torch_side")
    sys.modules["torch_side"].torch = torch
    from torch_cornernet import POOLS, CornerNet, detection_loss

    trainer = new_trainer(data.categories)
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.uniform(0, 255, (batch, size, size, 3)).astype(np.float32)).cuda()
    sides = [sample.boxes.xyxy * (size / 640) for sample in data.samples[:batch]]
    annotations = {
        "boxes": jnp.asarray(np.resize(np.stack(sides), (batch, OBJECTS, 4))),
        "labels": jnp.asarray(rng.integers(0, CLASSES, (batch, OBJECTS)).astype(np.int32)),
    }
    targets = trainer.codec.encode(annotations, (size, size), (size // 4, size // 4))

    def converted(value):
        if isinstance(value, dict):
            return {name: converted(v) for name, v in value.items()}
        tensor = torch.from_numpy(np.array(value)).cuda()
        return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor

    targets = converted(targets)
    for corner in ("top_left", "bottom_right"):
        for name in ("index", "offset_index"):
            targets[corner][name] = targets[corner][name].long()

    def side(compiled):
        network = CornerNet(trainer.network.arguments, POOLS["torch.cummax"]).cuda()
        network = network.to(memory_format=torch.channels_last)
        forward = torch.compile(network) if compiled else network
        optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY, fused=True)

        def run(steps=64):
            for _ in range(steps):
                optimizer.zero_grad(set_to_none=True)
                with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
                    outputs = forward(images)
                outputs = {c: {h: v.float() for h, v in heads.items()} for c, heads in outputs.items()}
                detection_loss(targets, outputs, offset_beta=trainer.loss_terms.offset_beta).backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
                optimizer.step()
            torch.cuda.synchronize()
            return steps * batch

        return run

    return {EAGER: side(False), COMPILED: side(True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="of timing, after everything is compiled")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--photos", type=int, default=256)
    parser.add_argument("--mixed", action="store_true", help="compute in bfloat16")
    arguments = parser.parse_args()
    if arguments.mixed:
        keras.config.set_dtype_policy("mixed_bfloat16")
    print(jax.devices()[0].device_kind, "JAX", jax.__version__, "Keras", keras.__version__, vars(arguments))
    with tempfile.TemporaryDirectory() as folder:
        data = drawn_photos(Path(folder), arguments.photos)
        sides = {
            OURS: our_side(data, arguments.size, arguments.batch),
            PLAIN: plain_side(data, arguments.size, arguments.batch),
            **torch_sides(data, arguments.size, arguments.batch, arguments.mixed),
        }
        for name, run in list(sides.items()):
            start = time.perf_counter()
            try:
                run()
            except Exception as error:
                print(f"{name} failed: {error}")
                del sides[name]
                continue
            print(f"{name}: first run {time.perf_counter() - start:.1f} s", flush=True)
        speeds = {name: [] for name in sides}
        end = time.perf_counter() + arguments.seconds
        while time.perf_counter() < end or not speeds[OURS]:
            for name, run in sides.items():
                start = time.perf_counter()
                images = run()
                speeds[name].append(images / (time.perf_counter() - start))
    print("\n| side | images/s, median | least | most | ours / it |\n|---|---:|---:|---:|---:|")
    for name, found in speeds.items():
        ratio = np.median(speeds[OURS]) / np.median(found)
        print(f"| {name} | {np.median(found):.0f} | {min(found):.0f} | {max(found):.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
