"""The first public stacked hourglass: sizes, the flow between its stacks, saving."""

import keras
import numpy as np
import pytest

from keras_cornernet.models import LegacyStackedHourglass

TINY = {"channels": (8, 8), "num_blocks": (3, 1), "merge_channels": 12, "stem": (4, 6, 6)}


def tiny(**changes):
    return LegacyStackedHourglass(3, **{**TINY, **changes})


def noise(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def heatmap_of(outputs, stack):
    return keras.ops.convert_to_numpy(outputs[stack]["keypoints"]["heatmap"])


def test_parameter_count_of_the_authors_model():
    with keras.StatelessScope(initialize_variables=False):
        weights = LegacyStackedHourglass().trainable_weights
        assert sum(int(np.prod(w.shape)) for w in weights) == 26_353_824
    keras.utils.clear_session()


def test_widths_are_those_of_the_authors_figure():
    network = tiny()
    assert network.get_layer("hourglass_0").output[-1].shape[-1] == 12
    assert network.get_layer("features_0_1").output.shape[-1] == 8  # `channels[0]`
    assert network.get_layer("carry_features_0").kernel.shape == (1, 1, 8 + 6, 8 + 6)  # with the pooled stem
    assert network.get_layer("carry_heatmap_0").kernel.shape == (1, 1, 3, 8 + 6)
    assert network.get_layer("features_1_1").output.shape[-1] == 12
    hourglass = network.get_layer("hourglass_1")
    assert [len(blocks[0]) for blocks in (hourglass.aside, hourglass.down, hourglass.up)] == [3, 3, 1]
    assert [block.filters for block in hourglass.aside[0]] == [8, 8, 12]


def test_one_heatmap_a_joint_and_stack():
    outputs = tiny()(noise(2, 32, 48, 3))
    assert [list(stack) for stack in outputs] == [["keypoints"]] * 2
    for stack in outputs:
        assert tuple(stack["keypoints"]["heatmap"].shape) == (2, 8, 12, 3)


@pytest.mark.parametrize("layer", ["carry_features_0", "carry_heatmap_0"])
def test_features_and_heatmaps_reach_the_second_stack(layer):
    keras.utils.set_random_seed(0)
    network, images = tiny(), noise(1, 32, 32, 3)
    before = network(images)
    carrier = network.get_layer(layer)
    carrier.kernel.assign(carrier.kernel + 100.0)  # untrained heatmaps are nearly empty
    after = network(images)
    np.testing.assert_array_equal(heatmap_of(after, 0), heatmap_of(before, 0))
    assert np.abs(heatmap_of(after, 1) - heatmap_of(before, 1)).max() > 1e-3


@pytest.mark.parametrize("stacks", [1, 2, 3])
def test_any_number_of_stacks_is_fused_alike(stacks):
    network = tiny(stacks=stacks)
    assert len(network(noise(1, 32, 32, 3))) == stacks
    names = {layer.name for layer in network.layers}
    for stack in range(stacks):
        last = stack + 1 == stacks
        assert network.get_layer(f"features_{stack}_1").output.shape[-1] == (12 if last else 8)
        assert (f"carry_features_{stack}" in names) == (f"carry_heatmap_{stack}" in names) == (not last)
        if not last:
            assert network.get_layer(f"carry_features_{stack}").kernel.shape == (1, 1, 14, 14)


@pytest.mark.slow
def test_saved_file_gives_the_same_heatmaps(tmp_path):
    network, images = tiny(), noise(1, 32, 32, 3)
    network.save(tmp_path / "pose.keras")
    again = keras.saving.load_model(tmp_path / "pose.keras")
    assert again.arguments == network.arguments
    for stack in (0, 1):
        np.testing.assert_array_equal(heatmap_of(again(images), stack), heatmap_of(network(images), stack))


def test_other_joints_keep_the_body():
    network = tiny()
    other, fresh = network.with_num_joints(5)
    assert heatmap_of(other(noise(1, 32, 32, 3)), 1).shape[-1] == 5
    # What takes the heatmaps in begins anew, too; its bias does not depend on the joints.
    assert {path.split("/")[0] for path in fresh} == {
        "keypoints_heatmap_0",
        "keypoints_heatmap_1",
        "carry_heatmap_0",
    }


def test_the_smallest_input():
    network = tiny()
    assert (network.stride, network.size_divisor) == (4, 8)
    network.check_input_size((8, 16))
    assert heatmap_of(network(noise(1, 8, 8, 3)), 1).shape == (1, 2, 2, 3)
    with pytest.raises(ValueError, match="multiples of 8 .* not 12x8"):
        network.check_input_size((12, 8))
    assert tiny(input_size=(16, 24)).input.shape == (None, 16, 24, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_joints": 0}, "num_joints must be at least 1, not 0"),
        ({"stem": (64,)}, "stem must have at least two widths"),
        ({"merge_channels": 0}, "merge_channels must be at least 1, not 0"),
        ({"num_blocks": (1,)}, "same length"),
        ({"block": "basic"}, "block must be a pre-activation block, .*, not 'basic'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LegacyStackedHourglass(**{"num_joints": 3, **TINY, **arguments})
