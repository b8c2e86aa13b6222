"""Zip files of data."""

import stat
import zipfile

import pytest

from keras_cornernet import bounds
from keras_cornernet.data.archives import unpacked


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_CORNERNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def packed(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_file_is_unpacked_once(tmp_path, cache):
    path = packed(tmp_path / "a.zip", {"x/b.txt": "one", "empty/": ""})
    folder = unpacked(path)
    assert folder.parent == cache and (folder / "x/b.txt").read_text() == "one"
    (folder / "x/mark").write_text("")
    assert unpacked(path) == folder and (folder / "x/mark").exists()
    packed(path, {"x/b.txt": "another"})
    assert unpacked(path) != folder


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "x/../../out.txt"])
def test_nothing_is_written_outside(tmp_path, cache, name):
    with pytest.raises(ValueError, match="a.zip: the path .* leads outside its folder"):
        unpacked(packed(tmp_path / "a.zip", {name: "one"}))
    assert not (tmp_path / "out.txt").exists() and list(cache.iterdir()) == []


def test_links_are_not_made(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("b.txt", "one")
    assert [path.name for path in unpacked(tmp_path / "a.zip").iterdir()] == ["b.txt"]


def test_what_unpacks_to_too_much_is_refused(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(bounds, "SMALL", 1000)
    path = packed(tmp_path / "a.zip", {"zeros": bytes(10**7)})
    with pytest.raises(ValueError, match="a.zip: it unpacks to 0.0 GB, over 200 times its size"):
        unpacked(path)
    assert list(cache.iterdir()) == []


def test_damaged_files_are_named(tmp_path):
    path = packed(tmp_path / "a.zip", {"b.txt": "one" * 1000})
    content = bytearray(path.read_bytes())
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "changed.zip").write_bytes(content)
    (tmp_path / "text.zip").write_text("no zip")
    for name in ("cut.zip", "changed.zip", "text.zip"):
        with pytest.raises(ValueError, match=name):
            unpacked(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"gone.zip"):
        unpacked(tmp_path / "gone.zip")
