"""ONNX Runtime and OpenVINO agree with Keras."""

import os

import numpy as np
import pytest
from exportable import ALL, detector, estimator, picture

from keras_cornernet import export
from keras_cornernet.codecs import KeypointCodec

IMAGE = picture(50, 60)
EXTREMES = ((1, 1), (20, 20), (2, 10_000))  # all black


@pytest.fixture(scope="module")
def model():
    return detector(flip=False)


@pytest.fixture(scope="module")
def theirs(model):
    return model.predict(IMAGE, **ALL)[0]


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
    ours = loaded.predict(IMAGE, **ALL)[0]
    assert len(ours.boxes) == len(theirs.boxes) > 0
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-2)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
    assert ours.names == theirs.names
    for size in EXTREMES:
        found = loaded.predict(np.zeros((*size, 3), np.uint8), **ALL)[0]
        assert np.isfinite(found.scores).all()
        assert (found.boxes >= 0).all()
        assert (found.boxes <= [size[1], size[0], size[1], size[0]]).all()
    with pytest.raises(ValueError, match="without empty sides"):
        loaded.predict(np.zeros((0, 5, 3), np.uint8))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "write", "name"),
    [("tf2onnx", export.to_onnx, "face.onnx"), ("openvino", export.to_openvino, "face.xml")],
)
def test_poses_are_those_of_predict(tmp_path, module, write, name):
    pytest.importorskip(module)
    poser = estimator(KeypointCodec(refinement="dark"))
    loaded = export.load(write(poser, tmp_path / name).path, threads=1)
    boxes = [np.array([[3, 4, 31, 40], [20, 10, 58, 44]], np.float32)]
    for people in (None, boxes):
        ours, theirs = loaded.predict(IMAGE, people)[0], poser.predict(IMAGE, people, flip=None)[0]
        np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=0.02)
        np.testing.assert_allclose(ours.keypoint_scores, theirs.keypoint_scores, atol=1e-4)
    for size in EXTREMES:
        pose = loaded.predict(np.zeros((*size, 3), np.uint8))[0]
        assert np.isfinite(pose.keypoints).all()
        assert np.isfinite(pose.keypoint_scores).all()
    with pytest.raises(ValueError, match="without empty sides"):
        loaded.predict(np.zeros((0, 5, 3), np.uint8))


@pytest.mark.slow
def test_a_stop_leaves_no_graph_with_the_weights_of_another(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    poser = estimator()
    path = export.to_openvino(poser, tmp_path / "face.xml").path
    move = os.replace

    def stopped(source, target):
        if str(target).endswith(".xml"):
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        export.to_openvino(poser, path)
    assert not path.exists()


def test_openvino_wants_an_xml(model, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.xml"):
        export.to_openvino(model, tmp_path / "pets.bin")


@pytest.mark.parametrize("nested", [False, True])
def test_weights_in_another_file_are_not_read(tmp_path, nested):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    (tmp_path / "secret").write_bytes(bytes(range(20)))
    tensor = TensorProto(name="weight", data_type=TensorProto.UINT8, dims=[20])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "secret", "offset": "0", "length": "20"}.items():
        tensor.external_data.add(key=key, value=value)
    output = helper.make_tensor_value_info("y", TensorProto.UINT8, [20])
    if nested:
        constant = helper.make_node("Constant", [], ["y"], value=tensor)
        branch = helper.make_graph([constant], "branch", [], [output])
        true = helper.make_tensor("true", TensorProto.BOOL, [], [1])
        node = helper.make_node("If", ["true"], ["y"], then_branch=branch, else_branch=branch)
        graph = helper.make_graph([node], "graph", [], [output], [true])
    else:
        node = helper.make_node("Identity", ["weight"], ["y"])
        graph = helper.make_graph([node], "graph", [], [output], [tensor])
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert onnx.load(path, load_external_data=False)
    with pytest.raises(ValueError, match=r"model\.onnx: the weight weight lies in another file"):
        export.load(path)
