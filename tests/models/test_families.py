"""The detectors beside CornerNet as Keras models."""

import keras
import numpy as np
import pytest

from keras_cornernet.models import (
    CenterNet,
    CentripetalNet,
    CornerNetSaccade,
    CornerNetSqueeze,
    ObjectsAsPoints,
)

# One width for all, since JAX compiles the initial weights of every new shape.
POINTS = {"stacks": 2, "input_size": (63, 95), "head_channels": 8}
TINY = {**POINTS, "pool_channels": 8}
SHALLOW = {"channels": (8, 8), "num_blocks": (1, 1), "stem": (8, 8)}
ARGUMENTS = {
    CornerNetSqueeze: {**TINY, **SHALLOW, "stem": (8, 8, 8)},
    CornerNetSaccade: {**TINY, "channels": (8,) * 4, "num_blocks": (1,) * 4, "stem": (8, 8)},
    CenterNet: {**TINY, **SHALLOW},
    CentripetalNet: {**TINY, **SHALLOW},
    ObjectsAsPoints: {**POINTS, **SHALLOW},
}


@pytest.fixture(scope="module")
def networks():
    return {family: family(3, **arguments) for family, arguments in ARGUMENTS.items()}


def shapes_of(network):
    return [
        {branch: {head: tuple(maps.shape[1:]) for head, maps in heads.items()} for branch, heads in s.items()}
        for s in network.output
    ]


def of_corners(height, width):
    grid = (height, width)
    heads = {"heatmap": (*grid, 3), "embedding": (*grid, 1), "offset": (*grid, 2)}
    return {"top_left": heads, "bottom_right": heads}


def test_squeeze_has_a_grid_of_an_eighth(networks):
    network = networks[CornerNetSqueeze]
    assert shapes_of(network) == [of_corners(8, 12)] * 2
    assert (network.stride, network.size_divisor) == (8, 16)
    assert network.get_layer("top_left_heatmap_0").hidden.kernel_size == 1


def test_saccade_also_tells_where_to_look_closer(networks):
    network = networks[CornerNetSaccade]
    attention = {"large": (4, 6, 1), "medium": (8, 12, 1), "small": (16, 24, 1)}
    assert shapes_of(network) == [{**of_corners(16, 24), "attention": attention}] * 2
    assert (network.stride, network.size_divisor) == (4, 32)
    # Each looks at a merged map of the hourglass: the biases of a fresh head say "a tenth".
    for size in attention:
        layer = network.get_layer(f"attention_{size}_1")
        np.testing.assert_allclose(keras.ops.convert_to_numpy(layer.last.bias), [-2.19], rtol=1e-6)


def test_centernet_has_centres_without_embedding(networks):
    network = networks[CenterNet]
    center = {"heatmap": (16, 24, 3), "offset": (16, 24, 2)}
    assert shapes_of(network) == [{**of_corners(16, 24), "center": center}] * 2
    assert network.get_layer("top_left_0").cascade and network.get_layer("bottom_right_1").cascade


@pytest.mark.parametrize("guiding", [True, False])
def test_corners_of_centripetalnet_have_shifts_and_no_embedding(guiding):
    network = CentripetalNet(3, **ARGUMENTS[CentripetalNet], guiding=guiding)
    heads = {"heatmap": (16, 24, 3), "offset": (16, 24, 2), "centripetal": (16, 24, 2)}
    if guiding:
        heads["guiding"] = (16, 24, 2)
    assert shapes_of(network) == [{"top_left": heads, "bottom_right": heads}] * 2


@pytest.mark.parametrize(("size_per_class", "sizes"), [(False, 2), (True, 6)])
def test_objects_as_points_have_a_size(size_per_class, sizes):
    network = ObjectsAsPoints(3, **ARGUMENTS[ObjectsAsPoints], size_per_class=size_per_class)
    center = {"heatmap": (16, 24, 3), "size": (16, 24, sizes), "offset": (16, 24, 2)}
    assert shapes_of(network) == [{"center": center}] * 2
    layers = {head: network.get_layer(f"center_{head}_1") for head in center}
    assert all(layer.hidden.kernel_size == 3 for layer in layers.values())
    biases = {head: keras.ops.convert_to_numpy(layer.last.bias)[0] for head, layer in layers.items()}
    assert biases == pytest.approx({"heatmap": -2.19, "size": 0.0, "offset": 0.0})


@pytest.mark.slow
@pytest.mark.parametrize("family", ARGUMENTS)
def test_a_saved_file_brings_back_every_weight(family, networks, tmp_path):
    network = networks[family]
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert type(loaded) is family
    assert loaded.arguments == network.arguments
    assert [w.path for w in loaded.weights] == [w.path for w in network.weights]
    for ours, theirs in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("family", "heatmaps"),
    [
        *((CornerNetSqueeze, 2), (CornerNetSaccade, 2), (CenterNet, 3)),
        *((CentripetalNet, 2), (ObjectsAsPoints, 1)),
    ],
)
def test_another_number_of_classes_keeps_the_body(family, heatmaps, networks):
    network = networks[family]
    other, fresh = network.with_num_classes(5)
    assert type(other) is family
    assert len(fresh) == 2 * 2 * heatmaps  # kernels and biases of two stacks
    assert all("_heatmap_" in path and "/last/" in path for path in fresh)
    assert all(branch["heatmap"][-1] == 5 for branch in shapes_of(other)[1].values() if "heatmap" in branch)
    body = {w.path: keras.ops.convert_to_numpy(w) for w in network.weights if w.path not in fresh}
    for weight in other.weights:
        if weight.path in body:
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), body[weight.path])


def test_embeddings_can_start_from_their_place():
    network = CenterNet(3, **{**ARGUMENTS[CenterNet], "embedding_cells": 2.0, "stacks": 1})
    images = np.random.default_rng(0).uniform(0, 255, (1, 63, 95, 3)).astype(np.float32)
    (outputs,) = network(images)
    assert [outputs[corner]["embedding"].shape[-1] for corner in ("top_left", "bottom_right")] == [2, 2]
    assert set(outputs["center"]) == {"heatmap", "offset"}


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="channels must have 4 widths, .*'large', 'medium', 'small'"):
        CornerNetSaccade(2, **{**ARGUMENTS[CenterNet]})
    with pytest.raises(ValueError, match="filters of block='fire' must be even, not 9"):
        CornerNetSqueeze(2, **{**ARGUMENTS[CornerNetSqueeze], "channels": (8, 9)})
    with pytest.raises(ValueError, match=r"end with channels\[0\] = 8, not \(4, 6\)"):
        CenterNet(2, **{**ARGUMENTS[CenterNet], "stem": (4, 6)})
    with pytest.raises(ValueError, match="pool_channels must be at least 1, not 0"):
        CenterNet(2, **{**ARGUMENTS[CenterNet], "pool_channels": 0})
