"""Filling a network from a state dict, and refusing what does not fit. Needs neither PyTorch nor parity."""

from pathlib import Path

import numpy as np
import pytest
from agreement import images_of, largest_difference, named_heads, tiny_state

from keras_cornernet import structures
from keras_cornernet.coco_names import COCO_CLASSES
from keras_cornernet.conversion import convert, convert_state, infer_arguments, read_checkpoint
from keras_cornernet.conversion.converter import match_names
from keras_cornernet.conversion.corner_names import CORNERNET, CORNERNET_LITE
from keras_cornernet.conversion.name_maps import recognize
from keras_cornernet.models import CornerNet
from keras_cornernet.presets import from_preset

FIXTURE = np.load(Path(__file__).parents[1] / "fixtures" / "cornernet_tiny.npz")
ARGUMENTS = {
    "num_classes": 2,
    "stacks": 2,
    "channels": (3, 3, 4),
    "num_blocks": (1, 1, 2),
    "stem": (2, 3),
    "pool_channels": 2,
    "head_channels": 5,
    "head_kernel_size": 3,
}


@pytest.fixture
def state():
    return tiny_state(FIXTURE)


@pytest.fixture(scope="module")
def converted():
    return convert_state(tiny_state(FIXTURE))


def as_lite(state):
    """The state under the names of CornerNet-Lite."""
    return {CORNERNET_LITE.from_original(name): value for name, value in state.items()}


def test_heads_agree_with_pytorch(converted):
    # Made by `make_cornernet_tiny.py`, whose network reproduces the authors' heads.
    network, _ = converted
    heads = named_heads(network(images_of(FIXTURE["x"], network), training=False))
    assert len(heads) == 12
    assert largest_difference(heads, FIXTURE) < 1e-5  # seen: 1e-6


def test_the_report_says_what_was_read(converted):
    network, report = converted
    assert report.layout == "princeton-vl/CornerNet"
    assert report.arguments == ARGUMENTS
    assert report.parameters == sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    assert len(report.unused) == 68
    assert all(name.endswith("num_batches_tracked") for name in report.unused)
    assert report.missing == ()


def test_the_task_is_the_papers(converted):
    metadata = converted[0].metadata
    assert metadata["settings"]["input_size"] is None
    assert metadata["settings"]["size_divisor"] == 16  # a grid of a quarter, halved twice
    assert metadata["codec"]["num_detections"] == 1000
    assert "categories" not in metadata


def test_cornernet_lite_names_give_the_same_network(converted, state):
    network, _ = converted
    state = as_lite(state)
    again, report = convert_state(state)
    assert report.layout == "princeton-vl/CornerNet-Lite"
    for ours, theirs in zip(again.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not state  # one weight left as the next came: memory held two copies and not three


def test_files_without_counters_are_accepted(converted, state):
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    names = match_names(converted[0].weights, state, CORNERNET, ARGUMENTS)
    assert set(names.values()) == set(state)


def test_the_stem_reads_rgb_where_the_file_reads_bgr(converted, state):
    kernel = converted[0].get_layer("stem_conv").get_weights()[0]
    np.testing.assert_array_equal(kernel[:, :, 0, 1], state["pre.0.conv.weight"][1, 2])
    np.testing.assert_array_equal(kernel[:, :, 2, 0], state["pre.0.conv.weight"][0, 0])


@pytest.mark.parametrize("names_of", [dict, as_lite])
def test_what_does_not_fit_is_listed(names_of, converted, state):
    layout = recognize(names_of(state))
    state["tl_tags.1.0.conv.bias"] = np.zeros(6, np.float32)
    state["ct_heats.0.1.bias"] = np.zeros(2, np.float32)
    for i in range(3):
        del state[f"kps.1.low2.low3.0.{('conv1.weight', 'bn1.weight', 'skip.1.bias')[i]}"]
    with pytest.raises(ValueError, match="do not fit") as caught:
        match_names(converted[0].weights, names_of(state), layout, ARGUMENTS)
    said = str(caught.value)
    for part in (
        f"layout of {layout.name}",
        f"3 missing: {layout.from_original('kps.1.low2.low3.0.conv1.weight')}, ",
        "1 unexpected: ct_heats.0.1.bias",
        "1 of another shape: tl_tags.1.0.conv.bias (6,), not (5,)",
    ):
        assert part in said


def test_long_lists_are_cut(converted, state):
    state = {name: value for name, value in state.items() if not name.startswith("inters")}
    with pytest.raises(ValueError, match=r"15 missing: (\S+, ){5}\.\.\.$"):
        match_names(converted[0].weights, state, CORNERNET, ARGUMENTS)


def test_a_missing_name_that_tells_a_width_is_named(state):
    del state["kps.0.low2.up1.0.bn2.weight"]
    with pytest.raises(
        ValueError, match=r"princeton-vl/CornerNet, but missing: kps\.0\.low2\.up1\.0\.bn2\.weight"
    ):
        infer_arguments(state)
    state["kps.0.low2.up1.0.bn2.weight"] = np.zeros(())
    with pytest.raises(ValueError, match=r"kps\.0\.low2\.up1\.0\.bn2\.weight has the unexpected shape \(\)"):
        infer_arguments(state)


def test_an_unknown_layout_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"princeton-vl/CornerNet .*CornerNet-Lite .*layer1\.0\.conv1\.weight"
    ):
        recognize(["layer1.0.conv1.weight", "fc.bias"])


def test_another_number_of_classes_gives_fresh_heads(state):
    network, report = convert_state(state, num_classes=3, categories=["a", "b", "c"])
    assert network.arguments["num_classes"] == 3
    assert network.metadata["categories"] == {"names": ["a", "b", "c"], "ids": [1, 2, 3]}
    assert len(report.missing) == 2 * 2 * 2  # stacks, corners, kernel and bias
    assert all("_heatmap_" in path for path in report.missing)


def test_categories_must_match_the_classes(state):
    with pytest.raises(ValueError, match="categories has 3 names for 2 classes"):
        convert_state(state, categories=["a", "b", "c"])


def test_coco_has_80_classes():
    absent = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    assert list(COCO_CLASSES) == [i for i in range(1, 91) if i not in absent]
    assert len(set(COCO_CLASSES.values())) == 80
    assert (COCO_CLASSES[1], COCO_CLASSES[44], COCO_CLASSES[90]) == ("person", "bottle", "toothbrush")


class TestConvert:
    """From a file to a file."""

    @pytest.fixture
    def checkpoint(self, state, tmp_path):
        torch = pytest.importorskip("torch", reason="needs PyTorch")
        path = tmp_path / "checkpoint.pth"
        tensors = {f"module.{name}": torch.as_tensor(value) for name, value in state.items()}
        torch.save({"state_dict": tensors, "epoch": 3}, path)
        return path

    def test_the_file_opens_as_a_detector(self, checkpoint, converted, tmp_path):
        network, _ = converted
        categories = structures.Categories(("cat", "dog"), (17, 18))
        report = convert(checkpoint, tmp_path / "out.keras", categories=categories)
        assert report.arguments == ARGUMENTS
        assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pth", "out.keras"]
        detector = from_preset(tmp_path / "out.keras")
        assert detector.categories == categories
        assert detector.settings.size_divisor == 16
        found, expected = detector.network.get_weights(), network.get_weights()
        assert all((a == b).all() for a, b in zip(found, expected, strict=True))

    def test_faults_name_the_file_and_leave_nothing_behind(self, checkpoint, tmp_path):
        torch = pytest.importorskip("torch")
        state = {name: torch.as_tensor(value) for name, value in read_checkpoint(checkpoint).items()}
        del state["br_regrs.0.1.bias"]
        torch.save(state, checkpoint)
        with pytest.raises(ValueError, match=r"checkpoint\.pth: .*1 missing: br_regrs\.0\.1\.bias$"):
            convert(checkpoint, tmp_path / "out.keras")
        assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pth"]

    def test_the_output_must_be_a_keras_file(self, tmp_path):
        with pytest.raises(ValueError, match=r"ends in \.keras, not .*out\.h5"):
            convert(tmp_path / "absent.pth", tmp_path / "out.h5")


class TestBeforeBuilding:
    """What a file cannot fit is refused before the network that it asks for is built."""

    @pytest.fixture(autouse=True)
    def nothing_is_built(self, monkeypatch):
        monkeypatch.setattr(CornerNet, "__init__", lambda *_, **__: pytest.fail("the network is built"))

    @pytest.mark.parametrize("count", [50, 2000])
    def test_stray_names(self, state, count):
        state |= {f"kps.{i}.x": np.ones(1) for i in range(2, count)}
        with pytest.raises(ValueError, match=r"unexpected: kps\.2\.x|stacks must be at most 64, not 2000"):
            convert_state(state)

    def test_stacks_of_which_little_is_there(self, state):
        state |= {f"kps.{i}.up1.0.conv1.weight": np.ones(1) for i in range(2, 64)}
        state |= {f"kps.0.low2.up1.{i}.conv1.weight": np.ones(1) for i in range(60)}
        with pytest.raises(ValueError, match="network has at least .* weights of .* and the file holds"):
            convert_state(state)

    def test_widths_that_a_single_weight_states(self, state):
        state["kps.0.low2.up1.0.bn2.weight"] = np.ones(16_000)
        with pytest.raises(ValueError, match=r"network has at least .* and the file holds"):
            convert_state(state)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "pre.0.conv.weight",
            np.nan,
            r"pre\.0\.conv\.weight: the weight stem_conv/conv/kernel holds",
        ),
        ("pre.0.bn.running_var", np.inf, "moving_variance holds numbers that are not finite"),
        ("pre.0.bn.running_var", -1.0, "moving_variance is a variance and holds numbers below 0"),
    ],
)
def test_a_weight_that_is_not_finite_is_named(state, name, value, words):
    state[name] = np.full_like(state[name], value)
    with pytest.raises(ValueError, match=words):
        convert_state(state)
