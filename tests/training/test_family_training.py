"""Each family of detectors trains by the same trainer."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny import SIZE, drawn_squares

from keras_cornernet.codecs import CenterCodec, CentripetalCodec, CornerCodec, SaccadeCodec, TripletCodec
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import (
    CenterNet,
    CentripetalNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    ObjectsAsPoints,
)
from keras_cornernet.training import Trainer

TINY = {"stacks": 1, "input_size": SIZE, "pool_channels": 4, "head_channels": 8, "head_kernel_size": 1}
NARROW = {**TINY, "channels": (8, 12), "num_blocks": (1, 1), "stem": (8, 8)}
FAMILIES = {
    "squeeze": (CornerNetSqueeze, {**NARROW, "stem": (8, 8, 8)}, CornerCodec(2), DetectionLoss()),
    "centernet": (CenterNet, NARROW, TripletCodec(2), DetectionLoss()),
    "centripetal": (CentripetalNet, NARROW, CentripetalCodec(2), CentripetalNet.default_loss),
    "points": (
        ObjectsAsPoints,
        {key: value for key, value in NARROW.items() if key != "pool_channels"},
        CenterCodec(2, offset_reach=1),
        DetectionLoss(pull_weight=0.0, push_weight=0.0, size_weight=0.1, offset_beta=0.0),
    ),
    "saccade": (
        CornerNetSaccade,
        {**TINY, "channels": (8, 8, 8, 8), "num_blocks": (1,) * 4, "stem": (8, 8)},
        SaccadeCodec(2),
        DetectionLoss(attention_weight=1.0),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_falls(family):
    keras.utils.set_random_seed(0)
    network, arguments, codec, loss = FAMILIES[family]
    trainer = Trainer(network(2, **arguments), codec, loss)
    # Step by step on TensorFlow, whose graph takes longer than these steps; JAX would compile each operation.
    eager = keras.backend.backend() == "tensorflow"
    trainer.compile(optimizer=keras.optimizers.Adam(1e-2), run_eagerly=eager)
    images, annotations = drawn_squares(2)
    if family == "saccade":
        annotations["visible"] = np.ones(annotations["labels"].shape, np.float32)
        annotations["visible"][1, 0] = 0.4
    weights = trainer.network.trainable_weights
    before = [np.array(keras.ops.convert_to_numpy(weight)) for weight in weights]
    history = trainer.fit(images, annotations, batch_size=2, epochs=4, verbose=0, shuffle=False).history
    assert set(history) == {"loss", *loss.names}
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    if family == "saccade":
        assert history["attention"][-1] < 0.9 * history["attention"][0]
    after = [keras.ops.convert_to_numpy(weight) for weight in weights]
    stayed = [w.path for w, a, b in zip(weights, after, before, strict=True) if np.array_equal(a, b)]
    assert stayed == []
