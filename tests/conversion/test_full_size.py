"""The published networks at full size (`parity/full_size`): names and shapes, without their 800 MB."""

import gzip
import json
from typing import NamedTuple

import keras
import numpy as np
import pytest

from keras_cornernet.conversion import infer_arguments
from keras_cornernet.conversion.converter import match_names
from keras_cornernet.conversion.name_maps import recognize
from keras_cornernet.conversion.parts import COUNTER
from keras_cornernet.models import CornerNet


def of_first_stack(name):
    """Whether a network with one hourglass has this weight, too."""
    module, number, *_ = name.removeprefix("hg.").split(".")
    return module == "pre" or (number == "0" and module not in ("inters", "inters_", "cnvs_"))


class Shaped(NamedTuple):
    """A weight without its numbers."""

    path: str
    shape: tuple
    trainable: bool


@pytest.fixture(scope="module")
def outlines():
    """Weights and output shapes of the networks with one and with two hourglasses."""
    found = {}
    with keras.StatelessScope(initialize_variables=False):
        for stacks in (1, 2):
            network = CornerNet(stacks=stacks, input_size=(511, 511))
            weights = [Shaped(w.path, tuple(w.shape), w.trainable) for w in network.weights]
            found[stacks] = weights, [tuple(tensor.shape) for tensor in network.outputs]
    del network
    # Else the next scope of this kind would give the weights their numbers after all.
    keras.utils.clear_session()
    return found


@pytest.mark.parametrize(("stacks", "parameters"), [(1, 100_330_278), (2, 201_035_212)])
def test_sizes(stacks, parameters, outlines):
    weights, outputs = outlines[stacks]
    assert sum(int(np.prod(w.shape)) for w in weights if w.trainable) == parameters
    assert len(weights) == 474 * stacks
    grid = (None, 128, 128)
    assert sorted(outputs) == sorted([(*grid, 80), (*grid, 1), (*grid, 2)] * 2 * stacks)


@pytest.mark.parametrize("name", ["cornernet_hourglass104", "lite_cornernet_hourglass104"])
@pytest.mark.parametrize("stacks", [1, 2])
def test_every_name_has_its_weight(stacks, name, parity, outlines):
    with gzip.open(parity("full_size") / f"{name}.json.gz") as stream:
        keys = json.load(stream)["keys"]
    state = {key.removeprefix("module."): np.broadcast_to(0.0, shape) for key, shape, _, _ in keys}
    if stacks == 1:
        # The baseline with one hourglass is the first stack of the full network.
        state = {key: value for key, value in state.items() if of_first_stack(key)}
    weights, _ = outlines[stacks]
    arguments = infer_arguments(state)
    assert (
        CornerNet.__init__.__kwdefaults__.items()
        >= {key: value for key, value in arguments.items() if key not in ("num_classes", "stacks")}.items()
    )
    assert (arguments["num_classes"], arguments["stacks"]) == (80, stacks)
    names = match_names(weights, state, recognize(state), arguments)
    assert len(set(names.values())) == len(weights)
    assert set(names.values()) == {key for key in state if not key.endswith(COUNTER)}
