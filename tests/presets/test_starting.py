"""Weights of a file as the start of a network."""

import numpy as np
import pytest

from keras_cornernet.models import CornerNet
from keras_cornernet.presets import build_model, save_model, start_from

SIZES = {"stacks": 1, "channels": (8, 12), "num_blocks": (1, 1), "stem": (4, 8), "pool_channels": 4}


def network(num_classes=2):
    return CornerNet(num_classes, head_channels=8, **SIZES)


def arrays_of(other):
    return {weight.path: np.asarray(weight.numpy()) for weight in other.weights}


def test_what_fits_is_taken_and_the_rest_is_named(tmp_path):
    other, ours = network(3), network(2)
    path = tmp_path / "start.npz"
    np.savez(
        path, **{name: array.astype(np.float16) for name, array in arrays_of(other).items()}, extra=np.ones(2)
    )
    before = arrays_of(ours)
    fitted = start_from(ours, path)
    assert fitted.unused == ("extra",)
    assert all("heatmap" in name for name in fitted.missing)
    assert len(fitted.fitted) + len(fitted.missing) == len(ours.weights)
    for name, array in arrays_of(ours).items():
        expected = before[name] if name in fitted.missing else arrays_of(other)[name]
        np.testing.assert_allclose(array, expected, rtol=1e-3, atol=1e-6)
    assert str(fitted).startswith(f"{len(fitted.fitted)} of {len(ours.weights)} weights taken; ")


@pytest.mark.slow
def test_a_keras_file_is_a_start_too(tmp_path):
    other, ours = network(), network()
    path = save_model(build_model(other), tmp_path / "other.keras")
    assert not start_from(ours, path).missing
    for name, array in arrays_of(ours).items():
        np.testing.assert_array_equal(array, arrays_of(other)[name])


def test_files_that_are_no_start_are_named(tmp_path):
    ours = network()
    np.savez(tmp_path / "other.npz", kernel=np.ones(3, np.float32))
    with pytest.raises(ValueError, match="other.npz: none of its 1 weights fits"):
        start_from(ours, tmp_path / "other.npz")
    np.savez(tmp_path / "objects.npz", kernel=np.array([{}], object))
    with pytest.raises(ValueError, match="objects.npz: not an .npz file of arrays"):
        start_from(ours, tmp_path / "objects.npz")
    (tmp_path / "text.npz").write_text("nothing")
    with pytest.raises(ValueError, match="text.npz: not an .npz file"):
        start_from(ours, tmp_path / "text.npz")
    broken = arrays_of(ours)
    first = next(iter(broken))
    broken[first] = np.full_like(broken[first], np.nan)
    np.savez(tmp_path / "nan.npz", **broken)
    with pytest.raises(ValueError, match="holds numbers that are not finite"):
        start_from(ours, tmp_path / "nan.npz")
    (tmp_path / "text.pth").write_text("nothing")
    with pytest.raises(ValueError, match=r"expected a \.keras or \.npz file"):
        start_from(ours, tmp_path / "text.pth")
