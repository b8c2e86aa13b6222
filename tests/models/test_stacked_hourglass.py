"""Stacked Hourglass: sizes, the flow between stacks, saving."""

import keras
import numpy as np
import pytest

from keras_cornernet.models import StackedHourglass

TINY = {"stacks": 2, "channels": (8, 8, 8), "num_blocks": (1, 1, 1), "stem": (4, 8, 8)}
KINDS = {"bottleneck": {}, "separable": {"stem_kernel_size": 3}, "basic": {"stem": (4,)}}


def tiny(block, **changes):
    return StackedHourglass(3, block=block, **{**TINY, **KINDS[block], **changes})


def parameters(network):
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"stacks": 1}, 3_426_448),
        ({"stacks": 2}, 6_570_400),
        ({"stacks": 1, "stem": (64, 128, 256)}, 3_586_960),
        ({"stacks": 2, "channels": (128,) * 5}, 1_744_544),
        ({"stacks": 1, "num_blocks": (2,) * 5}, 6_429_840),
    ],
)
def test_parameter_counts(arguments, expected):
    with keras.StatelessScope(initialize_variables=False):
        assert parameters(StackedHourglass(**arguments)) == expected
    keras.utils.clear_session()


@pytest.mark.parametrize("block", KINDS)
def test_one_heatmap_a_joint_and_stack(block):
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 48, 3)).astype(np.float32)
    outputs = tiny(block)(images)
    assert [list(stack) for stack in outputs] == [["keypoints"]] * 2
    for stack in outputs:
        assert tuple(stack["keypoints"]["heatmap"].shape) == (2, 8, 12, 3)
    (single,) = tiny(block, stacks=1)(images)
    assert tuple(single["keypoints"]["heatmap"].shape) == (2, 8, 12, 3)


def test_heatmaps_reach_the_next_stack():
    network = tiny("bottleneck")
    images = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)

    def last():
        return keras.ops.convert_to_numpy(network(images)[-1]["keypoints"]["heatmap"])

    before = last()
    head = network.get_layer("keypoints_heatmap_0")
    head.bias.assign(head.bias + 1.0)
    carried = network.get_layer("carry_heatmap_0")
    assert np.abs(last() - before).max() > 1e-3
    carried.kernel.assign(carried.kernel * 0)
    carried.bias.assign(carried.bias * 0)
    with_nothing = last()
    head.bias.assign(head.bias + 1.0)
    np.testing.assert_array_equal(last(), with_nothing)


@pytest.mark.parametrize("block", ["bottleneck", "basic"])
def test_maps_can_be_doubled_by_transposed_convolutions(block):
    network = tiny(block, upsampling="transposed", stacks=1)
    assert {f"hourglass_0/double_{k}/bias" for k in (0, 1)} < {w.path for w in network.weights}
    images = np.zeros((1, 32, 32, 3), np.float32)
    assert tuple(network(images)[0]["keypoints"]["heatmap"].shape) == (1, 8, 8, 3)


@pytest.mark.parametrize("block", KINDS)
def test_saved_file_gives_the_same_heatmaps(block, tmp_path):
    network = tiny(block)
    images = np.random.default_rng(1).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    network.save(tmp_path / "pose.keras")
    again = keras.saving.load_model(tmp_path / "pose.keras")
    assert again.arguments == network.arguments
    for ours, theirs in zip(network(images), again(images), strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(ours["keypoints"]["heatmap"]),
            keras.ops.convert_to_numpy(theirs["keypoints"]["heatmap"]),
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"block": "fancy"}, "block must be one of .*'fancy'"),
        ({"num_joints": 0}, "num_joints must be at least 1"),
        ({"stacks": 0}, "stacks must be at least 1"),
        ({"stem_kernel_size": 0}, "stem_kernel_size must be at least 1"),
        ({"input_size": (36, 32)}, "input_size must have sides that are multiples of 16 .*, not 36x32"),
        ({"stem": (64,)}, "stem must have at least two widths"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackedHourglass(**{"num_joints": 3, **TINY, **arguments})


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TFLite is made of TensorFlow graphs")
def test_the_network_for_phones_needs_no_more_than_tflite_has():
    import tensorflow as tf

    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter

    sizes = {"channels": (64,) * 4, "num_blocks": (1,) * 4, "stem": (16, 32, 32), "input_size": (128, 128)}
    network = StackedHourglass(block="separable", stacks=2, **sizes)
    images = np.random.default_rng(0).uniform(0, 255, (1, 128, 128, 3)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, 128, 128, 3))], autograph=False)
    def last_heatmaps(images):
        return network(images, training=False)[-1]["keypoints"]["heatmap"]

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [last_heatmaps.get_concrete_function()], network
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    names = {operation["op_name"] for operation in interpreter._get_ops_details()}
    assert "DEPTHWISE_CONV_2D" in names
    assert not any(word in name.upper() for name in names for word in ("FLEX", "CUSTOM")), names
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert found.shape == (1, 32, 32, 16)
    np.testing.assert_allclose(found, last_heatmaps(images).numpy(), rtol=0, atol=1e-5)  # seen: 2e-7
