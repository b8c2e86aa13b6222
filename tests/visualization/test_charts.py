import numpy as np
import pytest

from keras_cornernet.visualization.charts import plot_curves
from keras_cornernet.visualization.colours import PALETTE


def colours(picture):
    return {tuple(pixel) for pixel in np.asarray(picture).reshape(-1, 3).tolist()}


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "curves",
    [
        {},
        {"loss": []},
        {"loss": [np.nan, np.nan]},
        {"loss": [2.0]},
        {"loss": [0.0, 0.0]},
        {"loss": [3.0, np.nan, 1e-3, np.inf, -1.0, 2e5], "other": [1.0, 2.0]},
        {"loss": [1e-12, 2e-12]},
        {"loss": [1.0, 1.0 + 1e-15]},
        {f"a curve with a long name {i}": list(range(1, 90)) for i in range(12)},
    ],
)
def test_curves_of_all_kinds_are_drawn(curves, log):
    picture = plot_curves(curves, "title", log=log, size=(240, 360))
    assert picture.size == (360, 240)
    assert len(colours(picture)) > 2


def test_curves_appear_in_their_colours_with_a_gap_at_nan():
    whole = np.asarray(plot_curves({"a": [1.0] * 50}, "")).astype(int)
    broken = np.asarray(plot_curves({"a": [1.0] * 20 + [np.nan] * 10 + [1.0] * 20}, "")).astype(int)
    count = [(abs(p - PALETTE[0]).sum(-1) < 30).sum() for p in (whole, broken)]
    assert 0.6 * count[0] < count[1] < 0.9 * count[0]


def test_plot_curves_names_a_bad_size():
    with pytest.raises(ValueError, match=r"^size must"):
        plot_curves({}, "title", size=(10, 10))
