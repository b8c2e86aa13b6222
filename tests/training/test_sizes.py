"""Batches of several sizes in one run."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from keras_cornernet.codecs import CenterCodec
from keras_cornernet.models import ObjectsAsPoints
from keras_cornernet.training import Trainer

SIZES = ((32, 32), (32, 64), (64, 32))


def batches():
    rng = np.random.default_rng(0)
    for size in (*SIZES, SIZES[1]):
        images = rng.uniform(0, 255, (2, *size, 3)).astype(np.float32)
        boxes = np.array([[[4, 4, 20, 28]], [[8, 2, 30, 30]]], np.float32)
        yield images, {"boxes": boxes, "labels": np.zeros((2, 1), np.int32)}


def trained(data, **compiled):
    """The history of three epochs, and the weights after them."""
    keras.utils.set_random_seed(0)
    network = ObjectsAsPoints(1, stacks=1, channels=(4, 4), num_blocks=(1, 1), stem=(4, 4), head_channels=4)
    trainer = Trainer(network, CenterCodec(1), ObjectsAsPoints.default_loss)
    trainer.compile(optimizer=keras.optimizers.SGD(1e-3), **compiled)
    history = trainer.fit(data, epochs=3, verbose=0).history
    return history, [keras.ops.convert_to_numpy(weight) for weight in network.weights]


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.data belongs to TensorFlow")
def test_each_size_has_a_step_of_its_own():
    import tensorflow as tf

    images, boxes, labels = (
        tf.TensorSpec(s, d)
        for s, d in (((2, None, None, 3), tf.float32), ((2, 1, 4), tf.float32), ((2, 1), tf.int32))
    )
    data = tf.data.Dataset.from_generator(
        batches, output_signature=(images, {"boxes": boxes, "labels": labels})
    )
    data = data.apply(tf.data.experimental.assert_cardinality(4))
    history, weights = trained(data)
    expected, others = trained(data, run_eagerly=True)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-4)
    assert history["loss"][-1] < history["loss"][0]
    for ours, theirs in zip(weights, others, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
