"""The corner pooling layers against the authors' compiled pools, on whichever backend runs."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cornernet.layers.corner_pooling import (
    BottomPool,
    BottomRightPool,
    CenterPool,
    LeftPool,
    RightPool,
    TopLeftPool,
    TopPool,
)

# Made with the C++ sources of princeton-vl/CornerNet `_cpools` on random, tied, ReLU and constant maps.
PARITY = np.load(Path(__file__).parents[1] / "fixtures" / "corner_pools.npz")
CASES = ["random", "ties_int", "relu_zeros", "constant"]
POOLS = {"top": TopPool, "left": LeftPool, "bottom": BottomPool, "right": RightPool}
CORNERS = {TopLeftPool: ("top", "left"), BottomRightPool: ("bottom", "right")}


def gradient(function, inputs, upstream):
    """What `upstream` becomes at the list `inputs` of `function`, on any backend."""
    inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
    upstream = keras.ops.convert_to_tensor(upstream)
    if keras.backend.backend() == "jax":
        import jax

        results = jax.vjp(lambda *inputs: function(inputs), *inputs)[1](upstream)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = function(inputs)
        results = tape.gradient(y, inputs, upstream)
    return [keras.ops.convert_to_numpy(result) for result in results]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", POOLS)
def test_pool_equals_the_authors(name, case):
    x, upstream, pool = PARITY[f"{case}__x"], PARITY[f"{case}__upstream"], POOLS[name]()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(pool(x)), PARITY[f"{case}__{name}_y"])
    (got,) = gradient(lambda inputs: pool(inputs[0]), [x], upstream)
    np.testing.assert_allclose(got, PARITY[f"{case}__{name}_dx"], rtol=0, atol=2e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("corner", CORNERS)
def test_corner_pool_is_the_sum_of_two_pools(corner, case):
    x, upstream, (vertical, horizontal) = PARITY[f"{case}__x"], PARITY[f"{case}__upstream"], CORNERS[corner]
    other, pool = x[::-1], corner()
    expected = PARITY[f"{case}__{vertical}_y"] + PARITY[f"{case}__{horizontal}_y"][::-1]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(pool([x, other])), expected)

    first, second = gradient(pool, [x, other], upstream)
    np.testing.assert_allclose(first, PARITY[f"{case}__{vertical}_dx"], rtol=0, atol=2e-6)
    (alone,) = gradient(lambda inputs: POOLS[horizontal]()(inputs[0]), [other], upstream)
    np.testing.assert_array_equal(second, alone)


def test_the_gradient_of_relu_zeros_lands_on_the_border():
    zeros, ones = np.zeros((1, 3, 4, 1), "float32"), np.ones((1, 3, 4, 1), "float32")
    (top,) = gradient(lambda inputs: TopPool()(inputs[0]), [zeros], ones)
    (right,) = gradient(lambda inputs: RightPool()(inputs[0]), [zeros], ones)
    assert top[0, :, :, 0].tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [3, 3, 3, 3]]
    assert right[0, :, :, 0].tolist() == [[4, 0, 0, 0]] * 3


@pytest.mark.parametrize("case", CASES)
def test_center_pool_is_what_the_authors_compose_of_four_scans(case):
    """`TopPool` then `BottomPool` of one map, `LeftPool` then `RightPool` of the other."""
    first, upstream = PARITY[f"{case}__x"], PARITY[f"{case}__upstream"]
    second = first[::-1].copy()

    def composed(inputs):
        return BottomPool()(TopPool()(inputs[0])) + RightPool()(LeftPool()(inputs[1]))

    found = keras.ops.convert_to_numpy(CenterPool()([first, second]))
    np.testing.assert_array_equal(found, first.max(1, keepdims=True) + second.max(2, keepdims=True))
    np.testing.assert_array_equal(found, keras.ops.convert_to_numpy(composed([first, second])))
    ours, theirs = (gradient(pool, [first, second], upstream) for pool in (CenterPool(), composed))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-6)


@pytest.mark.parametrize("layer", [*POOLS.values(), *CORNERS, CenterPool])
def test_config_round_trip(layer):
    original = layer(name="pool_of_a_corner", dtype="mixed_float16")
    copy = layer.from_config(original.get_config())
    assert copy.get_config() == original.get_config()
    assert keras.saving.get_registered_name(layer) == f"keras_cornernet>{layer.__name__}"


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(dtype):
    x = PARITY["ties_int__x"]
    pool, corner = LeftPool(dtype=dtype), TopLeftPool(dtype=dtype)
    for result, expected in (
        (pool(x), PARITY["ties_int__left_y"]),
        (corner([x, x]), PARITY["ties_int__top_y"] + PARITY["ties_int__left_y"]),
    ):
        assert keras.backend.standardize_dtype(result.dtype) == pool.compute_dtype
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(result).astype("float32"), expected)


def build(height, width):
    inputs = keras.Input((height, width, 4))
    top_left = TopLeftPool(name="top_left")([inputs, TopPool()(inputs)])
    bottom_right = BottomRightPool(name="bottom_right")([RightPool()(inputs), inputs])
    center = CenterPool(name="center")([inputs, bottom_right])
    return keras.Model(inputs, [top_left, BottomPool()(bottom_right), LeftPool()(top_left), center])


def test_symbolic_shape_and_dtype():
    assert TopPool()(keras.Input((None, 8, 3))).shape == (None, None, 8, 3)
    assert TopPool(dtype="mixed_float16")(keras.Input((None, 8, 3))).dtype == "float16"
    pair = [keras.Input((None, 8, 3)), keras.Input((6, 8, 3))]
    assert BottomRightPool()(pair).shape == (None, 6, 8, 3)


def test_saved_model_is_the_same_model(tmp_path):
    model, x = build(None, None), PARITY["ties_int__x"]
    model.save(tmp_path / "pools.keras")
    for result, expected in zip(keras.saving.load_model(tmp_path / "pools.keras")(x), model(x), strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(result), keras.ops.convert_to_numpy(expected)
        )


@pytest.mark.parametrize("corner", [*CORNERS, CenterPool])
def test_anything_but_a_pair_of_equal_maps_is_named(corner):
    x = np.zeros((1, 4, 4, 2), "float32")
    for wrong in ([x, x, x], [x], x, [x, x[:, :3]], [x[0], x[0]]):
        with pytest.raises(ValueError, match=f"{corner.__name__} .* expects inputs to be a pair of maps"):
            corner()(wrong)
    with pytest.raises(ValueError, match="pair of maps"):
        corner()([keras.Input((4, 4, 2)), keras.Input((4, 5, 2))])


def test_a_map_of_another_rank_is_named():
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
        TopPool()(np.zeros((4, 4, 2), "float32"))
