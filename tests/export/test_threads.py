"""Exported files answer alike from one thread and from many."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from exportable import estimator, picture

from keras_cornernet import export
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.presets import from_preset

IMAGES = [picture(32, 32, seed) for seed in range(8)]


def to_folder(model, path):
    return export.to_saved_model(model, path.parent, path.name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "write", "name"),
    [
        ("ai_edge_litert", export.to_tflite, "face.tflite"),
        ("openvino", export.to_openvino, "face.xml"),
        ("onnxruntime", export.to_onnx, "face.onnx"),
        ("tensorflow", to_folder, "face"),
    ],
)
def test_eight_threads_get_the_answers_of_one(tmp_path, monkeypatch, module, write, name):
    pytest.importorskip(module)
    monkeypatch.setattr("keras_cornernet.export.runtimes.workers_for", lambda threads: 3)  # on any machine
    model = export.load(write(estimator(), tmp_path / name).path)
    expected = [model.predict(image)[0].keypoints for image in IMAGES]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda image: model.predict(image)[0].keypoints, IMAGES * 40))
    np.testing.assert_array_equal(found, expected * 40)


@pytest.mark.slow
def test_eight_threads_get_the_answers_of_one_from_a_trained_detector(tmp_path):
    """With oneDNN's fusion of convolutions and sums this ended the process within some hundred calls."""
    model = export.load(to_folder(from_preset("cornernet_people"), tmp_path / "people").path)
    images = [draw_scene(seed, (240, 320), max_people=3)[0] for seed in range(8)]
    expected = [model.predict(image, min_score=0)[0] for image in images]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda turn: model.predict(images[turn % 8], min_score=0)[0], range(800)))
    for turn, one in enumerate(found):
        np.testing.assert_array_equal(one.boxes, expected[turn % 8].boxes)
        np.testing.assert_array_equal(one.scores, expected[turn % 8].scores)
