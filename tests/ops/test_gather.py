"""Values of maps at grid cells."""

import numpy as np
from gradients import value_and_gradients
from keras import ops

from keras_cornernet.ops.gather import flatten_cells, gather_cells, pick_class


def test_cell_y_x_lands_at_y_times_width_plus_x():
    maps = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)
    flat = ops.convert_to_numpy(flatten_cells(maps))
    for y in range(3):
        for x in range(5):
            np.testing.assert_array_equal(flat[:, y * 5 + x], maps[:, y, x])


def test_values_and_gradient_with_a_cell_asked_for_twice():
    rng = np.random.default_rng(1)
    maps = rng.normal(size=(2, 3, 5, 4)).astype(np.float32)
    index = np.array([[0, 14, 7, 7], [3, 3, 3, 9]], np.int32)
    upstream = rng.normal(size=(2, 4, 4)).astype(np.float32)
    expected, into = np.zeros((2, 4, 4), np.float32), np.zeros_like(maps)
    for b in range(2):
        for i in range(4):
            y, x = divmod(int(index[b, i]), 5)
            expected[b, i] = maps[b, y, x]
            into[b, y, x] += upstream[b, i]
    np.testing.assert_array_equal(ops.convert_to_numpy(gather_cells(maps, index)), expected)
    _, (got,) = value_and_gradients(lambda m: ops.sum(gather_cells(m, index) * upstream), maps)
    np.testing.assert_allclose(got, into, atol=1e-6)


def test_values_of_one_class():
    rng = np.random.default_rng(2)
    values, label = rng.normal(size=(2, 5, 8)).astype(np.float32), rng.integers(0, 4, (2, 5)).astype(np.int32)
    picked = ops.convert_to_numpy(pick_class(values, label, 4))
    for b in range(2):
        for k in range(5):
            np.testing.assert_array_equal(picked[b, k], values[b, k, 2 * label[b, k] : 2 * label[b, k] + 2])
