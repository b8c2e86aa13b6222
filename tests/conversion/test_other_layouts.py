"""One network under the names of other repositories, and another on the same body. Needs no parity."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from agreement import images_of, largest_difference, named_heads, tiny_state

from keras_cornernet.conversion import convert_state
from keras_cornernet.models import CornerNet, ObjectsAsPoints

FIXTURE = np.load(Path(__file__).parents[1] / "fixtures" / "cornernet_tiny.npz")
# What princeton-vl/CornerNet calls it, and what mmdetection does.
MMDETECTION = {
    r"^pre\.0\.": "backbone.stem.0.",
    r"^pre\.1\.": "backbone.stem.1.0.",
    r"^kps\.": "backbone.hourglass_modules.",
    r"^inters\.": "backbone.inters.",
    r"^inters_\.(\d)\.0\.": r"backbone.conv1x1s.\1.conv.",
    r"^inters_\.(\d)\.1\.": r"backbone.conv1x1s.\1.bn.",
    r"^cnvs\.": "backbone.out_convs.",
    r"^cnvs_\.(\d)\.0\.": r"backbone.remap_convs.\1.conv.",
    r"^cnvs_\.(\d)\.1\.": r"backbone.remap_convs.\1.bn.",
    r"^(tl|br)_cnvs\.(\d)\.": r"bbox_head.\1_pool.\2.",
    r"_pool\.(\d)\.p([12])_conv1\.": r"_pool.\1.direction\2_conv.",
    r"_pool\.(\d)\.p_conv1\.": r"_pool.\1.aftpool_conv.conv.",
    r"_pool\.(\d)\.p_bn1\.": r"_pool.\1.aftpool_conv.bn.",
    r"_pool\.(\d)\.conv1\.": r"_pool.\1.conv1.conv.",
    r"_pool\.(\d)\.bn1\.": r"_pool.\1.conv1.bn.",
    r"^(tl|br)_heats\.(\d)\.": r"bbox_head.\1_heat.\2.",
    r"^(tl|br)_tags\.(\d)\.": r"bbox_head.\1_emb.\2.",
    r"^(tl|br)_regrs\.(\d)\.": r"bbox_head.\1_off.\2.",
    r"(_heat|_emb|_off)\.(\d)\.1\.": r"\1.\2.1.conv.",
    r"\.skip\.": ".downsample.",
}
BODY = ("pre.", "kps.", "cnvs.", "cnvs_.", "inters.", "inters_.")
POINT_HEADS = {"hm": 7, "wh": 2, "reg": 2}


def as_mmdetection(name):
    for theirs, ours in MMDETECTION.items():
        name = re.sub(theirs, ours, name)
    return name


@pytest.fixture
def state():
    return tiny_state(FIXTURE)


@pytest.fixture
def points(state):
    """The body under the heads of "Objects as Points"."""
    state = {name: value for name, value in state.items() if name.startswith(BODY)}
    for stack in range(2):
        for head, channels in POINT_HEADS.items():
            state[f"{head}.{stack}.0.conv.weight"] = np.zeros((6, 3, 3, 3), np.float32)
            state[f"{head}.{stack}.0.conv.bias"] = np.zeros(6, np.float32)
            state[f"{head}.{stack}.1.weight"] = np.zeros((channels, 6, 1, 1), np.float32)
            state[f"{head}.{stack}.1.bias"] = np.zeros(channels, np.float32)
    return state


def test_mmdetection_reads_rgb_with_constants_of_its_own(state):
    state = {as_mmdetection(name): value for name, value in state.items()}
    state["data_preprocessor.mean"] = np.zeros((3, 1, 1), np.float32)
    network, report = convert_state(state)
    assert report.layout == "open-mmlab/mmdetection"
    assert type(network) is CornerNet
    assert report.missing == ()
    assert [name for name in report.unused if not name.endswith("num_batches_tracked")] == [
        "data_preprocessor.mean"
    ]
    mean, std = (np.array(network.arguments[name]) for name in ("mean", "std"))
    np.testing.assert_allclose(255 * mean, (123.675, 116.28, 103.53))
    np.testing.assert_allclose(255 * std, (58.395, 57.12, 57.375))
    # `images_of` turns BGR into RGB for networks whose stem was turned; this one's was not.
    x = images_of(FIXTURE["x"][..., ::-1], network)
    heads = named_heads(network(x, training=False))
    assert len(heads) == 12
    assert largest_difference(heads, FIXTURE) < 1e-5


def test_the_features_under_the_points_are_those_under_the_corners(points, state):
    network, report = convert_state(points)
    assert report.layout == "xingyizhou/CenterNet"
    assert type(network) is ObjectsAsPoints
    assert network.arguments["num_classes"] == 7
    assert network.arguments["head_channels"] == 6
    assert report.missing == ()
    assert all(name.endswith("num_batches_tracked") for name in report.unused)
    whole, _ = convert_state(state)
    images = images_of(FIXTURE["x"], network)
    ours, theirs = (
        [
            keras.ops.convert_to_numpy(maps)
            for maps in keras.Model(n.input, [n.get_layer(f"features_{i}").output for i in range(2)])(images)
        ]
        for n in (network, whole)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_points_for_other_classes(points):
    network, report = convert_state(points, num_classes=2, categories=["cat", "dog"])
    assert network.arguments["num_classes"] == 2
    assert network.metadata["categories"]["names"] == ["cat", "dog"]
    fresh = {f"center_heatmap_{i}/last/{weight}" for i in range(2) for weight in ("kernel", "bias")}
    assert set(report.missing) == fresh


def test_a_missing_weight_is_named(points):
    del points["kps.0.up1.0.conv1.weight"]
    with pytest.raises(ValueError, match=r"xingyizhou/CenterNet.: 1 missing: kps\.0\.up1\.0\.conv1\.weight"):
        convert_state(points)
