"""The running maximum against a plain loop, in both forms, on whichever backend runs."""

import keras
import numpy as np
import pytest

from keras_cornernet.ops import scan

# A length known when traced, as all are here, makes the public function take the unrolled form.
FORMS = {"unrolled": scan.running_maximum, "looped": scan._looped}
DIRECTIONS = [(1, False), (1, True), (2, False), (2, True)]


def naive(x, upstream, axis, reverse):
    """Values and gradient, one number at a time: a record falls only to a strictly greater value."""
    values, gradient = np.empty_like(x), np.zeros_like(upstream)
    order = range(x.shape[axis])[:: -1 if reverse else 1]
    rows, out, arriving, into = (np.moveaxis(a, axis, 0) for a in (x, values, upstream, gradient))
    for place in np.ndindex(rows.shape[1:]):
        record = order[0]
        for i in order:
            if rows[i][place] > rows[record][place]:
                record = i
            out[i][place] = rows[record][place]
            into[record][place] += arriving[i][place]
    return values, gradient


def value_and_gradient(function, x, upstream, compiled=False):
    """`function(x)` and what `upstream` becomes at `x`, eagerly or compiled by XLA, on any backend."""
    x, upstream = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(upstream)
    if keras.backend.backend() == "jax":
        import jax

        def run(x, upstream):
            y, pull_back = jax.vjp(function, x)
            return y, pull_back(upstream)[0]

        results = (jax.jit(run) if compiled else run)(x, upstream)
    else:
        import tensorflow as tf

        def run(x, upstream):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            return y, tape.gradient(y, x, upstream)

        results = (tf.function(run, jit_compile=True) if compiled else run)(x, upstream)
    return [keras.ops.convert_to_numpy(result) for result in results]


def maps(shape=(2, 6, 5, 3), high=4):
    """Small whole numbers, so that ties abound and every sum is exact in any dtype."""
    generator = np.random.default_rng(0)
    return (generator.integers(0, high, size=shape).astype("float32") for _ in range(2))


@pytest.mark.parametrize("axis, reverse", DIRECTIONS)
@pytest.mark.parametrize("form", FORMS)
def test_values_and_gradients_with_ties_equal_a_plain_loop(form, axis, reverse):
    x, upstream = maps()
    got = value_and_gradient(lambda x: FORMS[form](x, axis=axis, reverse=reverse), x, upstream)
    for result, expected in zip(got, naive(x, upstream, axis, reverse), strict=True):
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("axis, reverse", [(1, True), (2, False)])
@pytest.mark.parametrize("form", FORMS)
def test_xla_keeps_values_gradients_and_ties(form, axis, reverse):
    x, upstream = maps()
    got = value_and_gradient(lambda x: FORMS[form](x, axis=axis, reverse=reverse), x, upstream, True)
    for result, expected in zip(got, naive(x, upstream, axis, reverse), strict=True):
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtype_stays(form, dtype):
    x, upstream = maps()
    if dtype == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless it is switched on for the whole process")
    low = [keras.ops.cast(array, dtype) for array in (x, upstream)]
    assert keras.backend.standardize_dtype(FORMS[form](low[0], axis=1, reverse=True).dtype) == dtype
    got = value_and_gradient(lambda x: FORMS[form](x, axis=1, reverse=True), *low)
    for result, expected in zip(got, naive(x, upstream, 1, True), strict=True):
        np.testing.assert_array_equal(result.astype("float32"), expected)


def test_of_equal_maxima_the_one_met_first_takes_the_gradient():
    x = np.array([1, 5, 5, 2], "float32").reshape(1, 4, 1, 1)
    up = value_and_gradient(lambda x: scan.running_maximum(x, 1, reverse=True), x, np.ones_like(x))
    down = value_and_gradient(lambda x: scan.running_maximum(x, 1), x, np.ones_like(x))
    assert up[0].ravel().tolist() == [5, 5, 5, 2] and up[1].ravel().tolist() == [0, 0, 3, 1]
    assert down[0].ravel().tolist() == [1, 5, 5, 5] and down[1].ravel().tolist() == [1, 3, 0, 0]


@pytest.mark.parametrize("form", FORMS)
def test_minus_infinity_is_a_value_like_any_other(form):
    x = np.array([-np.inf, -np.inf, 1, -np.inf], "float32").reshape(1, 1, 4, 1)
    y, gradient = value_and_gradient(lambda x: FORMS[form](x, axis=2, reverse=False), x, np.ones_like(x))
    np.testing.assert_array_equal(y.ravel(), [-np.inf, -np.inf, 1, 1])
    np.testing.assert_array_equal(gradient.ravel(), [2, 0, 2, 0])


@pytest.mark.parametrize("shape", [(2, 1, 3, 2), (2, 3, 1, 2), (2, 3, 3, 0), (0, 3, 3, 2), (1, 0, 3, 2)])
@pytest.mark.parametrize("axis, reverse", DIRECTIONS)
def test_thin_and_empty_maps(shape, axis, reverse):
    x, upstream = maps(shape)
    got = value_and_gradient(lambda x: scan.running_maximum(x, axis, reverse=reverse), x, upstream)
    if x.shape[axis]:
        for result, expected in zip(got, naive(x, upstream, axis, reverse), strict=True):
            np.testing.assert_array_equal(result, expected)
    assert got[0].shape == got[1].shape == shape


def test_the_example_of_the_docstring():
    pooled = scan.running_maximum([[[[1.0], [3.0], [2.0]]]], axis=2, reverse=True)[0, 0, :, 0]
    assert keras.ops.convert_to_numpy(pooled).tolist() == [3.0, 3.0, 2.0]


@pytest.mark.parametrize("axis", [0, 3, -1, None])
def test_wrong_axis_is_named(axis):
    with pytest.raises(ValueError, match=rf"axis 1 \(height\) or 2 \(width\), got axis={axis}"):
        scan.running_maximum(np.zeros((1, 2, 2, 1), "float32"), axis)


def test_wrong_rank_is_named():
    with pytest.raises(ValueError, match=r"x of shape \(batch, .*\), got \(2, 2, 1\)"):
        scan.running_maximum(np.zeros((2, 2, 1), "float32"), 1)
