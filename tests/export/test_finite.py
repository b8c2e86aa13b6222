"""An exported file whose weights are no numbers is refused, whatever its format."""

import numpy as np
import pytest
from exportable import detector

from keras_cornernet import export


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.tflite", np.nan),  # its converter writes infinity as another number
        *((name, value) for name in ("model.onnx", "model.xml", "model") for value in (np.nan, np.inf)),
    ],
)
def test_weights_that_are_no_numbers_are_named(name, value, tmp_path):
    pytest.importorskip({"onnx": "tf2onnx", "xml": "openvino"}.get(name.rpartition(".")[2], "numpy"))
    model = detector()
    kernel = model.network.get_layer("top_left_heatmap_0").weights[0]
    broken = np.array(kernel)
    broken.reshape(-1)[3] = value
    kernel.assign(broken)
    path = model.export(tmp_path / name).path
    with pytest.raises(ValueError, match=r"model.*the weight .* holds numbers that are not finite"):
        export.load(path)
