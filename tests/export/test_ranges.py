"""Ranges of 8 bits that leave out tails."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cornernet.export.fixed import frozen
from keras_cornernet.export.ranges import without_outliers

SIZE = (16, 16, 2)


def spiked():
    """Gives back values up to 10; of those above it a hundred times as much comes on top."""

    def run(images):
        doubled = tf.nn.relu(tf.nn.conv2d(images, 2 * tf.eye(2)[None, None], 1, "SAME"))
        spikes = tf.nn.relu(images + tf.constant([-10.0, -10.0])) * 200.0
        return (doubled + spikes) * 0.5

    return frozen(run, [tf.TensorSpec((1, *SIZE), tf.float32, "images")])


def samples(outlier: float) -> list[np.ndarray]:
    images = list(np.random.default_rng(0).uniform(0, 10, (8, *SIZE)).astype(np.float32))
    images[3][5, 7, 1] = outlier  # one of 4096 values, and two may lie beyond a range
    return images


def test_tails_are_cut_off_and_the_rest_is_rounded_to_256_levels():
    function, images = spiked(), samples(20.0)
    (plain,) = function(tf.constant(images[3][None]))
    assert plain.numpy().max() == pytest.approx(1020.0)
    (rounded,) = without_outliers(function, images)(tf.constant(images[3][None]))
    assert rounded.numpy().max() == pytest.approx(10.0, abs=0.1)
    apart = np.abs(rounded.numpy()[0] - images[3])[images[3] < 9.9]
    step = 20 / 255 / 2
    assert step / 4 < apart.max() < 0.6 * step


def test_a_function_without_tails_stays_as_it_is():
    function = spiked()
    assert without_outliers(function, samples(10.0)) is function


def test_an_output_keeps_its_tail():
    function = frozen(lambda x: x * 2.0, [tf.TensorSpec((1, *SIZE), tf.float32, "images")])
    assert without_outliers(function, samples(20.0)) is function


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_the_converter_keeps_the_narrow_ranges():
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    images = samples(20.0)
    image = images[0]
    farthest = []
    for function in (spiked(), without_outliers(spiked(), images)):
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample[None]] for sample in images)
        runner = interpreter.Interpreter(model_content=converter.convert())
        runner.allocate_tensors()
        runner.set_tensor(runner.get_input_details()[0]["index"], image[None])
        runner.invoke()
        given = runner.get_tensor(runner.get_output_details()[0]["index"])
        farthest.append(np.abs(given[0] - image).max())
    assert farthest[0] > 1.0
    assert farthest[1] < 0.2
