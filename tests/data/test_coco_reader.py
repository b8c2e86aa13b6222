import json
import math
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.readers import read_coco
from keras_cornernet.structures import Categories, Problem

BCCD = Path(__file__).parents[2] / ".." / "shared" / "data" / "bccd"


def coco(**changes):
    """Two images of 100 x 80 pixels and category ids with a gap, listed out of order."""
    content = {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 100, "height": 80},
            {"id": 3, "file_name": "b.jpg", "width": 100, "height": 80},
        ],
        "annotations": [
            {"id": 17, "image_id": 3, "category_id": 90, "bbox": [10, 20, 30, 40.5], "iscrowd": 0},
            {"id": 18, "image_id": 3, "category_id": 2, "bbox": [-5, 0, 20, 20], "iscrowd": 1},
        ],
        "categories": [{"id": 90, "name": "toothbrush"}, {"id": 2, "name": "bicycle"}],
    }
    return content | changes


@pytest.fixture
def read(tmp_path):
    """Writes a COCO json beside a folder with `a.jpg` and `b.jpg` and reads it."""
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(images / name)

    def run(content, **options):
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        path = tmp_path / "annotations.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_coco(path, images, **options)

    run.images, run.path = images, tmp_path / "annotations.json"
    return run


def test_what_is_read(read):
    dataset = read(coco())
    assert dataset.problems == ()
    assert dataset.categories == Categories(("bicycle", "toothbrush"), (2, 90))
    first, second = dataset.samples
    assert (first.image_id, second.image_id) == (7, 3)
    assert first.path == str(read.images / "a.jpg") and first.size == (80, 100)
    assert first.boxes.xyxy.shape == (0, 4)
    boxes = second.boxes
    np.testing.assert_array_equal(boxes.xyxy, np.array([[10, 20, 40, 60.5], [-5, 0, 15, 20]], np.float32))
    assert boxes.labels.tolist() == [1, 0] and boxes.ignore.tolist() == [False, True]
    assert (boxes.xyxy.dtype, boxes.labels.dtype, boxes.ignore.dtype) == (np.float32, np.int32, np.bool_)


def test_boxes_keep_their_order_when_images_are_mixed(read):
    annotations = [
        {"id": i, "image_id": (7, 3)[i % 2], "category_id": 2, "bbox": [i, 0, 5, 5]} for i in range(9)
    ]
    first, second = read(coco(annotations=annotations)).samples
    assert first.boxes.xyxy[:, 0].tolist() == [0, 2, 4, 6, 8]
    assert second.boxes.xyxy[:, 0].tolist() == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"bbox": [10, 20, -3, 40]}, "bbox has negative width -3"),
        ({"bbox": [10, 20, 30, -0.5]}, "bbox has negative height -0.5"),
        ({"bbox": [10, 20, 0, 40]}, "bbox has zero width"),
        ({"bbox": [10, 20, 30, 0]}, "bbox has zero height"),
        ({"bbox": [90, 20, 1e-9, 40]}, "bbox has zero width"),
        ({"bbox": [10, 20, math.nan, 40]}, "bbox [10, 20, nan, 40] is not four finite numbers"),
        ({"bbox": [10, 20, math.inf, 40]}, "bbox [10, 20, inf, 40] is not four finite numbers"),
        ({"bbox": [10, 20, 30]}, "bbox [10, 20, 30] is not four finite numbers"),
        ({"bbox": [10, 20, "30", 40]}, "bbox [10, 20, '30', 40] is not four finite numbers"),
        ({"bbox": [10, 20, 10**400, 40]}, "is not four finite numbers"),
        ({"bbox": None}, "bbox None is not four finite numbers"),
        ({"bbox": {"x": 1}}, "bbox {'x': 1} is not four finite numbers"),
        ({"category_id": 5}, "the category id 5 is not among the categories"),
        ({"category_id": [2]}, "the category id [2] is not among the categories"),
        ({"iscrowd": "0"}, "iscrowd '0' is neither 0 nor 1"),
        (
            {"bbox": [100, 20, 30, 40]},
            "bbox (corners 100, 20, 130, 60) lies entirely outside the image of width 100 and height 80",
        ),
        ({"bbox": [10, -40, 30, 40]}, "lies entirely outside the image of width 100 and height 80"),
    ],
)
def test_a_faulty_annotation_is_named_and_left_out(read, changes, fault):
    content = coco()
    content["annotations"][0] |= changes
    dataset = read(content)
    (problem,) = dataset.problems
    assert problem.path == str(read.path) and not problem.costs_image
    assert problem.where == "annotation id 17 (image 'b.jpg')" and problem.reason.endswith(fault)
    assert len(dataset.samples) == 2 and len(dataset.samples[1].boxes.labels) == 1
    with pytest.raises(ValueError, match="annotation id 17"):
        read(content, strict=True)


@pytest.mark.parametrize("image_id", [99, "99", "three", 3.5, None, [3]])
def test_an_unknown_image_id(read, image_id):
    content = coco()
    content["annotations"][0]["image_id"] = image_id
    (problem,) = read(content).problems
    where = "annotation id 17"
    assert problem == Problem(str(read.path), where, f"the image id {image_id!r} is not among the images")
    assert str(problem) == f"{read.path}: annotation id 17: the image id {image_id!r} is not among the images"


def test_an_annotation_without_id_is_named_by_its_place(read):
    content = coco()
    content["annotations"][1] = {"image_id": 3, "category_id": 2}
    (problem,) = read(content).problems
    assert problem.where == "annotations[1] (image 'b.jpg')" and problem.reason.startswith("bbox None")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"file_name": "missing.jpg"}, "image id 3 ('missing.jpg'): there is no such file in "),
        ({"file_name": "no/folder.jpg"}, "image id 3 ('no/folder.jpg'): there is no such file in "),
        ({"file_name": "../secret.jpg"}, "the path '..' leads outside its folder"),
        ({"file_name": "/etc/passwd"}, "the path '/etc' leads outside its folder"),
        ({"file_name": "link.jpg"}, "the path 'link.jpg' leads outside its folder"),
        ({"file_name": ".."}, "there is no such file in "),
        ({"file_name": "."}, "there is no such file in "),
        ({"file_name": "nul\0/a.jpg"}, "null"),
        ({"file_name": ""}, "the file name '' is not a text"),
        ({"file_name": 5}, "the file name 5 is not a text"),
        ({"id": "three"}, "images[1] ('b.jpg'): the id 'three' is not a whole number"),
        ({"id": 7}, "image id 7 ('b.jpg'): another image has the same id; the first one is kept"),
        ({"width": -5}, "image id 3 ('b.jpg'): the width -5 is not a whole number of at least 1"),
        ({"height": "80"}, "the height '80' is not a whole number of at least 1"),
        ({"height": None}, "the height None is not a whole number of at least 1"),
    ],
)
def test_a_faulty_image_is_named_and_left_out_with_its_boxes(read, changes, fault):
    secret = read.images.parent / "secret.jpg"
    Image.new("RGB", (100, 80)).save(secret)
    os.symlink(secret, read.images / "link.jpg")
    content = coco()
    content["images"][1] |= changes
    dataset = read(content)
    problem = dataset.problems[0]
    assert problem.path == str(read.path) and problem.costs_image
    assert fault in f"{problem.where}: {problem.reason}"
    assert [sample.image_id for sample in dataset.samples] == [7]
    with pytest.raises(ValueError, match=r"annotations\.json: image"):
        read(content, strict=True)


def test_a_faulty_image_is_one_fault_not_one_per_box(read):
    content = coco()
    content["images"][1]["file_name"] = "missing.jpg"
    assert len(read(content).problems) == 1


def test_images_in_subfolders_and_inner_links(read):
    (read.images / "sub").mkdir()
    Image.new("RGB", (100, 80)).save(read.images / "sub" / "c.jpg")
    os.symlink(read.images / "a.jpg", read.images / "inner.jpg")
    images = [
        {"id": 1, "file_name": "sub/c.jpg"},
        {"id": 2, "file_name": "sub/../a.jpg"},
        {"id": 3, "file_name": "inner.jpg"},
    ]
    dataset = read(coco(images=images, annotations=[]))
    assert dataset.problems == () and len(dataset.samples) == 3
    assert dataset.samples[0].path == str(read.images / "sub" / "c.jpg")


def test_without_stated_size_only_the_upper_left_can_be_outside(read):
    content = coco()
    del content["images"][1]["width"], content["images"][1]["height"]
    content["annotations"][0]["bbox"] = [5000, 20, 30, 40]
    content["annotations"][1]["bbox"] = [-50, 20, 30, 40]
    dataset = read(content)
    assert dataset.samples[1].size is None and len(dataset.samples[1].boxes.labels) == 1
    assert dataset.problems[0].reason.endswith("lies entirely outside the image")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], r"expected an object with the keys 'images', 'annotations', 'categories', got a list"),
        ({"images": [], "categories": []}, r"the key 'annotations' is missing; it has images, categories"),
        ({"annotations": [], "categories": []}, r"the key 'images' is missing"),
        ({"images": [], "annotations": []}, r"the key 'categories' is missing"),
        ({}, r"the key 'images' is missing; it has none"),
        (coco(images={"7": "a.jpg"}), r"'images' should be a list, got a dict"),
        (coco(annotations=[1]), r"annotations\[0\] should be an object, got a int"),
        (coco(categories=[{"id": 1}]), r"categories\[0\] needs a whole number 'id' and a text 'name'"),
        (coco(categories=[{"id": "one", "name": "x"}]), r"categories\[0\] needs a whole number 'id'"),
        (
            coco(categories=[{"id": 1, "name": "x"}] * 2),
            r"categories\[1\]: another category has the id 1, too",
        ),
        ('{"images": [\n  {"id": 1,', r"not json at line 2, column 1"),
        ("", r"not json at line 1, column 1"),
        (b"\xff\xd8\xff\xe0 not a text", r"not json"),
        ("[" * 200_000, r"not json"),
    ],
)
def test_a_file_that_is_not_coco_json(read, content, message):
    with pytest.raises(ValueError, match=r"annotations\.json: .*" + message):
        read(content)


def test_missing_file_and_missing_folder(read, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        read_coco(tmp_path / "nowhere.json", tmp_path)
    read(coco())
    with pytest.raises(NotADirectoryError, match=r"images: .*nowhere is not a folder"):
        read_coco(tmp_path / "annotations.json", tmp_path / "nowhere")


def test_empty_tables(read):
    assert read(coco(images=[], annotations=[])).samples == ()
    with pytest.raises(ValueError, match=r"annotations\.json: 'categories' is empty"):
        read({"images": [], "annotations": [], "categories": []})


@pytest.mark.parametrize("size", [(0, 0), (0, 80), (100, 0), (None, None)])
def test_a_size_of_0_is_an_unknown_size(read, size):
    content = coco()
    content["images"][1] |= {"width": size[0], "height": size[1]}
    dataset = read(content)
    assert dataset.problems == () and dataset.samples[1].size is None


def test_boxes_in_fractions_of_the_image_are_named_once_and_left_out(read):
    content = coco()
    for annotation in content["annotations"]:
        annotation["bbox"] = [0.125, 0.25, 0.5, 0.75]
    dataset = read(content)
    (problem,) = dataset.problems
    assert problem.where == "annotations" and "fractions of the image size" in problem.reason
    assert dataset.annotation_count == 0 and len(dataset) == 2
    content["annotations"][0]["bbox"] = [0.125, 0.25, 20, 20]
    assert read(content).problems == ()


def test_keypoints_that_cannot_be_read_cost_no_box(read):
    person = {"id": 2, "name": "person", "keypoints": ["nose", "eye"]}
    box = {"image_id": 3, "category_id": 2, "bbox": [0, 0, 9, 9]}
    wrong = ([1, 2, 2], [1, 2, 0.93, 0, 0, 0], [1, math.nan, 2, 0, 0, 0], "none")
    annotations = [box | {"id": i, "keypoints": values} for i, values in enumerate(wrong)]
    dataset = read(coco(categories=[person], annotations=annotations))
    assert dataset.problems == () and len(dataset.samples[1].boxes) == 4


def test_many_annotations_take_little_time(tmp_path):
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(2000)]
    for image in images:
        (tmp_path / image["file_name"]).touch()
    annotations = [
        {"id": i, "image_id": i % 2000, "category_id": 2, "bbox": [i % 600, 2.5, 30.25, 40], "iscrowd": 0}
        for i in range(50_000)
    ]
    path = tmp_path / "many.json"
    path.write_text(
        json.dumps(coco(images=images, annotations=annotations, categories=[{"id": 2, "name": "kite"}]))
    )
    start = time.process_time()
    dataset = read_coco(path, tmp_path)
    assert time.process_time() - start < 4
    assert sum(len(sample.boxes.labels) for sample in dataset.samples) == 50_000


@pytest.mark.skipif(not BCCD.is_dir(), reason="the BCCD data are not beside the repository")
@pytest.mark.parametrize(("split", "images", "boxes"), [("train", 205, 2804), ("val", 87, 1137)])
def test_bccd(split, images, boxes):
    dataset = read_coco(BCCD / f"instances_{split}.json", BCCD / split)
    assert dataset.problems == ()
    assert dataset.categories == Categories(("RBC", "WBC", "Platelets"), (1, 2, 3))
    assert len(dataset.samples) == images
    assert sum(len(sample.boxes.labels) for sample in dataset.samples) == boxes
    if split == "train":
        assert dataset.samples[0].boxes.xyxy[0].tolist() == [68, 315, 286, 480]
        assert dataset.samples[0].boxes.labels[0] == 1


@pytest.mark.parametrize("spelled", [str, float, "{}.0".format])
def test_ids_that_a_program_wrote_as_texts_or_floats(read, spelled):
    content, plain = coco(), read(coco())
    for entry in (*content["images"], *content["categories"]):
        entry["id"] = spelled(entry["id"])
    for entry in content["annotations"]:
        entry |= {key: spelled(entry[key]) for key in ("image_id", "category_id")}
    assert read(content) == plain


def boxed(tmp_path, boxes, size=(100, 200)):
    """A data set of one image with these boxes, as `bbox` has them."""
    height, width = size
    (tmp_path / "a.jpg").touch()
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": width, "height": height}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": 1, "bbox": box} for i, box in enumerate(boxes, start=1)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    return read_coco(tmp_path / "boxes.json", tmp_path)


CORNERS = [[10, 10, 60, 40], [120, 50, 190, 95], [90, 20, 150, 90], [5, 60, 80, 99]]


def test_boxes_that_are_corners_are_left_out_and_named(tmp_path):
    dataset = boxed(tmp_path, CORNERS)
    (problem,) = dataset.problems
    assert dataset.annotation_count == 0 and "seem to be x1, y1, x2, y2" in problem.reason
    assert "3 of 4 boxes leave their image" in problem.reason


@pytest.mark.parametrize(
    "boxes",
    [
        [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in CORNERS],
        [[10, 10, 191, 91], [1, 1, 198, 99], [30, 10, 50, 40]],  # beyond the image by a pixel
        [[10, 10, 60, 40], [120, 50, 190, 95], [90, 20, 20, 10]],  # one is no corner
    ],
)
def test_other_boxes_are_no_corners(tmp_path, boxes):
    assert boxed(tmp_path, boxes).annotation_count == len(boxes)


def test_most_boxes_in_fractions_are_left_out_and_the_others_kept(tmp_path):
    fractions = [[0.1, 0.2, 0.3, 0.3], [0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.95, 0.2]]
    dataset = boxed(tmp_path, [*fractions, [10, 10, 20, 20]])
    assert dataset.annotation_count == 1 and "3 of 4 boxes lie within" in dataset.problems[0].reason
    assert boxed(tmp_path, [[10, 10, 20, 20], [30, 10, 20, 20], fractions[0]]).annotation_count == 3
