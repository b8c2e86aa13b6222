"""Detectors by centres, or by corners that point to centres, are exported like the others."""

import numpy as np
import pytest
import tensorflow as tf
from exportable import centripetal_detector, picture, point_detector

from keras_cornernet import export
from keras_cornernet.export import flatbuffer
from keras_cornernet.export.graphs import build_graph
from keras_cornernet.export.images import answer_each, whole_levels

IMAGE = picture(50, 60)


def assert_alike(ours, theirs):
    assert len(ours.boxes) == len(theirs.boxes) > 0
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.02)
    np.testing.assert_array_equal(ours.labels, theirs.labels)


@pytest.mark.parametrize(
    "settings", [{"flip": True}, {"flip": False, "method": "none"}, {"method": "none", "max_detections": 40}]
)
def test_graphs_answer_as_predict_does(settings):
    model = point_detector(**settings)
    graph = build_graph(model)
    function = tf.function(lambda images: answer_each(graph, images, whole_levels), autograph=False)
    found = {name: value.numpy()[0] for name, value in function(tf.constant(IMAGE[None], tf.float32)).items()}
    theirs = model.predict(IMAGE, min_score=0, flip=None)[0]
    count = int(found["num_detections"])
    assert count == len(theirs.boxes) > 0
    np.testing.assert_allclose(found["scores"][:count], theirs.scores, atol=1e-4)
    np.testing.assert_allclose(found["boxes"][:count], theirs.boxes, atol=0.02)
    np.testing.assert_array_equal(found["labels"][:count], theirs.labels)
    assert (found["labels"][count:] == -1).all()


@pytest.mark.slow
@pytest.mark.parametrize("model", [point_detector(method="none"), centripetal_detector(method="none")])
def test_tflite_answers_as_predict_does(model, tmp_path):
    path = export.to_tflite(model, tmp_path / "pets.tflite").path
    assert flatbuffer.custom_operators(path.read_bytes()) == set()
    theirs = model.predict(IMAGE, min_score=0, flip=None)[0]
    assert_alike(export.load(path).predict(IMAGE, min_score=0)[0], theirs)


@pytest.mark.slow
@pytest.mark.parametrize("model", [point_detector(), centripetal_detector()])
def test_a_saved_model_answers_as_predict_does(model, tmp_path):
    path = export.to_saved_model(model, tmp_path, "pets").path
    theirs = model.predict(IMAGE, min_score=0, flip=None)[0]
    assert_alike(export.load(path).predict(IMAGE, min_score=0)[0], theirs)
