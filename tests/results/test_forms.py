"""Results in the forms of other programs."""

import contextlib
import importlib
import io
import json
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from result_cases import detections, no_detections, no_poses, poses


def test_detections_as_coco():
    rows = detections().to_coco(image_id=42)
    assert rows[0] == {"image_id": 42, "category_id": 90, "bbox": [1.5, 2, 9.75, 20], "score": 0.9}
    assert rows[1]["category_id"] == 17
    assert rows[2]["bbox"] == [30, 30, 10, 10] and rows[2]["score"] == 0.12346
    assert json.loads(json.dumps(rows)) == rows
    assert no_detections().to_coco(1) == []


def test_poses_as_coco():
    rows = poses().to_coco(image_id=7)
    keypoints = [6, 10, 1, 12, 20, 0.5, 30, 45, 0.9]
    assert rows[0] == {"image_id": 7, "category_id": 1, "keypoints": keypoints, "score": 0.72}
    assert poses().to_coco(7, category_id=3)[1]["category_id"] == 3
    assert json.loads(json.dumps(rows)) == rows
    assert no_poses().to_coco(1) == []


def test_coco_rows_are_read_by_cocos_own_tools():
    coco = pytest.importorskip("pycocotools.coco").COCO
    for found in (detections(), poses()):
        truth = coco()
        truth.dataset = {"images": [{"id": 4}], "annotations": [], "categories": [{"id": 1}, {"id": 17}]}
        truth.createIndex()
        with contextlib.redirect_stdout(io.StringIO()):
            loaded = truth.loadRes(found.to_coco(4))
        scores = [annotation["score"] for annotation in loaded.loadAnns(loaded.getAnnIds())]
        np.testing.assert_allclose(scores, found.scores, atol=5e-6)


def test_detections_as_json():
    rows = json.loads(detections().to_json())
    assert rows[0] == {"name": "dog", "label": 1, "score": 0.9, "box": [1.5, 2, 11.25, 22]}
    assert [row["name"] for row in rows] == detections().names
    assert json.loads(no_detections().to_json()) == []


def test_poses_as_json():
    rows = json.loads(poses().to_json())
    assert rows[0] == {
        "score": 0.72,
        "box": [6, 5, 30, 45],
        "keypoints": {"shoulder": [6, 10, 1], "elbow": [12, 20, 0.5], "wrist": [30, 45, 0.9]},
    }
    assert len(rows) == 2 and json.loads(no_poses().to_json()) == []


def test_detections_as_yolo():
    assert detections().to_yolo().splitlines()[:2] == [
        "1 0.10625 0.24 0.1625 0.4",
        "0 0.0416667 0.05 0.0833333 0.1",
    ]
    assert detections().to_yolo(scores=True).splitlines()[1] == "0 0.0416667 0.05 0.0833333 0.1 0.5"
    assert no_detections().to_yolo() == ""


def test_yolo_lines_give_the_boxes_back():
    found = detections(image=None)
    height, width = 480, 640
    rows = np.loadtxt(io.StringIO(found.to_yolo((height, width))))
    center, size = rows[:, 1:3] * (width, height), rows[:, 3:] * (width, height)
    np.testing.assert_array_equal(rows[:, 0], found.labels)
    np.testing.assert_allclose(np.hstack([center - size / 2, center + size / 2]), found.boxes, atol=1e-3)


def test_yolo_boxes_end_at_the_image():
    found = detections(boxes=[[-30, 10, 30, 20]], scores=[1], labels=[0])
    assert found.to_yolo() == "0 0.25 0.3 0.5 0.2\n"


def test_poses_as_yolo():
    first, second = poses().to_yolo().splitlines()
    assert first == "0 0.3 0.5 0.4 0.8 0.1 0.2 2 0.2 0.4 2 0.5 0.9 2"
    # The box ends at the image; the elbow has a low score and the wrist is outside the image.
    assert second == "0 0.75 0.25 0.5 0.5 0.666667 0.1 2 0 0 0 0 0 0"
    scored = poses().to_yolo(scores=True, min_keypoint_score=0.6).splitlines()[0]
    assert scored == "0 0.3 0.5 0.4 0.8 0.1 0.2 1 0 0 0 0.5 0.9 0.9 0.72"
    assert no_poses().to_yolo() == ""


@pytest.mark.parametrize("found", [detections(image=None), poses(image=None)])
def test_yolo_needs_the_size_of_the_image(found):
    with pytest.raises(ValueError, match=r"image_size: expected \(height, width\), got None"):
        found.to_yolo()
    assert found.to_yolo((50, 60))


@pytest.fixture(params=["stub", "installed"] if find_spec("supervision") else ["stub"])
def supervision(request, monkeypatch):
    """The real package where it is installed, and a stand-in with the fields that it has."""
    if request.param == "installed":
        return importlib.import_module("supervision")

    class KeyPoints(SimpleNamespace):
        keypoint_confidence = None

    stub = SimpleNamespace(Detections=SimpleNamespace, KeyPoints=KeyPoints)
    monkeypatch.setitem(sys.modules, "supervision", stub)
    return stub


def test_detections_as_supervision(supervision):
    found = detections().to_supervision()
    assert isinstance(found, supervision.Detections)
    np.testing.assert_array_equal(found.xyxy, detections().boxes)
    np.testing.assert_array_equal(found.confidence, detections().scores)
    assert found.class_id.tolist() == [1, 0, 1] and found.data["class_name"].tolist() == ["dog", "cat", "dog"]
    found.xyxy[0, 0] = 0  # the arrays are its own
    assert no_detections().to_supervision().xyxy.shape == (0, 4)


def test_poses_as_supervision(supervision):
    found = poses().to_supervision()
    assert isinstance(found, supervision.KeyPoints)
    np.testing.assert_array_equal(found.xy, poses().keypoints)
    name = "keypoint_confidence" if hasattr(found, "keypoint_confidence") else "confidence"  # before 0.28
    np.testing.assert_array_equal(getattr(found, name), poses().keypoint_scores)
    assert found.class_id.tolist() == [0, 0]
    assert no_poses().to_supervision().xy.shape == (0, 3, 2)


def test_older_supervision_has_another_name_for_the_joints_scores(monkeypatch):
    older = SimpleNamespace(KeyPoints=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "supervision", older)
    np.testing.assert_array_equal(poses().to_supervision().confidence, poses().keypoint_scores)


def test_a_missing_supervision_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    for found in (detections(), poses()):
        with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[supervision\]'"):
            found.to_supervision()
