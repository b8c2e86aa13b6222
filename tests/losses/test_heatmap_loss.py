"""The focal loss against plain NumPy, literal values, and the authors' arrays."""

import json
from pathlib import Path

import numpy as np
import pytest
from gradients import numeric_gradients, value_and_gradients

from keras_cornernet.losses import penalty_reduced_focal_loss

FIXTURE = Path(__file__).parents[1] / "fixtures" / "losses.npz"
# `_neg_loss` and CornerNet-Lite's `_focal_loss_mask` on the fixture's first stack
AUTHORS = {"normal": (13.51052474975586, 9.796077728271484), "no_positive": (136.65203857421875, None)}


def naive(logits, targets, mask=None):
    logits = np.asarray(logits, np.float64)
    total, count = 0.0, 0
    for place in np.ndindex(logits.shape):
        p = min(max(1 / (1 + np.exp(-logits[place])), 1e-4), 1 - 1e-4)
        y = float(targets[place])
        kept = 1.0 if mask is None else mask[place]
        if y == 1:
            count += 1
            total -= kept * (1 - p) ** 2 * np.log(p)
        else:
            total -= kept * (1 - y) ** 4 * p**2 * np.log(1 - p)
    return total / count if count else total


def drawn(rng, shape, positives):
    targets = rng.uniform(0, 0.99, shape).astype(np.float32)
    targets.reshape(-1)[rng.choice(targets.size, positives, replace=False)] = 1
    return rng.normal(-1, 3, shape).astype(np.float32), targets


def test_literal_values():
    logits = np.array([0, 0, -2.19], np.float32).reshape(1, 1, 3, 1)
    for targets, expected in [((1, 0.5, 0), 0.185192), ((0.5, 0.5, 0), 0.022736)]:
        targets = np.array(targets, np.float32).reshape(1, 1, 3, 1)
        assert float(penalty_reduced_focal_loss(logits, targets)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("positives", [0, 1, 9])
def test_value_and_gradient_equal_plain_numpy(positives, masked):
    rng = np.random.default_rng(positives)
    logits, targets = drawn(rng, (2, 4, 5, 2), positives)
    logits[0, 0, 0], logits[0, 0, 1] = 12, -12  # clipped: no gradient
    mask = rng.integers(0, 2, logits.shape).astype(np.float32) if masked else None
    value, (gradient,) = value_and_gradients(lambda x: penalty_reduced_focal_loss(x, targets, mask), logits)
    assert value == pytest.approx(naive(logits, targets, mask), rel=1e-5)
    (expected,) = numeric_gradients(lambda x: naive(x, targets, mask), logits)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)
    assert not gradient[0, 0, :2].any()


def test_a_masked_positive_still_counts():
    logits, targets = np.zeros((1, 1, 2, 1), np.float32), np.ones((1, 1, 2, 1), np.float32)
    mask = np.array([1, 0], np.float32).reshape(1, 1, 2, 1)
    whole = float(penalty_reduced_focal_loss(logits, targets))
    assert float(penalty_reduced_focal_loss(logits, targets, mask)) == pytest.approx(whole / 2)


def test_extreme_logits_stay_finite():
    logits = np.array([500, -500, 500, -500], np.float32).reshape(1, 2, 2, 1)
    targets = np.array([1, 1, 0, 0], np.float32).reshape(1, 2, 2, 1)
    value, (gradient,) = value_and_gradients(lambda x: penalty_reduced_focal_loss(x, targets), logits)
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_half_precision_logits_are_summed_in_single_precision():
    logits, targets = drawn(np.random.default_rng(4), (1, 64, 64, 4), 3)
    half = logits.astype(np.float16)
    value = penalty_reduced_focal_loss(half, targets)
    assert float(value) == pytest.approx(naive(half, targets), rel=1e-4)


@pytest.mark.parametrize("case", AUTHORS)
def test_equals_the_authors(case):
    stored = {k.removeprefix(f"focal__{case}__"): v for k, v in np.load(FIXTURE).items()}
    masks = {None: stored["grad_0"]}
    if "masked_grad_0" in stored:
        masks["valid"] = stored["masked_grad_0"]
    for (mask, expected), loss in zip(masks.items(), AUTHORS[case], strict=False):
        mask = None if mask is None else stored[mask].astype(np.float32)
        value, (gradient,) = value_and_gradients(
            lambda x, m=mask: penalty_reduced_focal_loss(x, stored["gt"], m), stored["logits_0"]
        )
        assert value == pytest.approx(loss, rel=1e-5)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


def check_gradient(gradient, expected, logits, tolerance):
    """Equal, but where a probability lies on the clip's very edge and may fall to either side."""
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    inner = np.minimum(abs(p - 1e-4), abs(p - (1 - 1e-4))) > 1e-7
    assert (~inner).sum() <= 2
    np.testing.assert_allclose(gradient[inner], expected[inner], rtol=tolerance, atol=1e-6)


def test_focal_parity(parity):
    stored = np.load(parity("losses") / "focal.npz")
    values = json.loads((parity("losses") / "values.json").read_text())["focal"]
    for case, expected in values.items():
        tolerance = 1e-4 if case == "extreme_logits" else 1e-5
        targets, valid = stored[f"{case}__gt"], stored[f"{case}__valid"]
        assert (targets == 1).sum() == expected["positives"]

        def loss(x, mask=None, targets=targets):
            return penalty_reduced_focal_loss(x, targets, mask)

        first, second = (stored[f"{case}__logits_{stack}"] for stack in range(2))
        value, gradients = value_and_gradients(lambda a, b: loss(a) + loss(b), first, second)
        assert value == pytest.approx(expected["loss_two_stacks"], rel=tolerance)
        for stack, logits in enumerate((first, second)):
            check_gradient(gradients[stack], stored[f"{case}__grad_{stack}"], logits, tolerance)
        value, (gradient,) = value_and_gradients(lambda x, valid=valid: loss(x, valid), first)
        assert value == pytest.approx(expected["masked_loss_first_stack"], rel=tolerance)
        check_gradient(gradient, stored[f"{case}__masked_grad_0"], first, tolerance)
