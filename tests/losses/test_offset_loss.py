"""The offset loss against plain NumPy and the authors' arrays."""

import json
from pathlib import Path

import numpy as np
import pytest
from gradients import numeric_gradients, value_and_gradients

from keras_cornernet.losses import offset_loss

FIXTURE = Path(__file__).parents[1] / "fixtures" / "losses.npz"
AUTHORS = {"normal": 1.0686389207839966, "small_errors": 0.3190693259239197}  # `_regr_loss`


def naive(predicted, targets, mask, beta=1.0):
    total = 0.0
    for place in np.ndindex(predicted.shape):
        d = abs(predicted[place] - targets[place])
        total += mask[place[:2]] * (0.5 * d * d / beta if d < beta else d - 0.5 * beta)
    return total / (mask.sum() + 1e-4)


def check(stored, expected):
    value, (gradient,) = value_and_gradients(
        lambda x: offset_loss(x, stored["gt"], stored["mask"]), stored["pred"]
    )
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradient, stored["grad"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("batch", "beta"), [(1, 1.0), (3, 1.0), (2, 0.1)])
def test_value_and_gradient_equal_plain_numpy(batch, beta):
    rng = np.random.default_rng(batch)
    predicted, targets = rng.normal(0, 1.5, (2, batch, 5, 2)).astype(np.float32)
    mask = (rng.random((batch, 5)) < 0.6).astype(np.float32)
    mask[0, 0] = 1
    value, (gradient,) = value_and_gradients(lambda x: offset_loss(x, targets, mask, beta), predicted)
    assert value == pytest.approx(naive(predicted, targets, mask, beta), rel=1e-5)
    (expected,) = numeric_gradients(lambda x: naive(x, targets, mask, beta), predicted)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def test_literal_values():
    predicted = np.array([[[0.5, 3.0], [9, 9]]], np.float32)
    loss = offset_loss(predicted, np.zeros((1, 2, 2), np.float32), np.array([[1, 0]], np.float32))
    assert float(loss) == pytest.approx((0.125 + 2.5) / 1.0001, rel=1e-6)


def test_no_object_at_all_is_zero():
    predicted = np.ones((2, 3, 2), np.float32)
    value, (gradient,) = value_and_gradients(lambda x: offset_loss(x, x * 0, np.zeros((2, 3))), predicted)
    assert value == 0 and not gradient.any()


@pytest.mark.parametrize("case", AUTHORS)
def test_equals_the_authors(case):
    check({k.removeprefix(f"offset__{case}__"): v for k, v in np.load(FIXTURE).items()}, AUTHORS[case])


def test_offset_parity(parity):
    stored = np.load(parity("losses") / "offset.npz")
    values = json.loads((parity("losses") / "values.json").read_text())["offset"]
    assert set(values) == {*AUTHORS, "none"}
    for case, expected in values.items():
        arrays = {k.removeprefix(f"{case}__"): stored[k] for k in stored.files if k.startswith(f"{case}__")}
        check(arrays, expected["loss"])
