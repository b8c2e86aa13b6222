import sys

import numpy as np
import pytest
from scipy.io import savemat

from keras_cornernet.data.readers import matlab, read_lsp
from keras_cornernet.data.readers.matlab import number, read_mat, structs


def test_structs_cells_texts_and_numbers(tmp_path):
    people = np.zeros((1, 2), [("name", object), ("points", object)])
    people[0, 0] = ("anna.jpg", {"x": 3, "note": []})
    people[0, 1] = ("bo.jpg", [])
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = "a", np.array([[1, 2]])
    savemat(tmp_path / "a.mat", {"people": people, "cell": cell, "cube": np.zeros((3, 14, 1))})
    first, second = read_mat(tmp_path / "a.mat", "people")
    assert (first["name"], second["name"]) == ("anna.jpg", "bo.jpg")
    (point,) = structs(first["points"])
    assert number(point["x"]) == 3 and number(point["note"]) is None and structs(second["points"]) == []
    text, numbers = read_mat(tmp_path / "a.mat", "cell")
    assert text == "a" and numbers.tolist() == [[1, 2]]
    assert read_mat(tmp_path / "a.mat", "cube").shape == (3, 14, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", 1.0), ("", None), (np.zeros((0, 0)), None), (np.array([[7]], np.uint8), 7.0), (None, None)],
)
def test_number(value, expected):
    assert number(value) == expected


def test_a_missing_field_is_told_with_those_there(tmp_path):
    savemat(tmp_path / "a.mat", {"limbs": 1, "names": 2})
    with pytest.raises(ValueError, match=r"a\.mat: has no field 'joints'; it has: limbs, names"):
        read_mat(tmp_path / "a.mat", "joints")


@pytest.mark.parametrize("content", [b"", b"joints", b"\0" * 4000, b"\x89HDF\r\n\x1a\n" + b"\0" * 500])
def test_a_file_that_is_not_matlab(tmp_path, content):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.mat: (not a MATLAB file|has no field 'joints')"):
        read_mat(tmp_path / "a.mat", "joints")


def test_a_damaged_file(tmp_path):
    savemat(
        tmp_path / "a.mat", {"joints": np.random.default_rng(0).normal(size=(14, 3, 9))}, do_compression=True
    )
    whole = (tmp_path / "a.mat").read_bytes()
    (tmp_path / "a.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a MATLAB file"):
        read_mat(tmp_path / "a.mat", "joints")


def test_version_7_3_is_told_how_to_save(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\0" * 400)
    with pytest.raises(ValueError, match=r"version 7\.3 \(HDF5\), which cannot be read.*'-v7'"):
        read_mat(tmp_path / "a.mat", "joints")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_mat(tmp_path / "none.mat", "joints")


def test_without_scipy_the_line_to_type_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(ImportError, match=r"needs scipy\. Type: pip install 'keras_cornernet\[mat\]'"):
        read_mat(tmp_path / "a.mat", "joints")


def test_a_sparse_matrix_is_no_array_of_numbers(tmp_path):
    from scipy.sparse import eye

    savemat(tmp_path / "joints.mat", {"joints": eye(3).tocsc()})
    with pytest.raises(ValueError, match=r"joints\.mat: the field 'joints' should have the shape"):
        read_lsp(tmp_path / "joints.mat", tmp_path)


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    savemat(tmp_path / "a.mat", {"joints": np.zeros((3, 14, 1000))}, do_compression=True)
    assert read_mat(tmp_path / "a.mat", "joints").shape == (3, 14, 1000)
    monkeypatch.setattr(matlab, "LARGEST", 10**5)
    with pytest.raises(ValueError, match=r"a\.mat: not a MATLAB file: it unpacks to more than 0.0 GB"):
        read_mat(tmp_path / "a.mat", "joints")
