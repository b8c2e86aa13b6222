"""A whole training step under XLA, which Keras turns on by itself where there is a GPU."""

import keras
import numpy as np
import pytest
from tiny import drawn_squares, tiny_trainer

from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.losses import PoseLoss
from keras_cornernet.models import StackedHourglass
from keras_cornernet.training import HeatmapPCK, Trainer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX always compiles"),
]


def detection():
    return tiny_trainer(), drawn_squares(2)


def pose():
    network = StackedHourglass(
        3, stacks=1, channels=(8, 16), num_blocks=(1, 1), stem=(8, 8), stem_kernel_size=3, input_size=(32, 32)
    )
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    points = rng.uniform(2, 30, (2, 3, 2)).astype(np.float32)
    annotations = {"keypoints": points, "keypoint_weights": np.ones((2, 3), np.float32)}
    return Trainer(network, KeypointCodec(), PoseLoss(), HeatmapPCK()), (images, annotations)


@pytest.mark.parametrize("make", [detection, pose])
def test_a_compiled_step_equals_a_plain_one(make):
    results = {}
    for compiled in (False, True):
        keras.utils.set_random_seed(0)
        trainer, batch = make()
        before = [np.array(w) for w in trainer.get_weights()]
        trainer.compile(optimizer=keras.optimizers.SGD(0.01), jit_compile=compiled, run_eagerly=not compiled)
        logs = trainer.train_on_batch(*batch, return_dict=True)
        results[compiled] = logs, [w - b for w, b in zip(trainer.get_weights(), before, strict=True)]
    (plain, moves), (xla, xla_moves) = results[False], results[True]
    assert plain == pytest.approx(xla, rel=1e-4)
    largest = max(np.abs(move).max() for move in moves)
    assert largest > 0
    for move, other in zip(moves, xla_moves, strict=True):
        np.testing.assert_allclose(move, other, rtol=0, atol=1e-3 * largest)
