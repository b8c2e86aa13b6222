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
from keras_cornernet.models import CenterNet, CornerNet, CornerNetSaccade, CornerNetSqueeze, ObjectsAsPoints
from keras_cornernet.models.cost import multiply_adds


class Size(NamedTuple):
    """What the networks of the papers come to, and whose key lists tell their names.

    `macs` are 1e9 multiply-adds with the heads of the last stack and with those of all.
    """

    family: type
    stacks: int
    side: int
    parameters: int
    tensors: int
    macs: tuple[float, float]
    lists: tuple[str, ...]


CORNERNET = ("cornernet_hourglass104", "lite_cornernet_hourglass104")
SIZES = {
    "cornernet_52": Size(CornerNet, 1, 511, 100_330_278, 474, (223.6, 223.6), CORNERNET),
    "cornernet_104": Size(CornerNet, 2, 511, 201_035_212, 948, (343.2, 452.3), CORNERNET),
    "centernet_52": Size(CenterNet, 1, 511, 104_844_152, 531, (297.5, 297.5), ("centernet_52",)),
    "centernet_104": Size(CenterNet, 2, 511, 210_062_960, 1062, (417.1, 600.1), ("centernet_104",)),
    "points_104": Size(ObjectsAsPoints, 2, 512, 191_284_008, 824, (263.4, 292.7), ()),
    "saccade": Size(
        CornerNetSaccade, 3, 255, 116_969_339, 708, (96.1, 157.7), ("cornernet_saccade_hourglass54",)
    ),
    "squeeze": Size(CornerNetSqueeze, 2, 511, 31_771_852, 845, (51.2, 65.6), ("cornernet_squeeze",)),
}


class Shaped(NamedTuple):
    """A weight without its numbers."""

    path: str
    shape: tuple
    trainable: bool


class Outline(NamedTuple):
    """A network without its numbers."""

    weights: list[Shaped]
    macs: tuple[float, float]


@pytest.fixture(scope="module", params=SIZES)
def sized(request):
    """A size, and the outline of its network."""
    size = SIZES[request.param]
    with keras.StatelessScope(initialize_variables=False):
        network = size.family(stacks=size.stacks, input_size=(size.side, size.side))
        weights = [Shaped(w.path, tuple(w.shape), w.trainable) for w in network.weights]
        macs = tuple(multiply_adds(network, all_stacks=every) / 1e9 for every in (False, True))
    del network
    # Else the next scope of this kind would give the weights their numbers after all.
    keras.utils.clear_session()
    return size, Outline(weights, macs)


def test_sizes(sized):
    size, outline = sized
    assert sum(int(np.prod(w.shape)) for w in outline.weights if w.trainable) == size.parameters
    assert len(outline.weights) == size.tensors
    assert outline.macs == pytest.approx(size.macs, abs=0.06)


def of_first_stack(name):
    """Whether a network with one hourglass has this weight, too."""
    module, number, *_ = name.removeprefix("hg.").split(".")
    return module == "pre" or (number == "0" and module not in ("inters", "inters_", "cnvs_"))


def test_every_name_has_its_weight(sized, parity):
    size, outline = sized
    for name in size.lists:
        with gzip.open(parity("full_size") / f"{name}.json.gz") as stream:
            keys = json.load(stream)["keys"]
        state = {key.removeprefix("module."): np.broadcast_to(0.0, shape) for key, shape, _, _ in keys}
        if size.stacks == 1:
            # The baseline with one hourglass is the first stack of the full network.
            state = {key: value for key, value in state.items() if of_first_stack(key)}
        arguments = infer_arguments(state)
        layout = recognize(state)
        assert layout.network is size.family
        assert (arguments["num_classes"], arguments["stacks"]) == (80, size.stacks)
        defaults = size.family.config_type().arguments()
        sizes = {key: value for key, value in arguments.items() if key not in ("num_classes", "stacks")}
        assert defaults.items() >= sizes.items() and len(sizes) == 6
        names = match_names(outline.weights, state, layout, arguments)
        assert len(set(names.values())) == len(outline.weights)
        assert set(names.values()) == {key for key in state if not key.endswith(COUNTER)}
