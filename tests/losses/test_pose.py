"""The loss of the pose networks: against plain NumPy, the authors' values, and its gradient."""

import json

import numpy as np
import pytest
from gradients import numeric_gradients, value_and_gradients

from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.losses import PoseLoss


def targets_of(heatmap, weight=None):
    weight = np.ones((len(heatmap), heatmap.shape[-1])) if weight is None else weight
    return {"keypoints": {"heatmap": heatmap.astype(np.float32), "weight": weight.astype(np.float32)}}


def outputs_of(*maps):
    return [{"keypoints": {"heatmap": m}} for m in maps]


def drawn(seed, stacks=2, batch=3, rows=5, columns=4, joints=3):
    """Random targets, weights of 0, 0.5 and 1, and the maps of each stack."""
    rng = np.random.default_rng(seed)
    target = rng.uniform(0, 1, (batch, rows, columns, joints)).astype(np.float32)
    weight = (rng.integers(0, 3, (batch, joints)) / 2).astype(np.float32)
    return target, weight, [rng.normal(size=target.shape).astype(np.float32) for _ in range(stacks)]


def naive(loss, target, weight, stacks):
    per_stack = []
    for maps in stacks if loss.every_stack else stacks[-1:]:
        error = 0.0
        for b, i, j, k in np.ndindex(target.shape):
            t = float(target[b, i, j, k])
            counted = weight[b, k] if loss.mask_unannotated else 1.0
            error += counted * (1 + loss.foreground * t) * (maps[b, i, j, k] - t) ** 2
        per_stack.append(error / target.size)
    return loss.weight * (np.mean(per_stack) if loss.mean_over_stacks else np.sum(per_stack))


def value_of(loss, targets, outputs):
    terms = loss(targets, outputs)
    assert tuple(terms) == loss.names == ("heatmap",)
    return float(terms["heatmap"])


OPTIONS = [
    PoseLoss(),
    PoseLoss(mask_unannotated=False, mean_over_stacks=True),
    PoseLoss(every_stack=False, mean_over_stacks=True),
    PoseLoss(weight=0.5, foreground=12.0),
    PoseLoss(False, False, False, 2.0, 3.0),
]


@pytest.mark.parametrize("loss", OPTIONS)
def test_value_and_gradient_equal_plain_numpy(loss):
    target, weight, stacks = drawn(1)
    value, gradients = value_and_gradients(
        lambda *maps: loss(targets_of(target, weight), outputs_of(*maps))["heatmap"], *stacks
    )
    assert value == pytest.approx(naive(loss, target, weight, stacks), rel=1e-5)
    for number, (maps, gradient) in enumerate(zip(stacks, gradients, strict=True)):
        expected = 2 * (maps - target) * (1 + loss.foreground * target) * loss.weight / target.size
        if loss.mask_unannotated:
            expected = expected * weight[:, None, None]
        if loss.every_stack:
            expected = expected / (len(stacks) if loss.mean_over_stacks else 1)
        elif number == 0:
            expected = np.zeros_like(maps)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7)


def test_gradient_equals_finite_differences():
    target, weight, stacks = drawn(2, stacks=1, batch=2, rows=2, columns=3, joints=2)
    loss = PoseLoss(foreground=7.0, weight=3.0)
    (expected,) = numeric_gradients(lambda m: naive(loss, target, weight, [m]), stacks[0])
    _, (gradient,) = value_and_gradients(
        lambda m: loss(targets_of(target, weight), outputs_of(m))["heatmap"], stacks[0]
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_gradient_equals_torch():
    torch = pytest.importorskip("torch")
    target, _, stacks = drawn(3)
    maps = [torch.tensor(m, requires_grad=True) for m in stacks]
    sum(torch.nn.functional.mse_loss(m, torch.tensor(target)) for m in maps).backward()
    loss = PoseLoss(mask_unannotated=False)
    _, gradients = value_and_gradients(
        lambda *m: loss(targets_of(target), outputs_of(*m))["heatmap"], *stacks
    )
    for gradient, expected in zip(gradients, maps, strict=True):
        np.testing.assert_allclose(gradient, expected.grad.numpy(), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("stacks", [1, 3])
def test_an_empty_answer_costs_the_mean_of_the_squared_target(stacks):
    points = np.random.default_rng(0).uniform(8, 56, (2, 4, 2)).astype(np.float32)
    annotations = {"keypoints": points, "keypoint_weights": np.ones((2, 4), np.float32)}
    for sigma in (1.0, 1.75, 2.0):
        targets = KeypointCodec(sigma=sigma).encode(annotations, (64, 64), (64, 64))
        square = np.square(np.asarray(targets["keypoints"]["heatmap"])).mean()
        assert square == pytest.approx(np.pi * sigma**2 / 4096, rel=0.01)
        empty = outputs_of(*[np.zeros((2, 64, 64, 4), np.float32)] * stacks)
        assert value_of(PoseLoss(), targets, empty) == pytest.approx(stacks * square, rel=1e-5)
        assert value_of(PoseLoss(mean_over_stacks=True), targets, empty) == pytest.approx(square, rel=1e-5)


def test_joints_without_annotation_teach_nothing():
    target, _, stacks = drawn(4)
    weight = np.ones((3, 3), np.float32)
    weight[1, 2] = 0
    changed = [m.copy() for m in stacks]
    for maps in changed:
        maps[1, ..., 2] = 99
    targets = targets_of(target, weight)
    kept = value_of(PoseLoss(), targets, outputs_of(*stacks))
    assert value_of(PoseLoss(), targets, outputs_of(*changed)) == pytest.approx(kept, rel=1e-6)
    assert value_of(PoseLoss(mask_unannotated=False), targets, outputs_of(*changed)) > 100
    nobody = targets_of(target, np.zeros((3, 3)))
    value, gradients = value_and_gradients(lambda *m: PoseLoss()(nobody, outputs_of(*m))["heatmap"], *stacks)
    assert value == 0 and not np.any(gradients)


def test_half_precision_maps_are_summed_in_single_precision():
    target, weight, stacks = drawn(5)
    half = [(m * 100).astype(np.float16) for m in stacks]
    expected = naive(PoseLoss(), target, weight, [m.astype(np.float64) for m in half])
    assert value_of(PoseLoss(), targets_of(target, weight), outputs_of(*half)) == pytest.approx(
        expected, rel=1e-5
    )


# The authors' values


def test_umich_loss_parity(parity):
    stored = np.load(parity("hourglass_umich") / "forward.npz")
    expected, target = stored["loss_per_image_and_stack"], stored["target_heatmaps"]
    stacks = [stored["heatmaps_0"], stored["heatmaps_1"]]
    theirs = PoseLoss(mask_unannotated=False, mean_over_stacks=True)
    whole = value_of(theirs, targets_of(target, np.zeros((2, 16))), outputs_of(*stacks))
    assert whole == pytest.approx(expected.mean(), rel=1e-6)
    for image, stack in np.ndindex(expected.shape):
        one = value_of(theirs, targets_of(target[[image]]), outputs_of(stacks[stack][[image]]))
        assert one == pytest.approx(expected[image, stack], rel=1e-6)


def test_bearpaw_loss_parity(parity):
    folder = parity("hourglass_bearpaw")
    stored, config = np.load(folder / "forward.npz"), json.loads((folder / "config.json").read_text())
    stacks = [stored["heatmaps_0"], stored["heatmaps_1"]]
    weight = stored["target_weight"][..., 0]
    assert set(np.unique(weight)) == {0, 1}  # theirs would square others
    targets = targets_of(stored["target"], weight)
    for mask, key in ((True, "joints_mse_per_stack"), (False, "joints_mse_per_stack_unweighted")):
        loss = PoseLoss(weight=0.5, mask_unannotated=mask)
        for maps, expected in zip(stacks, config[key], strict=True):
            assert value_of(loss, targets, outputs_of(maps)) == pytest.approx(expected, rel=1e-6)
        assert value_of(loss, targets, outputs_of(*stacks)) == pytest.approx(sum(config[key]), rel=1e-6)
