"""Graphs answer as `predict` does, for every kind of model and setting."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from exportable import CATEGORIES, FACE, detector, picture
from keras import ops

from keras_cornernet.codecs import DecodedTriplets, KeypointCodec, SaccadeCodec
from keras_cornernet.export import graphs
from keras_cornernet.export.graphs import build_graph
from keras_cornernet.export.images import answer_each, whole_levels
from keras_cornernet.inference import Detector, PoseEstimator, SaccadeDetector
from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig
from keras_cornernet.structures import Categories

IMAGE = picture(50, 60)


class Seen:
    """In place of a network and its codec: maps are every fourth pixel, boxes are drawn lots."""

    def __call__(self, images, training=False):
        return [{"keypoints": {"heatmap": images[:, ::4, ::4] / 255}}]

    def check_input_size(self, input_size):
        pass

    def decode(self, outputs, input_size):
        rng, lots = np.random.default_rng(0), 40
        first = rng.uniform(-9, 30, (1, lots, 2))
        boxes = np.concatenate([first, first + rng.uniform(5, 25, (1, lots, 2))], axis=-1)
        centers = (boxes[:, ::2, :2] + boxes[:, ::2, 2:]) / 2
        labels = rng.integers(0, 2, (1, lots))
        parts = (boxes, rng.uniform(0, 1, (1, lots)), labels, rng.uniform(0, 1, (1, lots, 2)))
        parts = (*parts, centers, rng.uniform(0, 1, (1, lots // 2)), labels[:, ::2])
        images = ops.shape(outputs[-1]["keypoints"]["heatmap"])[0]
        kinds = ("float32", "float32", "int32", "float32", "float32", "float32", "int32")
        return DecodedTriplets(
            *(ops.repeat(ops.cast(p, block), images, axis=0) for p, block in zip(parts, kinds, strict=True))
        )


@pytest.fixture
def seen(monkeypatch):
    monkeypatch.setattr(graphs, "fold", lambda network: network)
    monkeypatch.setattr(graphs, "last_stack", lambda network: lambda x, training: network(x)[-1])
    return Seen()


def answers(model, image=IMAGE):
    graph = build_graph(model)
    function = tf.function(lambda images: answer_each(graph, images, whole_levels), autograph=False)
    found = function(tf.constant(image[None], tf.float32))
    return {name: value.numpy()[0] for name, value in found.items()}


@pytest.mark.parametrize(
    "settings",
    [
        {"merge_exponent": 10.0},
        {"merge_exponent": 0.05, "max_detections": 60},  # corners of means that change places
        {"flip": False, "method": "hard", "border": 3},
        {"border": 2, "best_center": True, "max_detections": 60},
    ],
)
def test_boxes_are_those_of_predict(seen, settings):
    settings = InferenceConfig(**{"input_size": (32, 48), **settings})
    model = Detector(seen, seen, CATEGORIES, settings)
    ours, theirs = answers(model), model.predict(IMAGE, min_score=0, flip=None)[0]
    count = int(ours["num_detections"])
    assert 2 < count == len(theirs.boxes)
    np.testing.assert_allclose(ours["scores"][:count], theirs.scores, atol=1e-5)
    np.testing.assert_allclose(ours["boxes"][:count], theirs.boxes, atol=1e-3)
    np.testing.assert_array_equal(ours["labels"][:count], theirs.labels)
    assert (ours["boxes"][:, 2:] >= ours["boxes"][:, :2]).all()
    assert len(ours["boxes"]) == settings.max_detections > count
    assert (ours["boxes"][count:] == 0).all()
    assert (ours["scores"][count:] == 0).all()
    assert (ours["labels"][count:] == -1).all()


@pytest.mark.parametrize(
    "settings", [{"flip": False}, {"shift_mirrored": True, "input_size": (32, 48)}, {"input_size": (64, 64)}]
)
def test_joints_are_those_of_predict(seen, settings):
    model = PoseEstimator(
        seen, KeypointCodec(), FACE, PoseInferenceConfig(**{"input_size": (32, 32), **settings})
    )
    ours, theirs = answers(model), model.predict(IMAGE, flip=None)[0]
    np.testing.assert_allclose(ours["keypoints"], theirs.keypoints[0], atol=1e-3)
    np.testing.assert_allclose(ours["scores"], theirs.keypoint_scores[0], atol=1e-6)


def test_a_model_that_shows_images_at_their_own_size_needs_an_input_size():
    model = detector(input_size=None)
    with pytest.raises(ValueError, match="input_size must be given"):
        build_graph(model)
    assert build_graph(model.with_settings(input_size=(32, 32))).input_size == (32, 32)


def test_an_input_that_the_network_cannot_halve_is_refused():
    with pytest.raises(ValueError, match="multiples of"):
        build_graph(detector(input_size=(33, 48)))


def test_a_detector_that_decides_where_to_look_is_refused():
    model = SaccadeDetector(None, SaccadeCodec(1), Categories(("thing",), (1,)))
    with pytest.raises(ValueError, match="SaccadeDetector chooses its crops"):
        build_graph(model)


def test_another_backend_is_told(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="set the environment variable KERAS_BACKEND to tensorflow"):
        build_graph(detector())
