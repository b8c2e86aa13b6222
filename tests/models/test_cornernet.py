"""CornerNet as a Keras model."""

import keras
import numpy as np
import pytest

from keras_cornernet.models import CornerNet

TINY = {
    "channels": (16, 24, 24),
    "num_blocks": (1, 1, 2),
    "stem": (8, 16),
    "pool_channels": 8,
    "head_channels": 12,
}


@pytest.fixture(scope="module")
def network():
    return CornerNet(3, stacks=2, **TINY)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (2, 63, 95, 3)).astype(np.float32)


@pytest.mark.parametrize("stacks", [1, 2])
def test_outputs_are_a_list_over_stacks(stacks, images):
    outputs = CornerNet(3, stacks=stacks, **TINY)(images)
    assert isinstance(outputs, list) and len(outputs) == stacks
    for stack in outputs:
        assert set(stack) == {"top_left", "bottom_right"}
        for heads in stack.values():
            shapes = {name: tuple(value.shape) for name, value in heads.items()}
            assert shapes == {
                "heatmap": (2, 16, 24, 3),
                "embedding": (2, 16, 24, 1),
                "offset": (2, 16, 24, 2),
            }


def test_is_a_functional_model(network):
    assert isinstance(network, keras.src.models.Functional)
    assert network.get_layer("hourglass_1").order == 2


def test_heatmaps_start_at_a_tenth():
    outputs = CornerNet(3, stacks=1, **TINY)(np.zeros((1, 63, 63, 3), np.float32))
    probability = keras.ops.sigmoid(outputs[0]["top_left"]["heatmap"])
    assert abs(float(keras.ops.mean(probability)) - 0.1) < 0.08


def test_saved_file_gives_the_same_outputs_and_keeps_its_task(network, images, tmp_path):
    network.metadata = {"categories": {"names": ["a", "b", "c"], "ids": [1, 5, 9]}}
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert loaded.metadata == network.metadata
    assert loaded.arguments == network.arguments
    for ours, theirs in zip(
        keras.tree.flatten(network(images)), keras.tree.flatten(loaded(images)), strict=True
    ):
        assert np.array_equal(np.array(ours), np.array(theirs))


def test_other_class_count_keeps_the_body(network, images):
    other, fresh = network.with_num_classes(7)
    assert len(fresh) == 2 * 2 * 2 and all("_heatmap_" in path and "/last/" in path for path in fresh)
    assert other(images)[1]["bottom_right"]["heatmap"].shape[-1] == 7
    ours, theirs = network(images)[1]["top_left"], other(images)[1]["top_left"]
    assert np.array_equal(np.array(ours["offset"]), np.array(theirs["offset"]))


def test_input_sizes_that_cannot_be_halved_are_told():
    paper = {"channels": (8, 8, 8), "num_blocks": (1, 1, 1), "head_channels": 4, "pool_channels": 4}
    network = CornerNet(2, stacks=1, stem=(4, 8), **paper)
    assert network.size_divisor == 16
    for size in ((64, 96), (63, 95), (61, 93)):  # the stem rounds up
        network.check_input_size(size)
        network(np.zeros((1, *size, 3)))
    for size in ((60, 96), (64, 97)):
        with pytest.raises(ValueError, match=f"multiples of 16 .or one less., not {size[0]}x{size[1]}"):
            network.check_input_size(size)


def test_three_stem_widths_give_a_grid_of_an_eighth():
    network = CornerNet(1, stacks=1, **{**TINY, "stem": (4, 8, 16)})
    assert tuple(network(np.zeros((1, 64, 96, 3)))[0]["top_left"]["offset"].shape) == (1, 8, 12, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes must be at least 1, not 0"),
        ({"num_classes": 2.5}, "num_classes must be a whole number, not 2.5"),
        ({"num_classes": True}, "num_classes must be a whole number, not True"),
        ({"channels": (16, 0, 24)}, r"channels\[1\] must be at least 1, not 0"),
        ({"channels": 16}, "channels must be a sequence of numbers, not 16"),
        ({"block": "dense"}, "block must be one of .*, not 'dense'"),
        ({"upsampling": "bilinear"}, "upsampling must be one of .*, not 'bilinear'"),
        ({"embedding_cells": float("nan")}, "embedding_cells must be finite and above 0, not nan"),
        ({"std": (1.0, 0.0, 1.0)}, r"std\[1\] must be above 0, not 0.0"),
        ({"mean": (0.5, 0.5)}, "mean must be a sequence of 3 numbers"),
        ({"input_size": (64,)}, r"input_size must be \(height, width\), .*, not \(64,\)"),
        ({"input_size": (64, 64.0)}, r"input_size must be \(height, width\), .*, not \(64, 64.0\)"),
        ({"input_size": (65, 33)}, "input_size must have sides that are multiples of 16 .*, not 65x33"),
        ({"stacks": 0}, "stacks must be at least 1"),
        ({"stem": (8, 12)}, r"stem must have at least two widths and end with channels\[0\] = 16"),
        ({"num_blocks": (1, 1)}, "channels and num_blocks must have the same length"),
        (
            {"input_size": (56, 56)},
            "input_size must have sides that are multiples of 16 .or one less., not 56x56",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        CornerNet(**{"num_classes": 2, "stacks": 1, **TINY, **arguments})


def test_an_unknown_setting_is_named():
    with pytest.raises(TypeError, match="unexpected keyword argument 'chanels'"):
        CornerNet(2, chanels=(8, 8))


def test_lists_are_taken_for_tuples():
    """A config read from json equals the one it was written from."""
    network = CornerNet(
        2, stacks=1, **{key: list(v) if isinstance(v, tuple) else v for key, v in TINY.items()}
    )
    assert network.config == CornerNet(2, stacks=1, **TINY).config
    assert network.arguments["channels"] == (16, 24, 24)


def test_maps_can_be_doubled_by_transposed_convolutions(images, tmp_path):
    network = CornerNet(2, stacks=1, upsampling="transposed", **TINY)
    assert {f"hourglass_0/double_{k}/kernel" for k in (0, 1)} < {w.path for w in network.weights}
    assert tuple(network(images)[0]["top_left"]["heatmap"].shape) == (2, 16, 24, 2)
    network.save(tmp_path / "network.keras")
    assert keras.saving.load_model(tmp_path / "network.keras").config == network.config
