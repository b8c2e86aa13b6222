"""Nothing is ever half-written; nothing leads outside its folder; json is checked at the door."""

import errno
import gc
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cornernet import files


def test_what_is_written_aside_arrives(tmp_path):
    path = tmp_path / "a" / "b" / "text.txt"
    assert files.write_text(path, "grüße") == path
    assert path.read_text(encoding="utf-8") == "grüße"
    files.write_text(path, "again")
    assert path.read_text() == "again" and list(path.parent.iterdir()) == [path]


def test_the_temporary_name_keeps_name_and_suffix(tmp_path):
    with files.write_aside(tmp_path / "model.keras") as aside:
        assert aside.name == "model.keras" and aside.parent.parent == tmp_path and not aside.exists()
        assert not (tmp_path / "model.keras").exists()
        aside.write_text("x")
    assert (tmp_path / "model.keras").read_text() == "x"


def test_folders_can_be_written_aside(tmp_path):
    with files.write_aside(tmp_path / "model") as aside:
        aside.mkdir()
        (aside / "part").write_text("x")
    assert (tmp_path / "model" / "part").read_text() == "x"


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt(), OSError(errno.EIO, "broken")])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_failure_leaves_what_was_there(tmp_path, error, old):
    path = tmp_path / "result.json"
    if old is not None:
        path.write_text(old)

    def fail(aside):
        aside.write_text("half")
        raise error

    with pytest.raises(type(error)):
        files.write_with(path, fail)
    assert [p.read_text() for p in tmp_path.iterdir()] == ([] if old is None else [old])


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = files.write_json(tmp_path / "result.json", {"a": 1})
    real = Path.write_text

    def full(self, text, **kwargs):
        real(self, text[: len(text) // 2], **kwargs)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match=r"disk is full.*result\.json") as caught:
        files.write_json(path, {"a": 2, "b": 3})
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == [path] and files.read_json(path) == {"a": 1}


def test_a_name_that_is_a_folder_is_left_alone(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").write_text("x")
    with pytest.raises(OSError):
        files.write_text(tmp_path / "taken", "text")
    assert [p.name for p in tmp_path.rglob("*")] == ["taken", "inside"]


def test_images_are_written_in_the_format_of_the_suffix(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    path = files.write_image(tmp_path / "a.png", Image.fromarray(image))
    with Image.open(path) as read:
        assert read.format == "PNG"
        np.testing.assert_array_equal(np.asarray(read), image)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a/../../../x"])
def test_paths_that_lead_outside_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="leads outside"):
        files.inside(tmp_path, name)


def test_links_that_lead_outside_are_refused(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="leads outside"):
        files.inside(root, "link/secret")


@pytest.mark.parametrize("name", ["x", "a/b.jpg", "a/../b", "..x", "."])
def test_paths_inside_are_given(tmp_path, name):
    assert files.inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"images": [,]}', "not json at line 1, column 13"),
        ("[1]", "expected an object with the keys 'images', got a list"),
        ('{"annotations": []}', "the key 'images' is missing; it has annotations"),
        ("{}", "it has none"),
        ('{"images": {}}', "'images' should be a list, got a dict"),
        ('{"images": [{}, 3]}', "images\\[1\\] should be an object, got a int"),
        ("[" * 100_000, "not json"),
    ],
)
def test_json_of_another_outline_is_refused(tmp_path, text, words):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        files.read_json(path, tables=("images",))
    assert "bad.json" in str(caught.value)
    assert gc.isenabled()


def test_json_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe\x00\x80{")
    with pytest.raises(ValueError, match="bad.json: not json"):
        files.read_json(tmp_path / "bad.json")


def test_json_comes_back(tmp_path):
    value = {"images": [{"id": 1, "name": "ä"}], "list": [1.5, None, True]}
    assert files.read_json(files.write_json(tmp_path / "a.json", value), tables=("images",)) == value


def test_a_number_of_too_many_digits_is_not_json(tmp_path):
    (tmp_path / "a.json").write_text("[" + "1" * 5000 + "]")
    with pytest.raises(ValueError, match=r"a\.json: not json: it holds a number of too many digits"):
        files.read_json(tmp_path / "a.json")


def test_what_is_no_regular_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(OSError, match=r"a\.json: not a file but a named pipe"):
        files.read_json(tmp_path / "a.json")
    with pytest.raises(IsADirectoryError, match="not a file but a folder"):
        files.check_is_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        files.check_is_file(tmp_path / "gone")


def test_what_a_killed_process_left_is_removed(tmp_path):
    aside = files.write_aside(tmp_path / "model.keras")
    half = aside.__enter__()
    half.write_text("half")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "text.txt").write_text("x")
    files.remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "text.txt"]
    with pytest.raises(FileNotFoundError):
        aside.__exit__(None, None, None)


def test_what_is_replaced_can_keep_another_name(tmp_path):
    for text in ("one", "two", "three"):
        with files.write_aside(tmp_path / "a.txt", previous=tmp_path / "b.txt") as aside:
            aside.write_text(text)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "three", "b.txt": "two"}


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    steps = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, real=real, name=name: (steps.append(name), real(*a)))
    with files.write_aside(tmp_path / "folder") as aside:
        (aside / "in").mkdir(parents=True)
        (aside / "in" / "a.txt").write_text("x")
        (aside / "b.txt").write_text("x")
        (aside / "b.txt").chmod(0o444)
    assert steps == ["fsync", "fsync", "replace"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize(
    "make", [OSError, lambda number, text: RuntimeError(f"h5: errno = {number}, {text}")]
)
def test_a_full_disk_has_one_message(tmp_path, make, number):
    with (
        pytest.raises(OSError, match=r"not written: .*a\.h5") as caught,
        files.write_aside(tmp_path / "a.h5"),
    ):
        raise make(number, os.strerror(number))
    assert caught.value.errno == number


def test_an_image_needs_a_known_suffix(tmp_path):
    with pytest.raises(ValueError, match="no format of images has the suffix '.xyz'"):
        files.write_image(tmp_path / "a.xyz", Image.new("RGB", (2, 2)))
