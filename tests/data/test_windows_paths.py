"""Names that were written on Windows are read anywhere; names that are written have slashes anywhere."""

import json
from pathlib import PureWindowsPath

import numpy as np
import pytest
from PIL import Image

import keras_cornernet as kc
from keras_cornernet import files
from keras_cornernet.data.readers.image_folder import ImageFolder, without_drive

SPELLINGS = {
    "subfolder": r"cats\1.jpg",
    "this folder": r".\cats\1.jpg",
    "with the folder": r"pets\cats\1.jpg",
    "drive": r"C:\Users\Jo Doe\pets\cats\1.jpg",
    "drive, slashes": "D:/pets/cats/1.jpg",
    "drive without root": r"D:cats\1.jpg",
    "server": r"\\nas\share\pets\cats\1.jpg",
    "long path": r"\\?\C:\pets\cats\1.jpg",
}


@pytest.fixture
def pets(tmp_path):
    """A folder with one image in a subfolder."""
    (tmp_path / "pets" / "cats").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "pets" / "cats" / "1.jpg")
    return tmp_path / "pets"


@pytest.mark.parametrize("name", SPELLINGS.values(), ids=SPELLINGS)
def test_an_image_is_found(pets, name):
    assert ImageFolder(pets).find(name) == str(pets / "cats" / "1.jpg")


@pytest.mark.parametrize("name", [r"C:\pets\cats\2.jpg", r"..\secret.jpg", r"C:\..\..\secret.jpg"])
def test_another_image_is_not_and_none_outside_of_the_folder(pets, name):
    (pets.parent / "secret.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="no such file|outside"):
        ImageFolder(pets).find(name)


def test_ends_of_a_path_with_a_drive():
    assert list(without_drive(r"C:\a\b\1.jpg")) == ["a/b/1.jpg", "b/1.jpg", "1.jpg"]
    assert list(without_drive(str(PureWindowsPath("//nas/share/b/1.jpg")))) == ["b/1.jpg", "1.jpg"]
    assert list(without_drive("a/b/1.jpg")) == list(without_drive(r"b\1.jpg")) == []


@pytest.mark.parametrize(
    "text",
    [
        "path: C:\\data\\pets\ntrain: images\\train\n",
        "train: C:\\data\\pets\\images\\train\n",
        "train: .\\images\\train\n",
        "train: train.txt\n",
    ],
    ids=["path", "absolute", "relative", "list"],
)
def test_yolo_files_of_windows(tmp_path, text):
    for folder in ("images/train", "labels/train"):
        (tmp_path / folder).mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "images/train/1.jpg")
    (tmp_path / "labels/train/1.txt").write_text("0 0.5 0.5 0.5 0.5\r\n")
    (tmp_path / "train.txt").write_bytes(b"C:\\data\\pets\\images\\train\\1.jpg\r\n")
    (tmp_path / "data.yaml").write_text(f"{text}names: [cat]\n")
    dataset = kc.read_dataset(tmp_path / "data.yaml", part="train")
    assert [len(sample.boxes.xyxy) for sample in dataset.samples] == [1]
    assert dataset.problems == ()


def test_a_written_name_has_slashes(pets):
    assert files.relative_to(pets, pets / "cats" / "1.jpg") == "cats/1.jpg"
    assert "\\" not in json.dumps(files.relative_to(pets.parent, pets / "cats" / "1.jpg"))
