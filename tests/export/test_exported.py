"""Exported files as models: opened, refused, compared."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from exportable import CATEGORIES, estimator, picture

from keras_cornernet import export
from keras_cornernet.export import exported
from keras_cornernet.export.comparison import compare
from keras_cornernet.export.description import Description
from keras_cornernet.results import Detections

FIXTURES = Path(__file__).parents[1] / "fixtures" / "before"


class Fixed:
    """A runtime that always answers alike."""

    def __init__(self, answers, **description):
        self.answers = answers
        kept = {"task": "detection", "names": CATEGORIES.names, "ids": CATEGORIES.ids, "skeleton": ""}
        kept |= {"limbs": (), "flip_pairs": (), "image_size": None, **description}
        self.description = Description(**kept)

    def run(self, images):
        return {name: np.asarray(value)[None] for name, value in self.answers.items()}


class Finds:
    """A model that always finds the same boxes."""

    def __init__(self, boxes, scores, labels):
        self.parts = np.array(boxes, np.float32), np.array(scores, np.float32), np.array(labels)

    def predict(self, image, *, min_score, flip):
        return [Detections(*self.parts, CATEGORIES, image)]


def boxes_in_a_file(boxes, scores, **description):
    count, labels = len(boxes), [0] * len(boxes)
    answers = {"boxes": boxes, "scores": scores, "labels": labels, "num_detections": count}
    return exported.ExportedDetector(Fixed(answers, **description))


def test_padding_is_left_out_and_boxes_come_back_to_the_image():
    answers = {
        "boxes": np.array([[10, 10, 30, 20], [0, 0, 0, 0]], np.float32),
        "scores": np.array([0.9, 0.0], np.float32),
        "labels": np.array([1, -1]),
        "num_detections": np.int32(1),
    }
    model = exported.ExportedDetector(Fixed(answers, image_size=(20, 40)))
    found = model.predict(np.zeros((40, 40, 3), np.uint8))[0]  # shown at half its size, 10 from the left
    np.testing.assert_allclose(found.boxes, [[0, 20, 40, 40]])
    assert found.names == ["dog"]


@pytest.mark.parametrize("size", [None, (20, 40)])
def test_answers_gone_astray_are_left_out(size):
    nan, inf = np.nan, np.inf
    boxes = [
        [nan, 1, 5, 5],
        [0, 0, inf, 5],
        [9, 9, 5, 5],
        [1, 1, 5, 5],
        [2, 2, 8, 8],
        [0, 0, 9, 9],
        [1, 1, 1, 1],
    ]
    answers = {
        "boxes": np.array(boxes, np.float32),
        "scores": np.array([0.9, 0.9, 0.9, nan, 0.8, inf, 0.7], np.float32),
        "labels": np.array([0, 0, 0, 0, 1, 1, 5]),
        "num_detections": np.float32(7),
    }
    found = exported.ExportedDetector(Fixed(answers, image_size=size)).predict(
        np.zeros((40, 40, 3), np.uint8)
    )[0]
    assert len(found) == 1 and found.scores[0] == np.float32(0.8)
    for count in (nan, -3, 1e9):
        astray = Fixed({**answers, "num_detections": np.float32(count)}, image_size=size)
        assert len(exported.ExportedDetector(astray).predict(np.zeros((40, 40, 3), np.uint8))[0]) <= 1


@pytest.mark.parametrize(("point", "score"), [([np.nan, 3], 0.9), ([3, np.inf], 0.9), ([3, 3], np.nan)])
def test_joints_gone_astray_have_no_score(point, score):
    answers = {"keypoints": np.array([point], np.float32), "scores": np.array([score], np.float32)}
    model = exported.ExportedPoseEstimator(
        Fixed(answers, task="pose", names=("nose",), ids=(), image_size=(20, 40))
    )
    (found,) = model.predict(np.zeros((40, 40, 3), np.uint8))
    assert found.keypoint_scores.tolist() == [[0]] and np.isfinite(found.keypoints).all()


def test_joints_come_back_too():
    answers = {"keypoints": np.array([[10.0, 0.0]]), "scores": np.array([0.5])}
    model = exported.ExportedPoseEstimator(
        Fixed(answers, task="pose", names=("nose",), ids=(), image_size=(20, 40))
    )
    found = model.predict(np.zeros((40, 40, 3), np.uint8))[0]
    np.testing.assert_allclose(found.keypoints, [[[0, 0]]])
    np.testing.assert_array_equal(found.boxes, [[0, 0, 40, 40]])


def test_what_was_said_at_export_cannot_be_changed():
    model = boxes_in_a_file([], [])
    with pytest.raises(ValueError, match="flip cannot be changed in an exported model"):
        model.with_settings(flip=True)
    with pytest.raises(ValueError, match="flip, input_size cannot be changed"):
        pose_in_a_file().with_settings(min_score=0.5, input_size=(8, 8), flip=True)


class Brightest:
    """A runtime that answers with the brightest pixel of each image as the one joint."""

    def __init__(self, image_size, input_size=None):
        shared = {"image_size": image_size, "input_size": input_size, "padding": 2.0}
        self.description = Description("pose", ("nose",), (), "face", (), (), **shared)
        self.shapes = []

    def run(self, images):
        self.shapes.append(images.shape)
        places = images.sum(axis=-1).reshape(len(images), -1).argmax(axis=1)
        points = np.stack([places % images.shape[2], places // images.shape[2]], axis=-1) + 0.5
        return {"keypoints": points[:, None], "scores": np.ones((len(images), 1))}


def pose_in_a_file(image_size=(20, 20), input_size=None):
    return exported.ExportedPoseEstimator(Brightest(image_size, input_size))


@pytest.mark.parametrize(("fixed", "shapes"), [(True, [(1, 20, 20, 3)] * 2), (False, [(2, 20, 20, 3)])])
def test_everyone_in_a_box_is_cropped_and_comes_back(fixed, shapes):
    model = pose_in_a_file() if fixed else pose_in_a_file(None, (20, 20))
    image = np.zeros((40, 60, 3), np.uint8)
    image[12, 15] = image[30, 51] = 255
    # Squares of twice the longer side, that is of the input's: shown pixel by pixel.
    boxes = np.array([[12, 10, 20, 20], [45, 26, 55, 34]], np.float32)
    found = model.predict(image, [boxes])[0]
    np.testing.assert_allclose(found.keypoints, [[[15.5, 12.5]], [[51.5, 30.5]]], atol=0.01)
    np.testing.assert_array_equal(found.boxes, boxes)
    assert model.runtime.shapes == shapes


def test_an_exported_pose_network_knows_whose_joints_it_reads():
    described = exported.describe(estimator(label=("cat", "dog"))).to_json()
    runtime = Brightest((20, 20), None)
    runtime.description = Description.from_json(described)._replace(image_size=(20, 20))
    assert exported.ExportedPoseEstimator(runtime).settings.labels == ("cat", "dog")
    with pytest.raises(ValueError, match="label must be a list of names"):
        Description.from_json(described.replace('"cat"', "3"))


def test_an_exported_detector_finds_whom_to_pose():
    model = pose_in_a_file().with_settings(label="dog", min_score=0.4)
    answers = {"boxes": [[0, 0, 10, 10]] * 3, "scores": [0.9, 0.9, 0.3], "labels": [0, 1, 0]}
    model.detector = exported.ExportedDetector(Fixed({**answers, "num_detections": 3}))
    found = model.predict(picture(30, 30), "detect")[0]
    assert (len(found.keypoints), found.box_scores.tolist()) == (1, [pytest.approx(0.9)])


@pytest.mark.parametrize(
    ("boxes", "scores", "fraction", "sound"),
    [
        ([[0, 0, 50, 50]], [0.9], 1.0, True),
        ([[0, 0, 50.4, 50]], [0.905], 1.0, True),
        ([[0, 0, 51, 50]], [0.9], 0.0, False),
        ([[0, 0, 50, 50]], [0.8], 0.0, False),
        ([[0, 0, 50, 50], [60, 60, 70, 70]], [0.9, 0.5], 2 / 3, False),  # one too many
        ([], [], 0.0, False),
    ],
)
def test_boxes_are_compared_both_ways(boxes, scores, fraction, sound):
    model = Finds([[0, 0, 50, 50], [0, 0, 9, 9]], [0.9, 0.1], [0, 0])
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    result = compare(model, boxes_in_a_file(boxes, np.array(scores, np.float32)), [picture(80, 100)])
    assert (result.fraction, result.sound) == (pytest.approx(fraction), sound)


def test_what_is_unsure_of_everything_is_compared_too():
    model = Finds([[0, 0, 50, 50], [0, 0, 9, 9]], [0.1, 0.04], [0, 0])
    for side, sound in ((50, True), (60, False)):
        box = np.array([[0, 0, side, 50]], np.float32)
        result = compare(model, boxes_in_a_file(box, np.array([0.1], np.float32)), [picture(80, 100)])
        assert (result.compared, result.sound) == (2, sound)


def test_a_comparison_of_nothing_is_not_sound():
    model, nothing = Finds(np.zeros((0, 4)), [], []), np.zeros(0, np.float32)
    result = compare(model, boxes_in_a_file(nothing.reshape(0, 4), nothing), [picture(80, 100)])
    assert (result.compared, result.fraction, result.sound) == (0, 0.0, False)


def test_nothing_to_compare_on_is_told():
    with pytest.raises(ValueError, match="at least one image"):
        compare(None, None, [])


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx", "model.xml"])
def test_a_file_of_something_else_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"something else, long enough")
    with pytest.raises((ValueError, ImportError), match=r"model\.|model needs"):
        export.load(path)


def test_missing_files_and_other_folders_are_named(tmp_path):
    for path in (tmp_path / "none.tflite", tmp_path, tmp_path / "x.bin"):
        with pytest.raises(ValueError, match="no such file|assets/description.json is missing"):
            export.load(path)
    (tmp_path / "x.bin").touch()
    with pytest.raises(ValueError, match=r"a file of \.tflite, \.onnx, \.xml"):
        export.load(tmp_path / "x.bin")
    assert not export.is_exported(tmp_path)


def test_a_missing_runtime_is_told_with_the_line_to_type(tmp_path, monkeypatch):
    for module in ("ai_edge_litert", "ai_edge_litert.interpreter", "onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, module, None)
    for name, package, extra in [
        ("a.tflite", "a TensorFlow Lite model needs ai-edge-litert", "tflite"),
        ("a.onnx", "an ONNX model needs onnxruntime", "onnx"),
        ("a.xml", "an OpenVINO model needs openvino", "openvino"),
    ]:
        (tmp_path / name).touch()
        with pytest.raises(ImportError, match=rf"{package}. Type: pip install 'keras_cornernet\[{extra}\]'"):
            export.load(tmp_path / name)


def test_every_name_of_the_room_is_there():
    assert all(callable(getattr(export, name)) or name == "PRECISIONS" for name in export.__all__)
    with pytest.raises(AttributeError, match="no attribute 'to_coreml'"):
        export.to_coreml  # noqa: B018


@pytest.mark.parametrize("name", ["detector.tflite", "pose.onnx"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_named_in_one_line(tmp_path, name, share):
    runtime = {".tflite": "ai_edge_litert.interpreter", ".onnx": "onnxruntime"}[Path(name).suffix]
    pytest.importorskip(runtime)
    whole = (FIXTURES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*$") as caught:
        export.load(path).predict(picture(30, 30))
    assert "\n" not in str(caught.value)


def test_weights_that_are_missing_in_a_file_are_told_when_it_runs(tmp_path):
    pytest.importorskip("ai_edge_litert.interpreter")
    damaged = bytearray((FIXTURES / "detector.tflite").read_bytes())
    damaged[len(damaged) // 4 : len(damaged) // 2] = bytes(len(damaged) // 2 - len(damaged) // 4)
    path = tmp_path / "detector.tflite"
    path.write_bytes(damaged)
    try:
        export.load(path).predict(picture(30, 30))  # may answer, wrongly: nothing in the file tells
    except ValueError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


def test_a_damaged_saved_model_is_named(tmp_path):
    description = Fixed({}).description
    (tmp_path / "1" / "assets").mkdir(parents=True)
    (tmp_path / "1" / "assets" / "description.json").write_text(description.to_json())
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ValueError, match="1: cannot be opened, it seems to be damaged") as caught:
        export.load(tmp_path / "1")
    assert "\n" not in str(caught.value)
