"""The h5 files of poses: only what is needed is read, and only from the file itself."""

import h5py
import numpy as np
import pytest

from keras_cornernet.data.readers import pose_h5
from keras_cornernet.data.readers.pose_h5 import h5_entries, read_pose_h5

COLUMNS = {
    "imgname": np.array([b"a.jpg", b"b.jpg"]),
    "center": np.ones((2, 2)),
    "scale": np.ones(2),
    "part": np.ones((2, 3, 2)),
    "visible": np.ones((2, 3)),
}


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values in COLUMNS.items():
            file[name] = values
    return tmp_path / "a.h5"


def test_fields_that_are_not_needed_are_not_read(path):
    with h5py.File(path, "a") as file:
        file.create_dataset("huge", (10**12,), chunks=(1000,))
    assert read_pose_h5(path, 3)["imgname"].tolist() == ["a.jpg", "b.jpg"]


def test_a_field_that_is_too_large_is_not_read(path):
    with h5py.File(path, "a") as file:
        file.create_dataset("index", (10**12,), chunks=(1000,))
    with pytest.raises(ValueError, match=r"a\.h5: the field 'index' of the shape .* is too large"):
        read_pose_h5(path, 3)


@pytest.mark.parametrize("kind", ["external", "virtual", "external link", "soft link"])
def test_a_field_in_another_file_is_not_read(path, tmp_path, kind):
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"secret.jpgsecret.jpg")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["imgname"] = COLUMNS["imgname"]
    with h5py.File(path, "a") as file:
        del file["imgname"]
        if kind == "external":
            file.create_dataset("imgname", (2,), "S10", external=[(str(secret), 0, 20)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((2,), "S5")
            layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "imgname", (2,), "S5")
            file.create_virtual_dataset("imgname", layout)
        elif kind == "external link":
            file["imgname"] = h5py.ExternalLink(tmp_path / "other.h5", "imgname")
        else:
            file["imgname"] = h5py.SoftLink("/scale")
    with pytest.raises(ValueError, match=r"a\.h5: the field 'imgname' (lies in another file|should hold)"):
        read_pose_h5(path, 3)


def test_an_index_that_is_no_whole_number_is_named(path):
    with h5py.File(path, "a") as file:
        file["index"] = [np.nan, 7.0]
    first, second = h5_entries(read_pose_h5(path, 3), split="all", head=False)
    assert first.unusable == "the index nan is not a whole number" and first.where == "row 0"
    assert second.unusable is None and second.image_id == 7


def test_character_codes_that_are_none_are_named(path):
    with h5py.File(path, "a") as file:
        del file["imgname"]
        file["imgname"] = np.full((2, 5), np.nan)
    with pytest.raises(
        ValueError, match="'imgname' should hold one text for each person, got character codes"
    ):
        read_pose_h5(path, 3)


def test_a_long_text_that_is_used_again_and_again_is_not_read(path, monkeypatch):
    monkeypatch.setattr(pose_h5, "LARGEST_FIELD", 10**5)
    with h5py.File(path, "a") as file:
        del file["imgname"]
        file.create_dataset("imgname", (200,), h5py.string_dtype())[:] = ["a" * 1000] * 200
    with pytest.raises(ValueError, match=r"a\.h5: the field '/imgname' is too large to be read"):
        read_pose_h5(path, 3)
