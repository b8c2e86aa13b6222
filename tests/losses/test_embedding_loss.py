"""Pull and push against plain NumPy, literal values, and the authors' arrays."""

import json
from pathlib import Path

import numpy as np
import pytest
from gradients import numeric_gradients, value_and_gradients

from keras_cornernet.losses import pull_push_loss

FIXTURE = Path(__file__).parents[1] / "fixtures" / "losses.npz"
# pull and push of `_ae_loss`
AUTHORS = {
    "normal": (1.2549529075622559, 0.7049067616462708),
    "single_object": (3.4399454593658447, 2.0003318786621094),
    "mixed_zero": (0.1642763912677765, 0.8082403540611267),
    "full": (0.16704146564006805, 1.5217653512954712),
}


def naive(first, second, mask, margin=1.0):
    pull = push = 0.0
    for a, b, live in zip(first, second, mask, strict=True):
        places = np.flatnonzero(live)
        n = len(places)
        means = [(a[k] + b[k]) / 2 for k in places]
        for k, m in zip(places, means, strict=True):
            pull += ((a[k] - m) ** 2 + (b[k] - m) ** 2) / (n + 1e-4)
            for other in means:
                push += (max(0.0, margin - abs(m - other)) - margin / (n + 1e-4)) / (n * (n - 1) + 1e-4)
    return pull, push


def check(first, second, mask, pull, push, gradients, rtol=1e-5):
    """Values and the four gradients (pull by both, push by both)."""
    for part, expected in ((0, pull), (1, push)):
        value, got = value_and_gradients(lambda a, b, i=part: pull_push_loss(a, b, mask)[i], first, second)
        assert value == pytest.approx(expected, rel=rtol, abs=1e-7)
        for mine, theirs in zip(got, gradients[2 * part : 2 * part + 2], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=max(rtol, 1e-5), atol=1e-6)


def stored_case(stored, values):
    names = ("tag0", "tag1", "mask", "pull_grad0", "pull_grad1", "push_grad0", "push_grad1")
    first, second, mask, *gradients = (stored[name].reshape(2, 12) for name in names)
    check(first, second, mask, *values, gradients)


def test_literal_values():
    first, second = np.array([[0, 1]], np.float32), np.array([[0.2, 0.8]], np.float32)
    for images in (1, 2):
        pull, push = pull_push_loss(*(np.repeat(a, images, 0) for a in (first, second, np.ones((1, 2)))))
        assert float(pull) == pytest.approx(0.0199990 * images, abs=2e-7 * images)
        assert float(push) == pytest.approx(0.2000400 * images, abs=2e-7 * images)


def test_one_object_alone_has_a_constant_push():
    first, second = np.array([[0, 7]], np.float32), np.array([[0.2, 7]], np.float32)
    mask = np.array([[1, 0]], np.float32)
    value, gradients = value_and_gradients(lambda a, b: pull_push_loss(a, b, mask)[1], first, second)
    assert value == pytest.approx(0.9999000, abs=1e-3)  # a difference of 1e-4, in float32
    assert not np.any(gradients)
    assert float(pull_push_loss(first, second, mask)[0]) == pytest.approx(0.0199980, abs=2e-7)


def test_no_object_at_all_is_zero():
    first, second = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    for part in (0, 1):
        value, gradients = value_and_gradients(
            lambda a, b, i=part: pull_push_loss(a, b, np.zeros((3, 5)))[i], first, second
        )
        assert value == 0 and not np.any(gradients)


@pytest.mark.parametrize("margin", [1.0, 0.4])
@pytest.mark.parametrize("batch", [1, 4])
def test_value_and_gradient_equal_plain_numpy(batch, margin):
    rng = np.random.default_rng(batch)
    first, second = rng.normal(size=(2, batch, 6)).astype(np.float32)
    mask = (rng.random((batch, 6)) < 0.7).astype(np.float32)
    mask[0, :2] = 1
    for part in (0, 1):
        value, got = value_and_gradients(
            lambda a, b, i=part: pull_push_loss(a, b, mask, margin=margin)[i], first, second
        )
        assert value == pytest.approx(naive(first, second, mask, margin)[part], rel=1e-5)
        expected = numeric_gradients(lambda a, b, i=part: naive(a, b, mask, margin)[i], first, second)
        for mine, theirs in zip(got, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_several_channels_are_summed():
    """A second channel that is constant changes nothing; one that tells objects apart pushes them apart."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 2, 4)).astype(np.float32)
    mask = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.float32)
    padded = [np.stack([a, np.full_like(a, 3)], -1) for a in (first, second)]
    np.testing.assert_allclose(pull_push_loss(*padded, mask), naive(first, second, mask), rtol=1e-5)
    split = [np.stack([a, np.arange(4, dtype=np.float32) * np.ones_like(a)], -1) for a in (first, second)]
    pull, push = pull_push_loss(*split, mask)
    assert float(pull) == pytest.approx(naive(first, second, mask)[0], rel=1e-5)
    assert float(push) < naive(first, second, mask)[1]


@pytest.mark.parametrize("case", AUTHORS)
def test_equals_the_authors(case):
    prefix = f"associative_embedding__{case}__"
    stored_case({k.removeprefix(prefix): v for k, v in np.load(FIXTURE).items()}, AUTHORS[case])


def test_embedding_parity(parity):
    stored = np.load(parity("losses") / "associative_embedding.npz")
    values = json.loads((parity("losses") / "values.json").read_text())["associative_embedding"]
    cases = [case for case in values if not case.startswith("_")]
    assert set(cases) == {*AUTHORS, "none"}
    for case in cases:
        arrays = {k.removeprefix(f"{case}__"): stored[k] for k in stored.files if k.startswith(f"{case}__")}
        stored_case(arrays, (values[case]["pull"], values[case]["push"]))
