"""One training step against torch: `python benchmarks/training_step.py [--rounds N] [--batch N]`.

Times forward pass, loss, backward pass and Adam of the preset `cornernet_small` at its own input size, 3
classes, against the same network with the same weights, the same loss and Adam in torch on channels-last
memory (`torch_cornernet.py`), with the faster of its two forms of corner pooling and the fused Adam. Our
step is timed with the drawing of targets, as in training, and with given targets; torch's step always has
given targets. Both sides run in one process, in turn, on 2 threads. Before that, outputs, loss and
gradients must agree.
"""

import argparse

import numpy as np
from tensorflow_training import keras, tf
from timing import VERDICT_HEAD, interleave, ratio, table, verdict
from torch_cornernet import POOLS, CornerNet, detection_loss, load_weights
from torch_side import torch

from keras_cornernet.presets import from_preset, make_trainer, preset_named

PRESET, CLASSES, OBJECTS, TARGET = "cornernet_small", 3, 12, 1.1
DRAWN, GIVEN, TORCH = (
    "ours, targets drawn in the step",
    "ours, targets given",
    "torch channels-last, targets given",
)


def draw_batch(size, batch):
    """Images of noise, and boxes of which one in eight is ignored."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (batch, *size, 3)).astype(np.float32)
    low = rng.uniform(0, 0.7, (batch, OBJECTS, 2))
    high = np.minimum(low + rng.uniform(0.05, 0.4, low.shape), 0.999)
    scale = np.array([size[1], size[0]] * 2)
    boxes = (np.concatenate([low, high], axis=-1) * scale).astype(np.float32)
    labels = rng.integers(0, CLASSES, (batch, OBJECTS)).astype(np.int32)
    return images, {"boxes": boxes, "labels": labels, "ignore": rng.random(labels.shape) < 1 / 8}


def to_torch(targets):
    """Our targets as torch tensors, with maps `(batch, c, h, w)` in channels-last memory."""

    def convert(value):
        tensor = torch.from_numpy(np.array(value))
        return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor

    converted = tf.nest.map_structure(convert, targets)
    for corner in ("top_left", "bottom_right"):
        for name in ("index", "offset_index"):
            converted[corner][name] = converted[corner][name].long()
    return converted


def weights_of(network):
    return {weight.path: weight.numpy() for weight in network.weights}


def our_side(trainer, images, annotations, targets):
    """The step that draws targets, the step with given targets, and outputs, loss and gradients."""
    variables = trainer.trainable_variables

    def forward(images, loss_of):
        with tf.GradientTape() as tape:
            outputs = trainer.network(images, training=True)
            loss = loss_of(outputs)
        return outputs, loss, tape.gradient(loss, variables)

    def given(targets):
        return lambda outputs: sum(trainer.loss_terms(targets, outputs).values())

    @tf.function(reduce_retracing=False)
    def drawn_step(images, annotations):
        _, loss, gradients = forward(
            images, lambda outputs: trainer.compute_loss(images, annotations, outputs)
        )
        trainer.optimizer.apply(gradients, variables)
        return loss

    @tf.function(reduce_retracing=False)
    def given_step(images, targets):
        _, loss, gradients = forward(images, given(targets))
        trainer.optimizer.apply(gradients, variables)
        return loss

    @tf.function(reduce_retracing=False)
    def compute(images, targets):
        outputs, loss, gradients = forward(images, given(targets))
        return outputs[-1], loss, dict(zip((v.path for v in variables), gradients, strict=True))

    return (
        lambda: drawn_step(images, annotations).numpy(),
        lambda: given_step(images, targets).numpy(),
        lambda: compute(images, targets),
    )


def torch_side(network, images, targets, learning_rate):
    """The step, and a function that returns outputs, loss and gradients."""
    images = torch.from_numpy(images)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate, eps=1e-7, fused=True)

    def backward():
        optimizer.zero_grad(set_to_none=True)
        outputs = network(images)
        loss = detection_loss(targets, outputs, offset_beta=preset_named(PRESET).loss.offset_beta)
        loss.backward()
        return outputs, loss

    def step():
        _, loss = backward()
        optimizer.step()
        return float(loss.detach())

    def compute():
        outputs, loss = backward()
        return outputs, loss, {name: p.grad for name, p in network.named_parameters()}

    return step, compute


def check(ours, theirs):
    """Prints the differences of the two sides, which must compute the same."""
    (outputs, loss, gradients), (their_outputs, their_loss, their_gradients) = ours, theirs
    worst = 0.0
    for corner, heads in outputs.items():
        for head, values in heads.items():
            expected = their_outputs[corner][head].detach().permute(0, 2, 3, 1).numpy()
            worst = max(worst, float(np.abs(values.numpy() - expected).max()))
    np.testing.assert_allclose(worst, 0, atol=2e-3)
    loss, their_loss = float(loss), float(their_loss.detach())
    np.testing.assert_allclose(loss, their_loss, rtol=1e-4)
    square_error = square = 0.0
    renamed = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}
    for path, gradient in gradients.items():
        *modules, last = path.split("/")
        theirs = their_gradients[".".join([*modules, renamed[last]])]
        theirs = (theirs.permute(2, 3, 1, 0) if theirs.ndim == 4 else theirs).numpy().astype(np.float64)
        square_error += np.square(gradient.numpy() - theirs).sum()
        square += np.square(theirs).sum()
    relative = float(np.sqrt(square_error / square))
    np.testing.assert_allclose(relative, 0, atol=3e-2)  # rounding errors through dozens of BatchNorms
    print(f"same outputs (largest difference {worst:.1e}), same loss ({loss:.5f}, {their_loss:.5f}),")
    print(f"same gradients (difference {relative:.1e} of their norm)\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    keras.utils.set_random_seed(0)

    size, rate = preset_named(PRESET).input_size, 1e-4
    detector = from_preset(PRESET, num_classes=CLASSES)
    trainer = make_trainer(detector, preset_named(PRESET).loss)
    trainer.compile(optimizer=keras.optimizers.Adam(rate, epsilon=1e-7))
    images, annotations = draw_batch(size, options.batch)
    network = detector.network
    grid = network(images[:1])[-1]["top_left"]["heatmap"].shape[1:3]
    targets = detector.codec.encode(annotations, size, tuple(grid))
    on_device = tf.nest.map_structure(tf.constant, annotations)
    drawn, given, compute = our_side(trainer, tf.constant(images), on_device, targets)

    peers = {}
    for name, pool in POOLS.items():
        peer = CornerNet(network.arguments, pool).to(memory_format=torch.channels_last).train()
        load_weights(peer, weights_of(network))
        peers[name] = torch_side(peer, images, to_torch(targets), rate)
    count = sum(p.numel() for p in peer.parameters())
    assert count == sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    print(f"{PRESET}, {count} trainable weights, images {(options.batch, *size, 3)}, grid {tuple(grid)}")
    ours = compute()
    for _, their_compute in peers.values():
        check(ours, their_compute())

    tried = interleave({name: step for name, (step, _) in peers.items()}, max(2, options.rounds // 3))
    chosen = min(tried, key=lambda name: tried[name].median)
    print(table(tried, "torch, form of its corner pooling"), f"\n\nchosen: {chosen}\n", flush=True)
    sides = {DRAWN: drawn, GIVEN: given, TORCH: peers[chosen][0]}
    results = interleave(sides, options.rounds)
    print(table(results, f"training step, batch {options.batch}"), "\n")
    for name, spread in results.items():
        print(f"{name}: {options.batch / spread.median:.2f} images a second")
    verdicts = [verdict(ratio(results, side, TORCH), TARGET, f"{side} / {TORCH}") for side in (DRAWN, GIVEN)]
    print("", VERDICT_HEAD, *verdicts, sep="\n")


if __name__ == "__main__":
    main()
