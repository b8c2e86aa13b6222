"""Converted pose files open as estimators that answer as the authors' code does."""

from functools import cache

import keras
import numpy as np
import pytest

from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.conversion import convert
from keras_cornernet.conversion.metadata import pose_metadata
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.mirroring import unmirror
from keras_cornernet.ops.affine import invert, transform_points
from keras_cornernet.preprocessing import person_view
from keras_cornernet.presets import from_preset
from keras_cornernet.skeletons import COCO, FLIC, LSP, MPII


@pytest.fixture(scope="module")
def converted(parity, tmp_path_factory):
    """A function that gives the estimator of a parity folder's checkpoint, by way of a file."""

    @cache
    def estimator(name: str) -> PoseEstimator:
        pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")
        path = tmp_path_factory.mktemp(name) / "converted.keras"
        convert(parity(name, "checkpoint.pth") / "checkpoint.pth", path)
        return from_preset(path)

    return estimator


def to_numpy(maps):
    return keras.ops.convert_to_numpy(maps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "skeleton"),
    [("umich", "umich", MPII), ("bearpaw", "bearpaw", MPII), ("mmpose", "mmpose", COCO)],
)
def test_the_file_tells_how_to_test(name, codec, skeleton, converted):
    estimator = converted(f"hourglass_{name}")
    assert isinstance(estimator, PoseEstimator)
    assert estimator.codec == KeypointCodec.named(codec)
    assert estimator.skeleton == skeleton
    assert estimator.settings == PoseInferenceConfig((256, 256), flip=True, shift_mirrored=name == "mmpose")


class Jointed:
    """In place of a network."""

    def __init__(self, num_joints):
        self.arguments = {"num_joints": num_joints}


@pytest.mark.parametrize("skeleton", [MPII, COCO, LSP, FLIC], ids=lambda skeleton: skeleton.name)
def test_the_skeleton_is_the_one_with_so_many_joints(skeleton):
    assert pose_metadata(Jointed(len(skeleton.joints)), "umich")["skeleton"]["name"] == skeleton.name


def test_joints_of_an_unknown_number_have_no_names():
    assert "skeleton" not in pose_metadata(Jointed(21), "umich")


@pytest.mark.slow
def test_joints_of_pytorch_stacked_hourglass(parity, converted):
    """`test.py: inference` on one crop, step by step with our parts."""
    estimator = converted("hourglass_umich").with_settings(input_size=(64, 64))
    stored = np.load(parity("hourglass_umich") / "inference.npz")
    crop, size = stored["crop_rgb"], estimator.settings.input_size
    shown = person_view((32, 32), 64, size).apply(crop)
    np.testing.assert_array_equal(shown, crop)
    maps = to_numpy(estimator.heatmaps(shown[None].astype(np.float32)))
    outputs = [{"keypoints": {"heatmap": np.minimum(maps, 1)}}]  # the authors limit them
    found, scores = (to_numpy(part)[0] for part in estimator.codec.decode(outputs, size))
    # Scale 1 stands for 200 pixels of the image.
    image_from_input = invert(person_view(stored["center"], 200 * stored["scale"], size).input_from_image)
    points, expected = transform_points(image_from_input, found), stored["keypoints"][0]
    np.testing.assert_allclose(scores, expected[:, 2], rtol=0, atol=1e-5)  # seen: 1e-6
    np.testing.assert_allclose(points, expected[:, :2], rtol=0, atol=1.0)
    np.testing.assert_array_equal(np.trunc(points), expected[:, :2])  # they truncate
    # The way that images go, all in one; no map of these exceeds 1.
    whole, heights = (part[0] for part in estimator.read(crop, [(32, 32)], [64]))
    np.testing.assert_allclose(whole, found, rtol=0, atol=1e-3)
    np.testing.assert_allclose(heights, scores, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_mirrored_maps_of_pytorch_pose(parity, converted):
    folder, estimator = parity("hourglass_bearpaw"), converted("hourglass_bearpaw")
    stored, x = np.load(folder / "flip_test.npz"), np.load(folder / "forward.npz")["x"]
    back = to_numpy(unmirror(stored["flipped_output"], estimator.skeleton))
    np.testing.assert_array_equal(back, stored["flipped_back"])
    mean, std = (np.array(estimator.network.arguments[name], np.float64) for name in ("mean", "std"))
    images = ((x * std + mean) * 255).astype(np.float32)
    summed = 2 * to_numpy(estimator.heatmaps(images))  # they add where we average
    np.testing.assert_allclose(summed, stored["sum_score_map"], rtol=0, atol=1e-4)  # seen: 1e-5
