"""Data sets written as COCO files read as they were."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_cornernet import read_coco
from keras_cornernet.data.readers import read_coco_people
from keras_cornernet.data.readers.squares import square_around
from keras_cornernet.data.writers import coco_of_boxes, coco_of_people
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Person, PoseDataset, Sample


@pytest.fixture
def images(tmp_path):
    for name in ("a.png", "more/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (60, 40)).save(tmp_path / name)
    return tmp_path


def test_boxes(images):
    boxes = Boxes(
        np.array([[1.25, 2, 30, 20.5], [0, 0, 60, 40]], np.float32),
        np.array([1, 0], np.int32),
        np.array([False, True]),
        np.array([300.5, 2400]),
    )
    samples = (
        Sample(str(images / "a.png"), 7, (40, 60), boxes),
        Sample(str(images / "more/b.png"), 9, None, Boxes.empty()),
    )
    dataset = DetectionDataset(samples, Categories(("cat", "dog"), (3, 8)))
    content = coco_of_boxes(dataset, images)
    assert content["images"][1] == {"id": 9, "file_name": "more/b.png", "width": 60, "height": 40}
    (images / "labels.json").write_text(json.dumps(content))
    read = read_coco(images / "labels.json", images, strict=True)
    assert read.categories == dataset.categories
    assert read.samples[0] == samples[0]
    assert read.samples[1].boxes.xyxy.shape == (0, 4)
    with pytest.raises(ValueError, match="root: .*a.png does not lie in .*more"):
        coco_of_boxes(dataset, images / "more")


@pytest.mark.parametrize("with_box", [True, False])
def test_people(images, with_box):
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(5, 35, (14, 2)).round(2).astype(np.float32)
    visibility = np.array([0, 1] + 12 * [2], np.int32)
    keypoints[0] = 0
    box = np.array([3, 4, 40, 37.5], np.float32) if with_box else None
    center, side = square_around(*((box[:2], box[2:]) if with_box else ([2, 5], [38, 29])))
    person = Person(str(images / "more/b.png"), 5, center, side, keypoints, visibility, box)
    (images / "labels.json").write_text(json.dumps(coco_of_people(PoseDataset((person,), LSP), images)))
    read = read_coco_people(images / "labels.json", images, strict=True)
    (again,) = read.people
    assert read.skeleton.joints == LSP.joints and again.path == person.path
    np.testing.assert_allclose(again.center, center, atol=0.01)
    assert again.side == pytest.approx(side, abs=0.02)
    np.testing.assert_allclose(again.keypoints, keypoints, atol=0.006)
    np.testing.assert_array_equal(again.visibility, visibility)


def test_people_keep_their_categories(images):
    points, seen = np.full((14, 2), 9.0, np.float32), np.full(14, 2, np.int32)
    first = Person(str(images / "a.png"), 5, np.array([10, 10]), 12.0, points, seen, category="dog")
    people = (first, first.replace(category="cat"), first)
    (images / "labels.json").write_text(json.dumps(coco_of_people(PoseDataset(people, LSP), images)))
    read = read_coco_people(images / "labels.json", images, strict=True)
    assert [person.category for person in read.people] == ["dog", "cat", "dog"]
