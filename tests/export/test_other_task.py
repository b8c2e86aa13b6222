"""A model of a task that the package does not know, exported by the ordinary functions."""

import numpy as np
import pytest
from exportable import estimator, picture
from keras import ops

from keras_cornernet import export
from keras_cornernet.export.exported import EXPORTED
from keras_cornernet.export.exported_model import Exported
from keras_cornernet.inference.timing import Stopwatch

IMAGE = picture(32, 32)


class Peaks:
    """Answers with the height of the highest peak of each map, and with the size of the image."""

    outputs = ("peaks", "size")
    fits_longer_side = False
    outliers_are_noise = False

    def answers(self, outputs, placement, input_size, *, flip):
        assert input_size == (32, 32) and not flip
        heatmap = outputs[-1]["keypoints"]["heatmap"]
        return {"peaks": ops.max(heatmap, axis=(1, 2)), "size": placement.image_size}


class PeakModel:
    task = "peaks"
    why_no_graph = ""
    answers = Peaks()

    def __init__(self):
        other = estimator(flip=False)
        self.network, self.settings = other.network, other.settings


class ExportedPeaks(Exported):
    @staticmethod
    def described(model):
        return {"names": ("a", "b", "c")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "name"), [(export.to_tflite, "peaks.tflite"), (export.to_saved_model, "peaks")]
)
def test_it_is_exported_and_opened(tmp_path, monkeypatch, write, name):
    monkeypatch.setitem(EXPORTED, "peaks", ExportedPeaks)
    model = PeakModel()
    written = write(model, tmp_path / name) if "." in name else write(model, tmp_path, name)
    loaded = export.load(written.path)
    assert isinstance(loaded, ExportedPeaks) and loaded.description.names == ("a", "b", "c")
    found, _ = loaded.answers(IMAGE, Stopwatch())
    maps = model.network(IMAGE[None].astype(np.float32), training=False)[-1]["keypoints"]["heatmap"]
    np.testing.assert_allclose(found["peaks"], np.max(np.asarray(maps), axis=(1, 2))[0], rtol=1e-4)
    np.testing.assert_array_equal(found["size"], [32, 32])
    monkeypatch.delitem(EXPORTED, "peaks")
    with pytest.raises(ValueError, match="a model for 'peaks', and only detection, pose are known"):
        export.load(written.path)
