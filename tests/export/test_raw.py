"""Files that give the maps alone, decoded here."""

import numpy as np
import pytest
from exportable import ALL, centripetal_detector, detector, estimator, picture, point_detector

from keras_cornernet import export
from keras_cornernet.cli.export import ExportConfig
from keras_cornernet.codecs import KeypointCodec

litert = pytest.importorskip("ai_edge_litert.interpreter")
onnxruntime = pytest.importorskip("onnxruntime")
IMAGES = [picture(40, 60, seed) for seed in range(3)]
KINDS = {
    "corners": lambda: detector(merge_exponent=10.0),
    "centers": point_detector,
    "pose": lambda: estimator(KeypointCodec(refinement="dark"), input_size=(64, 64)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_images_in_onnx_is_answered_as_in_keras(kind, tmp_path):
    model = KINDS[kind]()
    path = export.write(model, tmp_path / "raw.onnx", raw=True, self_test=False).path
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rows, columns = model.settings.input_size
    assert session.get_inputs()[0].shape[1:] == [rows, columns, 3]
    images = np.stack([picture(rows, columns, seed) for seed in range(5)]).astype(np.float32)
    together = session.run(None, {"images": images})
    for i in (0, 4):
        for alone, all_five in zip(session.run(None, {"images": images[i : i + 1]}), together, strict=True):
            np.testing.assert_allclose(alone[0], all_five[i], atol=1e-4)
    found = export.compare(model.with_settings(flip=False), export.load(path), IMAGES)
    assert (found.fraction, found.sound) == (1.0, True)
    assert found.largest_distance < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["raw.tflite", "raw.xml", "raw"])
def test_other_forms_are_answered_as_in_keras(kind, name, tmp_path):
    if name.endswith("xml"):
        pytest.importorskip("openvino")
    model = KINDS[kind]().with_settings(flip=False)
    exported = export.load(export.write(model, tmp_path / name, raw=True).path)
    found = export.compare(model, exported, IMAGES)
    assert (found.fraction, found.sound) == (1.0, True)
    assert exported.self_test().right


def test_eight_bits_reach_the_last_layer(tmp_path):
    model = point_detector(flip=False)
    samples = [picture(32, 48, seed) for seed in range(4)]
    path = export.to_tflite(
        model, tmp_path / "a.tflite", raw=True, precision="int8", samples=samples, self_test=False
    ).path
    interpreter = litert.Interpreter(str(path))
    details = interpreter.get_tensor_details()
    assert {np.dtype(detail["dtype"]).name for detail in details} <= {"uint8", "int8", "int32"}
    runner = interpreter.get_signature_runner("serving_default")
    told = export.load(path).description.raw["quantization"]
    outputs = runner.get_output_details()
    assert outputs.keys() == told.keys() == {"center_heatmap", "center_offset", "center_size"}
    for name, detail in outputs.items():
        assert detail["dtype"] == np.int8
        np.testing.assert_allclose(told[name], detail["quantization"], rtol=1e-6)
    found = export.load(path).predict(IMAGES[0], **ALL)[0]
    assert len(found)


def test_one_tensor_graph_without_loops(tmp_path):
    path = export.to_tflite(detector(), tmp_path / "a.tflite", raw=True, self_test=False).path
    from keras_cornernet.export.flatbuffer import custom_operators, parsed

    assert len(parsed(path.read_bytes()).subgraphs) == 1
    assert custom_operators(path.read_bytes()) == set()


def test_codecs_without_a_plain_decoding_are_told(tmp_path):
    with pytest.raises(ValueError, match="and this one is by CentripetalCodec"):
        export.write(centripetal_detector(), tmp_path / "a.onnx", raw=True)
    with pytest.raises(ValueError, match="image_size must be None or that of the network's input"):
        export.write(point_detector(), tmp_path / "a.onnx", raw=True, image_size=(64, 64))
    with pytest.raises(ValueError, match="--flip has no effect on --raw"):
        ExportConfig("onnx", raw=True, flip=True)
    assert list(tmp_path.iterdir()) == []
