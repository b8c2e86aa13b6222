"""Peaks against a plain loop over all entries."""

import numpy as np
import pytest
from keras import ops

from keras_cornernet.ops.peaks import NOTHING, find_peaks


def naive(logits, kernel):
    """`{(y, x, class): logit}` of one image's local maxima."""
    reach = kernel // 2
    found = {}
    for y, x, c in np.ndindex(logits.shape):
        around = logits[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1, c]
        if logits[y, x, c] == around.max():
            found[y, x, c] = logits[y, x, c]
    return found


def entries(peaks, image):
    """The live peaks of one image as a list of `((y, x, class), logit)`."""
    values, index, row, column, label = (ops.convert_to_numpy(part)[image] for part in peaks)
    np.testing.assert_array_equal(index // 9, row)
    np.testing.assert_array_equal(index % 9, column)
    live = values > NOTHING / 2
    places = zip(row[live].tolist(), column[live].tolist(), label[live].tolist(), strict=True)
    return list(zip(places, values[live].tolist(), strict=True))


@pytest.mark.parametrize(("k", "kernel"), [(5, 3), (20, 3), (500, 3), (20, 1), (7, 5)])
def test_equals_a_plain_loop(k, kernel):
    logits = np.random.default_rng(0).normal(size=(3, 7, 9, 4)).astype(np.float32)
    peaks = find_peaks(ops.convert_to_tensor(logits), k, kernel)
    for image in range(3):
        expected = sorted(naive(logits[image], kernel).items(), key=lambda item: -item[1])[:k]
        assert entries(peaks, image) == [(place, pytest.approx(value)) for place, value in expected]


def test_missing_peaks_are_marked_and_finite():
    falling = -np.arange(9, dtype=np.float32)[:, None]  # to the right
    logits = np.zeros((1, 7, 9, 2), np.float32) + falling
    logits[0, 3, 0, 0] = 5.0
    peaks = find_peaks(ops.convert_to_tensor(logits), 30)
    values = ops.convert_to_numpy(peaks.logits)
    assert values.shape == (1, 30) and np.isfinite(values).all()
    found = entries(peaks, 0)
    assert found[0] == ((3, 0, 0), 5.0)
    assert {place[1] for place, _ in found} == {0}  # the first column only, and 7 + 5 cells of it
    assert len(found) == 7 + 5


def test_large_logits_that_a_sigmoid_rounds_to_one_keep_their_order():
    logits = np.full((1, 7, 9, 1), -5, np.float32)
    logits[0, 2, 2, 0], logits[0, 2, 3, 0], logits[0, 5, 7, 0] = 40.0, 41.0, 60.0
    assert float(ops.sigmoid(np.float32(40))) == float(ops.sigmoid(np.float32(60)))
    found = entries(find_peaks(ops.convert_to_tensor(logits), 2), 0)
    assert found == [((5, 7, 0), 60.0), ((2, 3, 0), 41.0)]


def test_a_border_cell_can_be_a_peak_among_very_low_logits():
    logits = np.full((1, 7, 9, 1), -80, np.float32)
    logits[0, 0, 0, 0] = logits[0, 6, 8, 0] = -70
    best = find_peaks(ops.convert_to_tensor(logits), 2)
    assert {place for place, _ in entries(best, 0)} == {(0, 0, 0), (6, 8, 0)}


def test_more_peaks_than_the_map_has_entries():
    logits = np.random.default_rng(1).normal(size=(2, 2, 9, 1)).astype(np.float32)
    peaks = find_peaks(ops.convert_to_tensor(logits), 100, 1)
    assert peaks.logits.shape == (2, 18)
    assert sorted(ops.convert_to_numpy(peaks.index)[0].tolist()) == list(range(18))
