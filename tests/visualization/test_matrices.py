"""Matrices of counts: dark where the row lies, of a size that holds many classes."""

import numpy as np
import pytest

from keras_cornernet.visualization import draw_matrix


@pytest.mark.parametrize("count", [1, 3, 40])
def test_the_diagonal_is_the_darkest_of_a_sound_matrix(count):
    names = [f"class {i}" for i in range(count)]
    picture = np.asarray(
        draw_matrix(8 * np.eye(count, dtype=int), names, "title", rows="true", columns="found")
    )
    coloured = (picture.max(axis=-1).astype(int) - picture.min(axis=-1)) > 100
    rows, columns = np.nonzero(coloured)
    assert len(rows) > 50 * count
    if count > 1:
        assert np.corrcoef(rows, columns)[0, 1] > 0.85


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"counts: expected the shape \(2, 2\), got \(3, 3\)"):
        draw_matrix(np.zeros((3, 3), int), ["a", "b"], "title", rows="true", columns="found")
