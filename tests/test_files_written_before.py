"""Files that the package wrote before its names were revised still open and answer as they did.

`fixtures/before` was written at commit acacbd8 from the untrained models of `tests/export/exportable.py`:
each model as a `.keras` file, the detector as TFLite, the pose network as ONNX, and what they answered there.
"""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cornernet import export
from keras_cornernet.presets import from_preset

BEFORE = Path(__file__).parent / "fixtures" / "before"


@pytest.fixture(scope="module")
def answers():
    return np.load(BEFORE / "answers.npz")


@pytest.mark.parametrize("name", ["detector", "pose"])
def test_keras_files(answers, name):
    model = from_preset(BEFORE / f"{name}.keras")
    outputs = keras.tree.flatten_with_path(model.network(answers[f"{name}:input"]))
    assert outputs
    for path, found in outputs:
        expected = answers[f"{name}:{'/'.join(map(str, path))}"]
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected, rtol=1e-4, atol=1e-4)


def test_settings_of_keras_files():
    detector, pose = from_preset(BEFORE / "detector.keras"), from_preset(BEFORE / "pose.keras")
    assert detector.categories.names == ("cat", "dog")
    assert detector.settings.max_detections == 6
    assert detector.codec.embedding_threshold == 1e6
    assert pose.skeleton.joints == ("left_eye", "right_eye", "nose")
    assert pose.settings.padding == 1.25
    assert pose.codec.refinement == "quarter"


def test_exported_detector(answers):
    pytest.importorskip("ai_edge_litert.interpreter")
    found = export.load(BEFORE / "detector.tflite").predict(answers["image"])[0]
    np.testing.assert_allclose(found.boxes, answers["boxes"], atol=1e-2)
    np.testing.assert_allclose(found.scores, answers["scores"], atol=1e-4)
    assert found.labels.tolist() == answers["labels"].tolist()
    assert found.names[0] == "cat"


def test_exported_pose_estimator(answers):
    pytest.importorskip("onnxruntime")
    found = export.load(BEFORE / "pose.onnx").predict(answers["image"])[0]
    np.testing.assert_allclose(found.keypoints, answers["keypoints"], atol=1e-2)
    np.testing.assert_allclose(found.keypoint_scores, answers["keypoint_scores"], atol=1e-4)
    assert found.skeleton.limbs == ((0, 2), (1, 2))
