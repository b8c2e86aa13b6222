"""Whatever goes wrong, a command ends with one line and an exit code."""

import os

import pytest
from command_line import run
from PIL import Image

from keras_cornernet import files
from keras_cornernet.cli import predicting
from keras_cornernet.inference import reading


@pytest.fixture(autouse=True)
def no_debugging(monkeypatch):
    monkeypatch.delenv("KERAS_CORNERNET_DEBUG", raising=False)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError("2 TiB"), "error: there is not enough memory (2 TiB)"),
        (MemoryError(), "error: there is not enough memory (no message)"),
        (KeyError("ids"), "error: KeyError: 'ids' (KERAS_CORNERNET_DEBUG=1 shows more)"),
        (RecursionError("too deep\nand more"), "error: RecursionError: too deep (KERAS"),
        (OSError(27, "File too large", "a.jpg"), "error: [Errno 27] File too large: 'a.jpg'"),
    ],
)
def test_an_error_is_one_line(monkeypatch, error, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("keras_cornernet.cli.models.list_presets", fail)
    result = run("models")
    assert result.exit_code == 1 and words in result.stderr and "Traceback" not in result.output
    monkeypatch.setenv("KERAS_CORNERNET_DEBUG", "1")
    assert run("models").exception is error


def test_a_size_of_too_many_pixels_is_wrong_use(tmp_path):
    for size in ("1000000x1000000", "9" * 5000 + "x32", "0x32"):
        result = run("make-data", "--size", size, "--count", "1", "--output", tmp_path / "d")
        assert result.exit_code == 2 and "--size" in result.output and not (tmp_path / "d").exists()


def test_names_of_any_length_can_be_written(tmp_path):
    for name in ("n" * 251 + ".jpg", "ü" * 125 + ".jpg"):
        files.write_bytes(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"
    long = [tmp_path / folder / ("n" * 251 + ".jpg") for folder in "ab"]
    names = predicting.picture_names([*long, tmp_path / ("ü" * 120 + ".unknown")])
    assert len(set(names)) == 3 and all(len(os.fsencode(name)) <= 255 for name in names)


def test_one_bad_thing_in_a_folder_stops_nothing(tmp_path):
    Image.new("RGB", (20, 30)).save(tmp_path / "good.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "above").symlink_to(tmp_path)
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n")
    (tmp_path / "cut.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff\x08\x02"
    )
    failed = {}
    for recursive in (False, True):
        images = []
        for path in reading.images_of(tmp_path, recursive=recursive):
            images.append(reading.read_or_report(path, lambda name, error: failed.update({name: str(error)})))
        assert sum(image is not None for image in images) == 1
    assert len(failed) == 8
    assert all(message.startswith(f"{name}: ") and "\n" not in message for name, message in failed.items())
