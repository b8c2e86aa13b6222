"""Results as CSV and data frames."""

import csv
import io
import sys

import numpy as np
import pytest
from result_cases import detections, no_detections, no_poses, poses

POSE_COLUMNS = [
    *("path", "score", "box_score", "x1", "y1", "x2", "y2"),
    *("shoulder_x", "shoulder_y", "shoulder_score", "elbow_x", "elbow_y", "elbow_score"),
    *("wrist_x", "wrist_y", "wrist_score"),
]


def test_detections_as_csv():
    assert detections().to_csv() == (
        "path,name,label,score,x1,y1,x2,y2\n"
        "pictures/street.jpg,dog,1,0.9,1.5,2.0,11.25,22.0\n"
        "pictures/street.jpg,cat,0,0.5,0.0,0.0,5.0,5.0\n"
        "pictures/street.jpg,dog,1,0.12346,30.0,30.0,40.0,40.0\n"
    )
    assert no_detections().to_csv() == "path,name,label,score,x1,y1,x2,y2\n"
    assert detections(path=None)[:1].to_csv().splitlines()[1] == ",dog,1,0.9,1.5,2.0,11.25,22.0"


def test_poses_as_csv():
    header, first, _ = poses().to_csv().splitlines()
    assert header == ",".join(POSE_COLUMNS)
    assert first == (
        "pictures/street.jpg,0.72,0.9,6.0,5.0,30.0,45.0,6.0,10.0,1.0,12.0,20.0,0.5,30.0,45.0,0.9"
    )
    assert no_poses().to_csv().splitlines() == [header]


def test_csv_is_read_back_and_quotes_commas(tmp_path):
    found = detections(path='a,"b".jpg')
    text = found.to_csv(tmp_path / "found.csv")
    assert (tmp_path / "found.csv").read_text() == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["path"] for row in rows] == ['a,"b".jpg'] * 3
    boxes = np.array([[float(row[side]) for side in ("x1", "y1", "x2", "y2")] for row in rows])
    np.testing.assert_allclose(boxes, found.boxes, atol=5e-4)
    np.testing.assert_allclose([float(row["score"]) for row in rows], found.scores, atol=5e-6)


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = detections().to_dataframe()
    assert list(frame.columns) == ["path", "name", "label", "score", "x1", "y1", "x2", "y2"]
    assert frame["name"].tolist() == ["dog", "cat", "dog"] and frame["score"].tolist() == [0.9, 0.5, 0.12346]
    assert frame.groupby("name")["score"].max().to_dict() == {"cat": 0.5, "dog": 0.9}
    people = poses().to_dataframe()
    assert list(people.columns) == POSE_COLUMNS and people["wrist_x"].tolist() == [30, 61]
    together = pandas.concat([no_detections().to_dataframe(), frame])
    assert together["label"].dtype == frame["label"].dtype and len(together) == 3
    assert list(no_poses().to_dataframe().columns) == POSE_COLUMNS


def test_a_missing_pandas_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    message = r"to_dataframe needs pandas. Type: pip install 'keras_cornernet\[pandas\]'"
    for found in (detections(), poses()):
        with pytest.raises(ImportError, match=message):
            found.to_dataframe()
