"""Data that is damaged at random: read, or refused by an `OSError` or `ValueError` that names the file.

Each test can fail: an unchecked field, or a library's own error that is passed on, ends it.
"""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import damaged_bytes, damaged_json, examples, only_clear_errors
from PIL import Image

from keras_cornernet import preprocessing
from keras_cornernet.data.archives import unpacked
from keras_cornernet.data.readers import READERS, read_annotations
from keras_cornernet.data.readers.folders import read_dataset
from keras_cornernet.evaluation import evaluate_coco_files
from keras_cornernet.inference.given_boxes import read_boxes
from keras_cornernet.preprocessing import ImageReader, read_image, read_image_size

NAMES = ("a.png", "b.png")
KEYPOINTS = [v for i in range(17) for v in (10 + i, 12 + 2 * i, 2)]
COCO = {
    "images": [{"id": i, "file_name": name, "height": 80, "width": 100} for i, name in enumerate(NAMES)],
    "annotations": [
        {"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 12, 30, 40], "area": 1200, "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [1, 2, 30.5, 40], "difficult": "1"},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog", "supercategory": "animal"}],
}
PEOPLE = {
    **COCO,
    "annotations": [{**COCO["annotations"][0], "keypoints": KEYPOINTS, "num_keypoints": 17}],
    "categories": [
        {"id": 1, "name": "person", "keypoints": [f"k{i}" for i in range(17)], "skeleton": [[1, 2]]}
    ],
}
HRNET = [
    {
        "image": name,
        "center": [40, 40],
        "scale": 0.3,
        "joints": [[10 + i, 20 + i] for i in range(16)],
        "joints_vis": [1] * 16,
    }
    for name in NAMES
]
PYTORCH_POSE = [
    {
        "img_paths": name,
        "objpos": [40, 40],
        "scale_provided": 0.3,
        "joint_self": [[10 + i, 20 + i, 1] for i in range(16)],
        "isValidation": 0,
        "annolist_index": i,
    }
    for i, name in enumerate(NAMES)
]
BOX = {"label": "cat", "coordinates": {"x": 30, "y": 30, "width": 20, "height": 10}}
CREATEML = [{"image": name, "annotations": [BOX]} for name in NAMES]
VALUE = {"x": 10, "y": 10, "width": 30, "height": 20, "rotation": 0, "rectanglelabels": ["cat"]}
SHAPE = {"original_width": 100, "original_height": 80, "type": "rectanglelabels", "value": VALUE}
LABEL_STUDIO = [{"data": {"image": name}, "annotations": [{"result": [SHAPE]}]} for name in NAMES]
JSON = {
    "coco": ("detection", "coco", COCO),
    "coco people": ("pose", "coco", PEOPLE),
    "people as boxes": ("detection", "coco", PEOPLE),
    "hrnet": ("pose", "mpii", HRNET),
    "pytorch-pose": ("pose", "mpii", PYTORCH_POSE),
    "createml": ("detection", "createml", CREATEML),
    "label-studio": ("detection", "label-studio", LABEL_STUDIO),
}
XML = (
    "<annotation><filename>a.png</filename><size><width>100</width><height>80</height></size><object><name>cat"
    "</name><difficult>0</difficult><bndbox><xmin>10</xmin><ymin>12</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"
    "</object></annotation>"
)
CSV = "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,100,80,cat,10,12,40,60\nb.png,9,8,dog,1,2,3,4\n"
LINES = b"0 0.5 0.5 0.2 0.3\n1 0.1 0.1 0.1 0.1\n"
YAML = "path: .\ntrain: images\nval: images\nnames:\n  0: cat\n  1: dog\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the two images."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    for name in NAMES:
        Image.fromarray(np.arange(80 * 100 * 3, dtype=np.uint8).reshape(80, 100, 3)).save(
            folder / "images" / name
        )
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("KERAS_CORNERNET_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def check(dataset):
    """What was read is fit for use."""
    for sample in getattr(dataset, "samples", ()):
        assert np.isfinite(sample.boxes.xyxy).all() and (sample.boxes.labels >= 0).all()
    for person in getattr(dataset, "people", ()):
        assert np.isfinite(person.keypoints).all() and np.isfinite(person.center).all() and person.side > 0
    for problem in dataset.problems:
        assert "\n" not in str(problem) and len(str(problem)) < 2000


@pytest.mark.parametrize("kind", JSON)
@examples(50)
@given(data=st.data())
def test_json_annotations(folder, kind, data):
    task, form, content = JSON[kind]
    path = folder / "labels.json"
    path.write_text(json.dumps(data.draw(damaged_json(content))))
    with only_clear_errors(path):
        check(read_annotations(READERS[task], path, folder / "images", form, part="train"))


TEXTS = {
    "csv": ("labels.csv", CSV),
    "yolo": ("data.yaml", YAML),
    "voc": ("xml/a.xml", XML),
    "coco": ("a.json", COCO),
}


@pytest.mark.parametrize("form", TEXTS)
@examples(50)
@given(data=st.data())
def test_annotations_of_damaged_bytes(folder, form, data):
    name, content = TEXTS[form]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(data.draw(damaged_bytes(text.encode())))
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "labels" / "a.txt").write_bytes(
        data.draw(damaged_bytes(b"0 0.5 0.5 0.2 0.3\n1 0.1 0.1 0.1 0.1\n"))
    )
    source = path.parent if form == "voc" else path
    with only_clear_errors(source):
        check(read_annotations(READERS["detection"], source, folder / "images", form, part="train"))


def table():
    return {
        "imgname": np.array([[*name.encode(), 0, 0] for name in NAMES], np.float64),
        "center": np.full((2, 2), 40.0),
        "scale": np.full(2, 0.3),
        "part": np.arange(64.0).reshape(2, 16, 2),
        "visible": np.ones((2, 16)),
        "index": np.arange(2.0),
        "istrain": np.ones(2),
    }


def h5(columns):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for name, column in columns.items():
            file[name] = column
    return stream.getvalue()


@examples(60)
@given(data=st.data())
def test_h5_of_poses(folder, data):
    columns = table()
    name = data.draw(st.sampled_from(list(columns)))
    column = columns[name].astype(data.draw(st.sampled_from([np.float64, np.int64, np.float32, np.uint8])))
    if column.dtype.kind == "f":
        column.flat[data.draw(st.integers(0, column.size - 1))] = data.draw(st.floats(width=32))
    columns[name] = data.draw(
        st.sampled_from([column, column[:1], column[..., None], np.array(["a", "b"], "S1")])
    )
    path = folder / "poses.h5"
    content = h5(columns)
    path.write_bytes(data.draw(damaged_bytes(content)) if data.draw(st.booleans()) else content)
    with only_clear_errors(path):
        check(read_annotations(READERS["pose"], path, folder / "images", "mpii", part="train"))


@examples(60)
@given(data=st.data())
def test_matlab(folder, data):
    io_ = pytest.importorskip("scipy.io")
    path = folder / "joints.mat"
    stream = io.BytesIO()
    joints = np.arange(84.0).reshape(3, 14, 2)
    joints[2] = 1
    io_.savemat(stream, {"joints": joints}, do_compression=data.draw(st.booleans()))
    path.write_bytes(data.draw(damaged_bytes(stream.getvalue())))
    with only_clear_errors(path):
        check(read_annotations(READERS["pose"], path, folder / "images", "lsp", part="train"))


def pictures():
    """Small images in all formats that are read, and some that are not."""
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    made = {}
    for form in (*preprocessing.reading.FORMATS, "ICO", "EPS", "PDF", "TGA", "JPEG2000"):
        stream = io.BytesIO()
        try:
            Image.fromarray(pixels).save(stream, form)
        except (OSError, KeyError):  # built without it
            continue
        made[form] = stream.getvalue()
    return made


PICTURES = pictures()


@examples(250)
@given(form=st.sampled_from(sorted(PICTURES)), data=st.data())
def test_images(folder, form, data):
    path = folder / "picture.jpg"  # whatever it is
    path.write_bytes(data.draw(damaged_bytes(PICTURES[form])))
    for read in (read_image, ImageReader().read):
        with only_clear_errors(path):
            image = read(str(path))
            assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    with only_clear_errors(path):
        assert min(read_image_size(path)) > 0


def test_only_the_formats_of_the_list_are_read(tmp_path):
    read = set()
    for form, content in PICTURES.items():
        (tmp_path / "picture.jpg").write_bytes(content)
        with only_clear_errors(tmp_path / "picture.jpg"):
            read_image(tmp_path / "picture.jpg")
            read.add(form)
    assert read == set(preprocessing.reading.FORMATS) and {"EPS", "PDF"} <= set(PICTURES)


@examples(100)
@given(data=st.data())
def test_zip_files(folder, data):
    stream = io.BytesIO()
    other = data.draw(st.sampled_from(["b.json", "../x", "a" * 300, "annotations.json/x"]))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("annotations.json", other):
            archive.writestr(name, json.dumps(COCO))
    path = folder / "pets.zip"
    path.unlink(missing_ok=True)
    path.write_bytes(data.draw(damaged_bytes(stream.getvalue())))
    os.utime(path, ns=(0, data.draw(st.integers(0, 2**40))))  # else the cache may know it
    with only_clear_errors(path):
        unpacked(path)
    with only_clear_errors("pets"):  # the file, or the folder that it was unpacked to
        check(read_dataset(path))


RESULTS = [
    {"image_id": i, "category_id": 1, "bbox": [10, 12, 30, 40], "score": 0.5, "file_name": name}
    for i, name in enumerate(NAMES)
]


@examples(60)
@given(data=st.data())
def test_results_and_boxes(folder, data):
    truth, results = folder / "truth.json", folder / "found.json"
    truth.write_text(json.dumps(COCO))
    results.write_text(json.dumps(data.draw(damaged_json(RESULTS))))
    with only_clear_errors(results):
        evaluate_coco_files(truth, results)
    with only_clear_errors(results):
        boxes = read_boxes(results, [folder / "images" / name for name in NAMES], {})
        assert all(np.isfinite(found).all() for found in boxes.values())
