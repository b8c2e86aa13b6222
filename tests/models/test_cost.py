"""Multiply-adds, counted by hand on small networks; those of the papers' are in `test_full_size.py`."""

import keras
import pytest

from keras_cornernet.models import CornerNet, CornerNetSqueeze, StackedHourglass
from keras_cornernet.models.cost import multiply_adds

WIDTHS = {"channels": (2, 2), "num_blocks": (1, 1), "pool_channels": 1, "head_channels": 2}


@pytest.fixture(autouse=True)
def _no_numbers():
    """Networks without weights: JAX would compile the initial ones of every new shape."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()  # or the next such scope gives the weights their numbers after all


def corners(cells, head):
    """Of both corners of one stack: two maps, their sum, shortcut and last, then three heads."""
    module = cells * (2 * 9 * 2 * 1 + 9 * 1 * 2 + 2 * 2 + 9 * 2 * 2)
    heads = cells * (3 * head * 2 * 2 + 2 * (3 + 1 + 2))
    return 2 * (module + heads)


def test_cornernet():
    network = CornerNet(3, stacks=2, stem=(1, 2), input_size=(15, 16), **WIDTHS)
    stem = 8 * 8 * 49 * 3 + 16 * (9 * 1 * 2 + 9 * 2 * 2 + 1 * 2)
    full, half = 16 * 2 * 9 * 2 * 2, 4 * 2 * 9 * 2 * 2
    hourglass = full + (half + 4 * 2 * 2) + half + half  # aside, down with its shortcut, bottom, up
    features, fusion = 16 * 9 * 2 * 2, 16 * (2 * 2 * 2 + 2 * 9 * 2 * 2)
    body = stem + 2 * (hourglass + features) + fusion
    assert multiply_adds(network) == body + corners(16, head=9)
    assert multiply_adds(network, all_stacks=True) == body + 2 * corners(16, head=9)


def test_squeeze():
    network = CornerNetSqueeze(3, stacks=1, stem=(1, 2, 2), input_size=(31, 32), **WIDTHS)
    stem = 16 * 16 * 49 * 3 + 64 * (9 * 1 * 2 + 9 * 2 * 2 + 1 * 2) + 16 * (2 * 9 * 2 * 2 + 2 * 2)
    aside, deep = 16 * (2 * 1 + 1 * 1 + 9), 4 * (2 * 1 + 1 * 1 + 9)
    down = 16 * 2 * 1 + 4 * (1 * 1 + 9)  # the first convolution of a fire block has no stride
    hourglass = aside + down + deep + deep + 4 * 16 * 2 * 2  # and the transposed convolution
    assert multiply_adds(network) == stem + hourglass + 16 * 9 * 2 * 2 + corners(16, head=1)


def test_separable():
    sizes = {"channels": (4, 4), "num_blocks": (1, 1), "stem": (2, 4), "stacks": 1}
    num_blocks = [
        multiply_adds(StackedHourglass(2, block=block, input_size=(16, 16), **sizes))
        for block in ("bottleneck", "separable")
    ]
    # On 4x4 and 2x2 cells, 3x3 convolutions of two channels; on 8x8 one of the stem, on 4x4 another.
    cells = 8 * 8 + 4 * 4 + (4 * 4 + 3 * 2 * 2) + 4 * 4
    assert num_blocks[0] - num_blocks[1] == cells * (9 * 2 * 2 - (9 * 2 + 2 * 2))


def test_any_size_has_no_count():
    with pytest.raises(ValueError, match="must be built with an input_size"):
        multiply_adds(CornerNet(1, stacks=1, stem=(1, 2), **WIDTHS))
