"""What `keras.ops` has no word for."""

import numpy as np

from keras_cornernet.backend import first_maximum


def test_of_equal_maxima_the_first_counts_whatever_the_sign_of_zero():
    values = np.array([[1, 3, 3, 2], [-0.0, 0.0, -1, 0.0], [-2, -1, -5, -1]], np.float32)
    along_rows, along_columns = (first_maximum(values, axis) for axis in (1, 0))
    assert np.asarray(along_rows).dtype == np.int32
    np.testing.assert_array_equal(along_rows, [1, 0, 1])
    np.testing.assert_array_equal(along_columns, [0, 0, 0, 0])
