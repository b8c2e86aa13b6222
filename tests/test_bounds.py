"""Archives and HDF5 files that declare too much, or that reach out of themselves."""

import zipfile

import h5py
import numpy as np
import pytest

from keras_cornernet import bounds


def packed(path, content, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.bin", content)
    return path


def refused(path, words):
    with pytest.raises(ValueError, match=rf"a\.zip: {words}"), bounds.open_zip(path):
        pass


def test_what_is_small_may_pack_well(tmp_path):
    with bounds.open_zip(packed(tmp_path / "a.zip", bytes(10**6))) as archive:
        assert bounds.read_member(archive, "a.bin") == bytes(10**6)


def test_a_member_is_measured_before_it_is_read(tmp_path):
    with bounds.open_zip(packed(tmp_path / "a.zip", bytes(1000))) as archive:
        with pytest.raises(ValueError, match="a.bin has 0 MB"):
            bounds.read_member(archive, "a.bin", largest=999)
        with pytest.raises(ValueError, match="it holds no b"):
            bounds.read_member(archive, "b")


def test_the_sum_of_all_members_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "SMALL", 1000)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(str(number), bytes(10**6))
    refused(path, "it unpacks to 0.0 GB, over 200 times")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(tmp_path, method):
    path = packed(tmp_path / "a.zip", b"x", method)
    refused(path, r"cannot be unpacked \(a.bin is packed by another method")


def test_a_name_that_is_no_text_is_damage(tmp_path):
    path = packed(tmp_path / "a.zip", b"x")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"a.bin")
    content[at] = 0xE3
    content[at - 46 + 9] |= 0x08  # the flag that says UTF-8
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.zip: not a zip file, or damaged"), bounds.open_zip(path):
        pass


def test_a_link_to_itself_and_a_folder_are_named(tmp_path):
    (tmp_path / "loop.zip").symlink_to("loop.zip")
    for path in (tmp_path / "loop.zip", tmp_path):
        with pytest.raises(OSError, match=path.name), bounds.open_zip(path):
            pass


def h5(path, build):
    with h5py.File(path, "w") as file:
        build(file)
    with h5py.File(path, "r") as file:
        return bounds.check_h5(file)


def test_arrays_and_numbers_are_counted_once(tmp_path):
    def build(file):
        file["a/b"] = np.zeros((2, 3), np.float32)
        file["c"] = np.int64(1)
        file["a/again"] = file["c"]
        file["a/above"] = file  # a circle

    assert h5(tmp_path / "a.h5", build) == (2, 7)


def external(file):
    file.create_dataset("a", (5,), "u1", external=[("/etc/hostname", 0, 5)])


def virtual(file):
    layout = h5py.VirtualLayout((5,), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "a", (5,))
    file.create_virtual_dataset("a", layout)


def soft_link(file):
    file["a"] = h5py.SoftLink("/b")


def external_link(file):
    file["x/a"] = h5py.ExternalLink("other.h5", "/b")


def texts(file):
    file["a"] = ["one", "two"]


def huge(file):
    file.create_dataset("a", (10**12,), "f4", chunks=(10**6,), compression="gzip")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (external, "a lies in another file"),
        (virtual, "a lies in another file"),
        (soft_link, "a is a link"),
        (external_link, "a is a link"),
        (texts, "a holds object, not numbers"),
        (huge, "its arrays take 4000.0 GB"),
    ],
)
def test_what_is_not_in_the_file_is_refused(tmp_path, build, words):
    with pytest.raises(ValueError, match=words):
        h5(tmp_path / "a.h5", build)


def test_nobody_counts_parts_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_OBJECTS", 10)
    with pytest.raises(ValueError, match="more than 10 parts"):
        h5(tmp_path / "a.h5", lambda file: [file.create_group(str(i)) for i in range(11)])
