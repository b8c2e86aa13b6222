"""One training step of CornerNet against the authors' numbers, `parity/cornernet_training`."""

import json
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import pytest
from agreement import CORNERS, convert_parity, images_of, largest_difference, named_heads

from keras_cornernet.conversion.corner_names import CORNERNET
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.training import Trainer


@dataclass
class GivenTargets:
    """A codec whose targets come with the batch."""

    def encode(self, annotations, input_size, grid_size):
        return annotations


class Step(NamedTuple):
    """What one training step computes; arrays by our weight paths, losses by term."""

    loss: float
    terms: dict
    heads: dict
    gradients: dict
    weights: dict


def training_step(trainer, images, targets) -> Step:
    """Loss, gradients and BatchNorm statistics of one step, without an optimizer's update."""
    trained = trainer.trainable_variables
    if keras.backend.backend() == "jax":
        import jax

        trainer.compile("sgd")  # Keras' step on JAX reads the optimizer's variables, though none acts here
        kinds = [trained, trainer.non_trainable_variables, trainer.metrics_variables]
        *kinds, optimizer = [[v.value for v in block] for block in (*kinds, trainer.optimizer.variables)]
        step = jax.jit(jax.value_and_grad(trainer.compute_loss_and_updates, has_aux=True), static_argnums=6)
        results = step(*kinds, images, targets, None, True, optimizer)
        (loss, (_, outputs, others, _)), gradients = results
        for variable, value in zip(trainer.non_trainable_variables, others, strict=True):
            variable.assign(value)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = trainer(images, training=True)
            loss = trainer.compute_loss(images, targets, outputs)
        gradients = tape.gradient(loss, [v.value for v in trained])
    return Step(
        float(loss),
        {name: float(value) for name, value in trainer.loss_terms(targets, outputs).items()},
        named_heads(outputs),
        {v.path: np.asarray(g) for v, g in zip(trained, gradients, strict=True)},
        {w.path: w.numpy() for w in trainer.network.weights},
    )


def cells_normalised(path, height, width):
    """Cells of one image that a BatchNorm of the network sees, for a grid of `height` x `width`."""
    if path.startswith("stem_conv/"):
        return 4 * height * width
    k = 0
    if path.startswith("hourglass_"):
        block, *rest = path.split("/")[1].split("_")
        k = {"aside": int(rest[0]), "bottom": 3}.get(block, int(rest[0]) + 1)
    return (height >> k) * (width >> k)


@pytest.fixture(scope="module")
def folder(parity):
    return parity("cornernet_training")


@pytest.fixture(scope="module")
def config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(scope="module")
def batch(folder):
    return np.load(folder / "batch.npz")


@pytest.fixture(scope="module")
def network(folder):
    return convert_parity(folder)


@pytest.fixture(scope="module")
def before(network):
    return {w.path: w.numpy() for w in network.weights}


@pytest.fixture(scope="module")
def step(network, before, batch):
    targets = {
        ours: {
            "heatmap": batch[f"gt_{corner}_heat"],
            "offset": batch[f"gt_{corner}_regr"],
            "index": batch[f"{corner}_inds"].astype(np.int32),
        }
        for corner, ours in CORNERS.items()
    }
    targets["mask"] = batch["gt_mask"].astype(np.float32)
    trainer = Trainer(network, GivenTargets(), DetectionLoss())
    return training_step(trainer, images_of(batch["x"], network), targets)


@pytest.fixture(scope="module")
def names(network):
    return {ours: f"module.{theirs}" for ours, theirs in CORNERNET.weight_names(network.arguments).items()}


def test_loss_and_its_terms(step, config):
    loss, stacks = config["loss"], 2
    expected = {
        "focal": loss["focal_sum"] / stacks,
        "pull": 0.1 * loss["pull_sum"] / stacks,
        "push": 0.1 * loss["push_sum"] / stacks,
        "offset": loss["regr_sum"] / stacks,
    }
    assert step.loss == pytest.approx(loss["total"], abs=5e-4)  # seen: 3e-5
    assert step.terms == {name: pytest.approx(value, abs=5e-4) for name, value in expected.items()}


def test_heads(step, batch):
    assert len(step.heads) == 12
    assert largest_difference(step.heads, batch) < 1e-3


def test_gradients(step, names, folder, config):
    expected = np.load(folder / "gradients.npz")
    norms = dict(config["gradient_l2"])
    compared = 0
    for path, gradient in step.gradients.items():
        name = names[path]
        if gradient.ndim == 4:
            gradient = gradient.transpose(3, 2, 0, 1)
        if name == "module.pre.0.conv.weight":
            gradient = gradient[:, ::-1]
        norm = norms.pop(name)
        assert np.linalg.norm(gradient) == pytest.approx(norm, rel=0.01), name
        if name in expected:
            compared += 1
            assert np.linalg.norm(gradient - expected[name]) < 0.01 * norm, name
    assert not norms
    assert compared == len(expected)


def test_running_statistics(step, before, names, folder, batch):
    expected = np.load(folder / "bn_after_step.npz")
    images, height, width, _ = batch["gt_tl_heat"].shape
    compared = 0
    for path, name in names.items():
        if name not in expected:
            continue
        compared += 1
        found = step.weights[path]
        if name.endswith("running_var"):
            # PyTorch puts the unbiased variance into the running one, Keras the biased.
            n = images * cells_normalised(path, height, width)
            kept = 0.9 * before[path]
            found = kept + (found - kept) * n / (n - 1)
        np.testing.assert_allclose(found, expected[name], rtol=2e-5, atol=5e-6, err_msg=name)
    assert compared == len(expected)
