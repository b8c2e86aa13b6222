"""Colours against the authors' functions and against one step at a time."""

from itertools import permutations

import numpy as np
import pytest

from keras_cornernet.data.color import (
    EIGENVALUES,
    EIGENVECTORS,
    IDENTITY_COLOR,
    apply_color,
    color_map,
    draw_color,
    jitter_color,
    lighting_shift,
)

NAMES = ("brightness", "contrast", "saturation")


def naive_jitter(image, order, alphas):
    """`image` in 0..1, RGB; grey and its mean are those before the first step."""
    grey = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    out = image.astype(np.float64)
    for name in order:
        other = {"brightness": 0, "contrast": grey.mean(), "saturation": grey[..., None]}[name]
        out = alphas[name] * out + (1 - alphas[name]) * other
    return out


def image01(seed=0):
    return np.random.default_rng(seed).random((6, 7, 3))


@pytest.mark.parametrize("order", list(permutations(NAMES)))
def test_one_map_equals_three_steps(order):
    image, alphas = image01(), {"brightness": 0.7, "contrast": 1.3, "saturation": 0.65}
    changed = apply_color(255 * image, jitter_color(order, alphas))
    np.testing.assert_allclose(changed / 255, naive_jitter(image, order, alphas), atol=1e-6)


def test_a_map_is_its_five_terms():
    image = 255 * image01()
    grey = image @ [0.299, 0.587, 0.114]
    changed = apply_color(image, color_map(0.5, 0.25, 0.125, (1, 2, 3), (1, 1.5, 2)))
    expected = (0.5 * image + 0.25 * grey[..., None] + 0.125 * grey.mean() + [1, 2, 3]) * [1, 1.5, 2]
    np.testing.assert_allclose(changed, expected, rtol=1e-5)
    np.testing.assert_allclose(apply_color(image, IDENTITY_COLOR), image, rtol=1e-6)


def test_an_unknown_step_is_refused():
    with pytest.raises(ValueError, match="'hue'"):
        jitter_color(("hue",), {"hue": 1.0})


def test_augmenting_by_nothing_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    same = apply_color(image, draw_color(np.random.default_rng(1), jitter=0.0, lighting=0.0))
    assert same.dtype == np.float32
    np.testing.assert_allclose(same, image, atol=1e-3)


def test_augmenting_is_jitter_then_lighting_on_0_to_255():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    got = apply_color(image, draw_color(np.random.default_rng(5), jitter=0.4, lighting=0.1))
    rng, names = np.random.default_rng(5), list(NAMES)
    rng.shuffle(names)
    alphas = {name: 1 + rng.uniform(-0.4, 0.4) for name in names}
    shift = EIGENVECTORS @ (EIGENVALUES * rng.normal(0, 0.1, 3))
    expected = 255 * (naive_jitter(image / 255, names, alphas) + shift)
    np.testing.assert_allclose(got, expected, atol=2e-3)
    assert np.abs(got - image).max() > 1


def test_factors_stay_in_their_range():
    grey = np.full((2, 2, 3), 100, np.uint8)  # contrast and saturation pull towards the first grey, 100
    rng = np.random.default_rng(0)
    values = [apply_color(grey, draw_color(rng, jitter=0.4, lighting=0.0))[0, 0] for _ in range(300)]
    lowest, highest = 1.4 * (1.4 * 60 - 40) - 40, 1.4 * (1.4 * 140 - 40) - 40
    assert lowest < np.min(values) < 65 and 135 < np.max(values) < highest
    assert np.ptp(values, axis=1).max() < 1e-3


def test_color_parity(parity):
    stored = np.load(parity("image_ops") / "color.npz")
    image = stored["image_bgr"][..., ::-1].astype(np.float32) / 255
    grey_mean = float(stored["grayscale_mean"])
    alphas = {name: float(stored[f"{name}_alpha"]) for name in NAMES}
    orders = {"".join(name[0] + "_" for name in order)[:-1]: order for order in permutations(NAMES)}
    cases = {
        **{name: ((name,), alphas) for name in NAMES},
        **{f"jitter_{k}": (v, alphas) for k, v in orders.items()},
    }
    for key, (order, factors) in cases.items():
        color = jitter_color(order, factors)
        np.testing.assert_allclose(
            image @ color[:, :3].T + color[:, 3] * grey_mean,
            stored[key][..., ::-1],
            rtol=0,
            atol=1e-6,
            err_msg=key,
        )
    shifted = image + lighting_shift(stored["lighting_alpha"])
    np.testing.assert_allclose(shifted, stored["lighting"][..., ::-1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(EIGENVECTORS, stored["eig_vec"][::-1], atol=1e-7)
    np.testing.assert_allclose(EIGENVALUES, stored["eig_val"], atol=1e-8)
