"""The format of annotations is found from the file itself."""

import json

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from keras_cornernet.data.readers import READERS, detect_format, read_annotations
from keras_cornernet.data.scenes import make_scenes


@pytest.mark.parametrize(
    ("start", "format"),
    [
        ('{"images": []}', "coco"),
        ('\ufeff \n {"images": []}', "coco"),
        ('[{"joint_self": []}]', "mpii"),
        ('[{"joints": [], "image": "a.jpg", "center": []}]', "mpii"),
        ('[{"image": "a.jpg", "annotations": []}]', "createml"),
        ('[{"id": 1, "annotations": [], "data": {"image": "a.jpg"}}]', "label-studio"),
        ('{"version": "5.0", "shapes": [], "imagePath": "a.jpg"}', "labelme"),
    ],
)
def test_json_files(tmp_path, start, format):
    (tmp_path / "a.json").write_text(start, encoding="utf-8")
    assert detect_format(tmp_path / "a.json") == format


def test_folders_of_xml_files(tmp_path):
    (tmp_path / "a.xml").write_text("<annotation/>")
    assert detect_format(tmp_path) == "voc"


@pytest.mark.parametrize(("field", "format"), [("joints", "lsp"), ("RELEASE", "mpii")])
def test_matlab_files(tmp_path, field, format):
    savemat(tmp_path / "a.mat", {"other": 1, field: np.zeros((2, 2))})
    assert detect_format(tmp_path / "a.mat") == format


@pytest.mark.parametrize(("joints", "format"), [(16, "mpii"), (11, "flic")])
def test_h5_files(tmp_path, joints, format):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["part"] = np.zeros((2, joints, 2))
    assert detect_format(tmp_path / "a.h5") == format


def test_other_files_are_named(tmp_path):
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.1 0.1")
    savemat(tmp_path / "a.mat", {"other": 1})
    (tmp_path / "a.h5").write_text("no")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["part"] = np.zeros((2, 5, 2))
    (tmp_path / "empty").mkdir()
    for name in ("a.txt", "a.mat", "a.h5", "b.h5", "empty"):
        with pytest.raises(ValueError, match=name):
            detect_format(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="gone"):
        detect_format(tmp_path / "gone.json")


def test_the_format_that_is_found_is_one_that_is_read(tmp_path):
    path = make_scenes(tmp_path, 2, seed=0, size=(64, 96))
    for task, noun in (("detection", "images"), ("pose", "people")):
        dataset = read_annotations(READERS[task], path, tmp_path / "images", detect_format(path))
        assert dataset.noun == noun and not dataset.problems
    assert json.loads(path.read_text())["categories"]
    with pytest.raises(
        ValueError, match="expected one of coco, voc, .*, lsp, got 'mpii'; mpii is a format of pose"
    ):
        read_annotations(READERS["detection"], path, tmp_path / "images", "mpii")
