"""The commands `evaluate` and `predict` on an exported pose network."""

import json

import numpy as np
import pytest
from command_line import data, run
from exportable import SIZES, with_statistics
from PIL import Image

from keras_cornernet import export, save_model
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.evaluate import evaluate_files
from keras_cornernet.cli.export import CALIBRATED, _images
from keras_cornernet.codecs import CornerCodec, KeypointCodec
from keras_cornernet.data.readers import read_coco_people
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig
from keras_cornernet.models import CornerNet, StackedHourglass
from keras_cornernet.preprocessing import person_view, read_image
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Categories

pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def poser():
    network = with_statistics(StackedHourglass(14, **{**SIZES, "stem": (4, 4)}, stem_kernel_size=3))
    return PoseEstimator(network, KeypointCodec(), LSP, PoseInferenceConfig(input_size=(32, 32), flip=False))


@pytest.fixture(scope="module")
def models(poser, tmp_path_factory):
    """One pose network as a `.keras` file and as a `.tflite` file."""
    folder = tmp_path_factory.mktemp("models")
    return save_model(poser, folder / "p.keras"), export.to_tflite(poser, folder / "p.tflite").path


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return make_scenes(tmp_path_factory.mktemp("scenes"), 3, seed=3, size=(64, 96)).parent


def test_an_exported_pose_network_is_evaluated_as_its_model(models, scenes, tmp_path):
    sets = DataSets(annotations=scenes / "annotations.json", images=scenes / "images")
    theirs, ours = (evaluate_files(str(model), sets) for model in models)
    ours_found, theirs_found = ours.predictions, theirs.predictions
    assert len(ours_found.keypoints) == len(theirs_found.keypoints) > 2
    np.testing.assert_allclose(ours_found.keypoints, theirs_found.keypoints, atol=0.05)
    np.testing.assert_allclose(ours_found.keypoint_scores, theirs_found.keypoint_scores, atol=1e-4)
    answer = run("evaluate", models[1], *data(scenes), "--json", tmp_path / "m.json")
    assert answer.exit_code == 0, answer.output
    assert json.loads((tmp_path / "m.json").read_text()) == ours.metrics
    answer = run("evaluate", models[1], *data(scenes), "--flip")
    assert answer.exit_code == 2
    assert "flip cannot be changed in an exported model" in answer.stderr


def test_annotated_people_are_what_the_network_sees(poser, scenes):
    files = scenes / "annotations.json", scenes / "images"
    dataset = read_coco_people(*files)
    people = dataset.people
    shown = _images(poser, files[1], dataset)
    assert [image.shape for image in shown] == [(32, 32, 3)] * len(people)
    first = person_view(people[0].center, people[0].side, (32, 32)).apply(read_image(people[0].path))
    np.testing.assert_array_equal(shown[0], first)


def test_images_for_ranges_are_spread_over_all(poser, tmp_path):
    count = 2 * CALIBRATED - 1
    for number in range(count):
        Image.fromarray(np.full((1, 1), number % 256, np.uint8)).save(tmp_path / f"{number:03}.png")
    shown = _images(poser, tmp_path, None)
    assert len(shown) == CALIBRATED
    assert (shown[0][0, 0, 0], shown[-1][0, 0, 0]) == (0, (count - 1) % 256)


@pytest.mark.slow
def test_an_exported_pose_network_poses_everyone_whom_a_detector_finds(models, scenes, tmp_path):
    sizes = {"channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8), "pool_channels": 4, "head_channels": 8}
    network = with_statistics(CornerNet(1, stacks=1, head_kernel_size=1, **sizes))
    codec = CornerCodec(1, top_k=10, num_detections=20, embedding_threshold=10.0)
    settings = InferenceConfig(input_size=(32, 32), flip=False, max_detections=3)
    detector = Detector(network, codec, Categories(("person",), (1,)), settings)
    finder = save_model(detector, tmp_path / "finder.keras")
    found = []
    for model in models:
        options = ("--detector", finder, "--min-score", 0, "--output", tmp_path / "out", "--json")
        answer = run("predict", model, scenes / "images", *options)
        assert answer.exit_code == 0, answer.output
        people = json.loads((tmp_path / "out" / "predictions.json").read_text())
        found.append([person["keypoints"] for person in people])
    assert len(found[0]) > 3
    np.testing.assert_allclose(found[1], found[0], atol=0.05)
