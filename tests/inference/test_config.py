"""Settings are checked where they are made, and where they meet a network."""

import math

import numpy as np
import pytest

from keras_cornernet.codecs import CornerCodec, KeypointCodec
from keras_cornernet.inference import (
    Detector,
    InferenceConfig,
    PoseEstimator,
    PoseInferenceConfig,
    SaccadeConfig,
)
from keras_cornernet.models import CornerNet, StackedHourglass
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Categories

TINY = {"stacks": 1, "channels": (8, 8, 8), "num_blocks": (1, 1, 1), "stem": (4, 8)}  # sides: multiples of 16


@pytest.mark.parametrize("config", [InferenceConfig, SaccadeConfig])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("method", ["exp", None, 2]),
        ("sigma", [0, -1, math.nan, math.inf, "0.5", None, True]),
        ("iou_threshold", [-0.1, 1.1, math.nan, None]),
        ("merge_exponent", [0, -6, math.nan, math.inf]),
        ("max_detections", [0, -1, 2.5, None]),
        ("border", [-1, math.nan, math.inf]),
        ("flip", ["no", None]),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(config, name, values):
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} must be .*{value!r}"):
            config(**{name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("input_size", [(0, 32), (32,), 32, (32.5, 32), "64", (32, 32, 3), (True, True)]),
        ("size_divisor", [0, 1.5, None]),
        ("scales", [(), (1.0, 0.0), (1.0, math.inf), (math.nan,), 1.0, "1"]),
    ],
)
def test_sizes_and_scales_of_whole_images(name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name}(\[\d\])? must"):
            InferenceConfig(**{name: value})


def test_a_fitted_image_has_one_scale():
    with pytest.raises(ValueError, match="scales need input_size=None"):
        InferenceConfig(input_size=(64, 64), scales=(0.5, 1.0))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("input_size", [(255, 191), (0, 0), None]),
        ("first_sizes", [(), (0.0,), (math.inf,), 192]),
        ("thresholds", [(1.5,), (math.nan,), 0.3]),
        ("zooms", [((1.0, 2.0),), ((1.0, 2.0, 0.0),), (), ((1.0, 2.0, math.inf),)]),
        ("max_crops", [0, 1.5]),
        ("crop_batch", [0, None]),
        ("first_score", [-0.1, 2, math.nan]),
        ("box_score", [-0.1, 2, math.nan]),
        ("nms_distance", [-1, math.inf, math.nan]),
    ],
)
def test_settings_of_crops(name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name}(\[\d\])*( and thresholds)? must"):
            SaccadeConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("input_size", [None, (256,), (0, 256)]),
        ("padding", [0, -1, math.nan, math.inf]),
        ("min_score", [-0.1, 1.5, math.nan]),
        ("label", ["", None, 3, (), ("dog", 3)]),
    ],
)
def test_settings_of_poses(name, values):
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} must be"):
            PoseInferenceConfig(**{name: value})


def test_numbers_of_numpy_are_numbers():
    config = InferenceConfig(sigma=np.float32(0.5), input_size=(np.int64(64), 64), max_detections=np.int32(7))
    assert config.input_size == (64, 64)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"input_size": (65, 32)}, "input_size must have sides that are multiples of 16 .*, not 65x32"),
        ({"input_size": (40, 64)}, "input_size must have sides that are multiples of 16 .*, not 40x64"),
        ({"size_divisor": 24}, "size_divisor must be a multiple of 16 for this network, not 24"),
    ],
)
def test_a_detector_names_what_its_network_cannot_take(settings, words):
    network = CornerNet(2, **TINY, pool_channels=4, head_channels=8)
    categories = Categories(("cat", "dog"), (3, 8))
    detector = Detector(network, CornerCodec(2), categories, InferenceConfig(input_size=(31, 48)))
    with pytest.raises(ValueError, match=words):
        Detector(network, CornerCodec(2), categories, InferenceConfig(**settings))
    with pytest.raises(ValueError, match=words):
        detector.with_settings(**{"input_size": None, **settings})


def test_a_pose_estimator_names_what_its_network_cannot_take():
    network = StackedHourglass(14, **TINY)
    with pytest.raises(ValueError, match="input_size must have sides that are multiples of"):
        PoseEstimator(network, KeypointCodec(), LSP, PoseInferenceConfig((100, 64)))
