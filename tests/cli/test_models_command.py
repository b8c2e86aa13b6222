"""The sizes that `keras-cornernet models` prints without building a network."""

import keras
import numpy as np
import pytest

from keras_cornernet.cli.models import SIZES
from keras_cornernet.models.cost import multiply_adds
from keras_cornernet.presets import PRESETS


@pytest.mark.parametrize(
    "name",
    [
        *("cornernet_squeeze_small", "centernet_small", "centripetalnet_small"),
        *("objects_as_points_small", "hourglass_phone"),
    ],
)
def test_listed_sizes_are_those_of_the_networks(name):
    """Those of the papers' networks are held in `tests/conversion/test_full_size.py`."""
    preset = PRESETS[name]
    count = len(preset.skeleton.joints) if preset.skeleton else 80
    with keras.StatelessScope(initialize_variables=False):
        network = preset.network(count, input_size=preset.input_size, **preset.arguments)
        parameters = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
        gmac = multiply_adds(network) / 1e9
    del network
    keras.utils.clear_session()  # or the next such scope gives the weights their numbers after all
    assert SIZES[name].parameters == parameters
    assert SIZES[name].gmac == pytest.approx(gmac, rel=1e-3)


def test_every_preset_has_a_size():
    assert set(SIZES) == set(PRESETS)
