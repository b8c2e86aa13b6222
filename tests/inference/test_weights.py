"""What a model answers once its network's weights have changed, by training or by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_cornernet.codecs import LEVELS, Decoded, KeypointCodec
from keras_cornernet.inference import Detector, InferenceConfig, PoseEstimator, SaccadeConfig, SaccadeDetector
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories

CATEGORIES = Categories(("spot",), (1,))
SKELETON = Skeleton("spot", ("spot",), (), ())
IMAGE = np.zeros((64, 64, 3), np.uint8)
IMAGE[30:34, 30:34] = 255


class Gain(keras.layers.Layer):
    """In place of a network: the red of the image in 0..1, times a weight."""

    def __init__(self):
        super().__init__()
        self.gain = self.add_weight(shape=(), initializer="ones")

    def call(self, images, training=False):
        return [{"keypoints": {"heatmap": self.gain * images[..., :1] / 255}}]


class Brightest:
    """In place of a codec: one box, whose score is the largest value."""

    num_detections = 1

    def decode(self, outputs, input_size):
        score = ops.max(outputs[-1]["keypoints"]["heatmap"], axis=(1, 2))
        box = ops.zeros_like(score)[..., None] + np.array([5, 5, 20, 20], np.float32)
        return Decoded(box, score, ops.zeros_like(score, "int32"), ops.stack([score, score], -1))

    def attention(self, outputs):
        maps = outputs[-1]["keypoints"]["heatmap"]
        return {name: 0 * maps[:, :: level.stride, :: level.stride, 0] for name, level in LEVELS.items()}


def detector():
    return Detector(Gain(), Brightest(), CATEGORIES, InferenceConfig(flip=False))


def saccade():
    settings = SaccadeConfig(input_size=(63, 63), first_sizes=(63,), max_crops=1, crop_batch=1)
    return SaccadeDetector(Gain(), Brightest(), CATEGORIES, settings)


def estimator():
    settings = PoseInferenceConfig((64, 64), padding=1.0, flip=False)
    return PoseEstimator(Gain(), KeypointCodec(refinement="none"), SKELETON, settings)


@pytest.mark.parametrize("make", [detector, saccade, estimator])
def test_new_weights_count_from_the_next_image_on(make):
    model = make()

    def score():
        (found,) = model.predict(IMAGE, min_score=0)
        return float(np.max(found.scores))

    before = score()
    assert before > 0.5
    model.network.gain.assign(0.5)
    assert score() == pytest.approx(before / 2, rel=1e-4)
    assert float(model.network.gain.numpy()) == 0.5
