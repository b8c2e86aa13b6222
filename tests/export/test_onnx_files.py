"""ONNX Runtime and OpenVINO agree with Keras."""

import numpy as np
import pytest
from exportable import detector, picture

from keras_cornernet import export

IMAGE = picture(50, 60)


@pytest.fixture(scope="module")
def model():
    return detector(flip=False)


@pytest.fixture(scope="module")
def theirs(model):
    return model.predict(IMAGE)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "write", "name"),
    [
        ("tf2onnx", export.to_onnx, "pets.onnx"),
        ("openvino", export.to_openvino, "pets.xml"),
    ],
)
def test_answers_are_those_of_predict(model, theirs, tmp_path, module, write, name):
    pytest.importorskip(module)
    written = write(model, tmp_path / name, image_size=(50, 60))
    assert written.path.name == name
    assert written.size == sum(path.stat().st_size for path in tmp_path.iterdir())  # nothing aside is left
    loaded = export.load(written.path, threads=1)
    assert loaded.description.image_size == (50, 60)
    ours = loaded.predict(IMAGE)[0]
    assert len(ours.boxes) == len(theirs.boxes) > 0
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-2)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
    assert ours.names == theirs.names


def test_openvino_wants_an_xml(model, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.xml"):
        export.to_openvino(model, tmp_path / "pets.bin")
