"""The way back: a network's weights under the names of the authors' code."""

from pathlib import Path

import numpy as np
import pytest
from agreement import tiny_state

from keras_cornernet.conversion import convert_state, infer_arguments, to_torch_state_dict
from keras_cornernet.conversion.parts import COUNTER
from keras_cornernet.models import CornerNet, CornerNetSqueeze, StackedHourglass

BODY = {"stacks": 2, "channels": (4, 6), "num_blocks": (1, 1)}
HEADS = {"pool_channels": 2, "head_channels": 3}


@pytest.fixture(scope="module")
def fixture_state():
    with np.load(Path(__file__).parents[1] / "fixtures" / "cornernet_tiny.npz") as fixture:
        return tiny_state(fixture)


def test_a_file_of_the_authors_comes_back_as_it_was(fixture_state):
    network, _ = convert_state(dict(fixture_state))
    back = to_torch_state_dict(network, "princeton-vl/CornerNet")
    expected = {name: array for name, array in fixture_state.items() if not name.endswith(COUNTER)}
    assert back.keys() == expected.keys()
    assert all(np.array_equal(back[name], array) for name, array in expected.items())


@pytest.mark.parametrize(
    ("repository", "network"),
    [
        (
            "princeton-vl/CornerNet-Lite (Squeeze)",
            CornerNetSqueeze(3, **BODY, stem=(2, 3, 4), head_kernel_size=1, **HEADS),
        ),
        ("princeton-vl/pytorch_stacked_hourglass", StackedHourglass(3, **BODY, stem=(4, 4, 6))),
        (
            "open-mmlab/mmpose (head)",
            StackedHourglass(
                3,
                **{**BODY, "num_blocks": (1, 2)},
                block="basic",
                stem=(4,),
                mean=(123.675 / 255, 116.28 / 255, 103.53 / 255),
                std=(58.395 / 255, 57.12 / 255, 57.375 / 255),
            ),
        ),
    ],
    ids=["squeeze", "umich", "mmpose"],
)
def test_converted_again_every_weight_is_the_same(repository, network):
    state = to_torch_state_dict(network, repository)
    again, report = convert_state(dict(state))
    assert report.layout == repository and not report.unused and not report.missing
    theirs = {weight.path: np.asarray(weight.value) for weight in again.weights}
    assert theirs.keys() == {weight.path for weight in network.weights}
    assert all(np.array_equal(theirs[weight.path], np.asarray(weight.value)) for weight in network.weights)


@pytest.mark.parametrize(
    ("joints", "mean"),
    [
        (14, (0.444208, 0.430216, 0.403950)),  # LSP
        (16, (0.440443, 0.444027, 0.432683)),  # MPII
        (17, (0.456608, 0.436882, 0.406142)),  # COCO
        (3, (0.440443, 0.444027, 0.432683)),
    ],
)
def test_files_of_pytorch_pose_have_the_mean_of_the_data_set_with_so_many_joints(joints, mean):
    network = StackedHourglass(joints, **BODY, stem=(4, 4, 6), mean=mean)
    state = to_torch_state_dict(network, "bearpaw/pytorch-pose")
    assert infer_arguments(state)["mean"] == mean


def test_what_no_file_of_a_repository_can_hold_is_refused():
    small = {"channels": (4, 4), "num_blocks": (1, 1), "stem": (2, 4), "stacks": 1, **HEADS}
    placed = CornerNet(2, embedding_cells=2.0, **small)
    with pytest.raises(
        ValueError, match=r"princeton-vl/CornerNet cannot .*: embedding_cells is 2.0, there None"
    ):
        to_torch_state_dict(placed, "princeton-vl/CornerNet")
    with pytest.raises(ValueError, match="files of a CenterNet, not of a CornerNet"):
        to_torch_state_dict(placed, "Duankaiwen/CenterNet")
    with pytest.raises(ValueError, match="repository must be one of .*bearpaw/pytorch-pose.*, not 'mine'"):
        to_torch_state_dict(placed, "mine")
    deep = StackedHourglass(2, channels=(4, 4), num_blocks=(2, 1), stem=(2, 4, 4), stacks=1)
    with pytest.raises(ValueError, match=r"no names for \d+ weights, such as after_0_1"):
        to_torch_state_dict(deep, "princeton-vl/pytorch_stacked_hourglass")
