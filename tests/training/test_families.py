"""Each family of detectors learns through `trainer_of`, with the codec and the loss that go with it."""

import keras
import numpy as np
import pytest
from tiny import drawn_squares, tiny_network

from keras_cornernet.codecs import CornerCodec, SaccadeCodec, TripletCodec
from keras_cornernet.models import CenterNet, CornerNetSaccade, CornerNetSqueeze
from keras_cornernet.presets import trainer_of
from keras_cornernet.presets.models import detector_of

TERMS = {"focal", "pull", "push", "offset"}
NARROW = {
    "channels": (8, 8, 10, 12),
    "counts": (1,) * 4,
    "stem": (4, 8),
    "pool_channels": 4,
    "head_channels": 6,
}
# The network's own arguments, its codec, and what it learns besides.
FAMILIES = {
    CornerNetSqueeze: ({}, CornerCodec, set()),
    CornerNetSaccade: (NARROW, SaccadeCodec, {"attention"}),
    CenterNet: ({}, TripletCodec, set()),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_moves_every_branch(family):
    keras.utils.set_random_seed(0)
    arguments, codec, more = FAMILIES[family]
    detector = detector_of(tiny_network(family, **arguments))
    assert type(detector.codec) is codec
    trainer = trainer_of(detector)
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3), run_eagerly=True)
    before = {w.path: keras.ops.convert_to_numpy(w) for w in detector.network.trainable_weights}
    logs = trainer.train_on_batch(*drawn_squares(2), return_dict=True)
    assert set(logs) - {"loss"} == TERMS | more
    assert all(np.isfinite(value) and value > 0 for value in logs.values())
    assert sum(logs[term] for term in TERMS | more) == pytest.approx(logs["loss"], rel=1e-4)
    still = [path for path, value in before.items() if np.array_equal(value, _now(detector, path))]
    assert not still


def _now(detector, path):
    (weight,) = (w for w in detector.network.trainable_weights if w.path == path)
    return keras.ops.convert_to_numpy(weight)
