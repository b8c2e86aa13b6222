"""What detections can turn into."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.results import Detections
from keras_cornernet.structures import Boxes, Categories

CATEGORIES = Categories(("cat", "dog"), (17, 90))


def detections(image=True):
    return Detections(
        boxes=np.array([[1.5, 2, 11.25, 22], [0, 0, 5, 5], [30, 30, 40, 39.9996]], np.float32),
        scores=np.array([0.9, 0.5, 0.123456], np.float32),
        labels=np.array([1, 0, 1], np.int32),
        categories=CATEGORIES,
        image=np.full((50, 60, 3), 200, np.uint8) if image else None,
    )


def nothing():
    none = np.zeros(0, np.float32)
    return Detections(np.zeros((0, 4), np.float32), none, none.astype(np.int32), CATEGORIES)


def test_coco_rows_have_the_data_sets_ids_and_widths():
    rows = detections().to_coco(image_id=42)
    assert rows[0] == {"image_id": 42, "category_id": 90, "bbox": [1.5, 2, 9.75, 20], "score": 0.9}
    assert rows[1]["category_id"] == 17
    assert rows[2]["bbox"] == [30, 30, 10, 10] and rows[2]["score"] == 0.12346
    assert json.loads(json.dumps(rows)) == rows
    assert nothing().to_coco(1) == []


def test_json_has_names_and_corners():
    rows = json.loads(detections().to_json())
    assert rows[0] == {"name": "dog", "label": 1, "score": 0.9, "box": [1.5, 2, 11.25, 22]}
    assert [row["name"] for row in rows] == detections().names == ["dog", "cat", "dog"]
    assert json.loads(nothing().to_json()) == []


def test_above_keeps_scores_from_the_threshold_on():
    kept = detections().with_min_score(0.5)
    assert kept.names == ["dog", "cat"] and kept.boxes.shape == (2, 4) and len(kept.scores) == 2
    assert not len(detections().with_min_score(0.95).boxes)


def test_lines_have_no_area():
    found = detections()
    found.boxes[1, 2] = found.boxes[1, 0]
    assert found.non_empty().names == ["dog", "dog"]


def test_plot_draws_the_boxes_above_the_score_and_leaves_the_image_alone():
    found = detections()
    before = found.image.copy()
    few, all_of_them = (np.asarray(found.plot(score)) for score in (0.3, 0.0))
    assert few.shape == (50, 60, 3)
    assert (few != before).any() and (all_of_them[28:42, 28:42] != few[28:42, 28:42]).any()
    np.testing.assert_array_equal(few[25:, 25:], before[25:, 25:])
    np.testing.assert_array_equal(found.image, before)
    np.testing.assert_array_equal(np.asarray(nothing().replace(image=before).plot()), before)


def test_plot_without_an_image_is_refused():
    with pytest.raises(ValueError, match="needs the image"):
        detections(image=False).plot()


def test_save_writes_the_picture(tmp_path):
    path = detections().save(tmp_path / "new" / "found.png", score=0.0)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(detections().plot(0.0)))
    assert [p.name for p in path.parent.iterdir()] == ["found.png"]
    with pytest.raises(ValueError):
        detections().save(tmp_path / "found.docx")
    assert not (tmp_path / "found.docx").exists()


def test_no_boxes_have_the_right_shapes():
    boxes = Boxes.empty()
    assert boxes.xyxy.shape == (0, 4) and boxes.labels.dtype == np.int32 and boxes.ignore.dtype == bool
