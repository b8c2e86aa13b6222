"""Image files are opened in one place, by a list of formats; nothing else is started or waited for."""

import ast
import io
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.checking import check_images
from keras_cornernet.data.readers import read_coco
from keras_cornernet.data.readers.tfds import convert_examples
from keras_cornernet.files import IMAGE_SUFFIXES, write_json
from keras_cornernet.inference.reading import list_images
from keras_cornernet.preprocessing import open_image, read_image
from keras_cornernet.preprocessing.reading import FORMATS
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

PACKAGE = Path(__file__).parents[2] / "keras_cornernet"
WRITTEN = ("BLP", "DDS", "ICNS", "ICO", "JPEG2000", "MSP", "PCX", "SGI", "SPIDER", "TGA", "XBM")


def encoded(format: str) -> bytes:
    mode = {"MSP": "1", "XBM": "1", "BLP": "P", "SPIDER": "F"}.get(format, "RGB")
    stream = io.BytesIO()
    Image.new(mode, (64, 64)).save(stream, format)
    return stream.getvalue()


def eps(victim: Path) -> bytes:
    """A picture that deletes a file if Ghostscript runs it."""
    head = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n"
    return f"{head}({victim}) deletefile\nshowpage\n%%EOF\n".encode()


def psd() -> bytes:
    head = b"8BPS\x00\x01" + bytes(6) + b"\x00\x03" + (8).to_bytes(4, "big") * 2 + b"\x00\x08\x00\x03"
    return head + bytes(12) + bytes(2) + bytes(3 * 64)


def fli() -> bytes:
    head = bytearray(128)
    head[4:6], head[6:8], head[8:12] = b"\x11\xaf", b"\x01\x00", b"\x08\x00\x08\x00"
    return bytes(head) + bytes(200)


def other_formats(folder: Path) -> dict[str, bytes]:
    """Files of formats that Pillow knows and that are not read here."""
    found = {format: encoded(format) for format in WRITTEN if format in Image.SAVE}
    found |= {"EPS": eps(folder / "victim.txt"), "PSD": psd(), "FLI": fli()}
    return found | {"WMF": b"\xd7\xcd\xc6\x9a" + bytes(60), "GRIB": b"GRIB\0\0\0\1" + bytes(60)}


def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)


def test_pillow_opens_images_in_one_file_only():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            opens = isinstance(node, ast.Attribute) and node.attr == "open"
            if (
                opens
                and isinstance(node.value, ast.Name | ast.Attribute)
                and "Image" in ast.unparse(node.value)
            ):
                found.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"preprocessing/reading.py"}


def test_the_formats_are_those_that_pillow_reads_by_itself():
    assert set(FORMATS) <= {"JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "AVIF"}


@pytest.mark.parametrize("suffix", [s for s in IMAGE_SUFFIXES if s != ".avif" or "AVIF" in FORMATS])
def test_every_suffix_is_that_of_a_format_that_is_read(tmp_path, suffix):
    Image.fromarray(pixels()).save(tmp_path / f"a{suffix}")
    assert read_image(tmp_path / f"a{suffix}").shape == (9, 11, 3)
    assert list_images(tmp_path) == [tmp_path / f"a{suffix}"]


def test_what_a_file_holds_decides_and_not_its_name(tmp_path):
    Image.fromarray(pixels()).save(tmp_path / "a.bmp")
    (tmp_path / "a.bmp").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), pixels())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".eps"])
def test_other_formats_are_named_and_never_opened(tmp_path, suffix, monkeypatch):
    (tmp_path / "victim.txt").write_text("x")
    others = other_formats(tmp_path)
    Image.init()
    opened = []
    for format in set(Image.OPEN) - set(FORMATS):
        monkeypatch.setitem(Image.OPEN, format, (lambda *_: opened.append("opened"), None))
    samples = []
    for format, content in others.items():
        path = tmp_path / f"{format}{suffix}"
        path.write_bytes(content)
        with pytest.raises(OSError, match=f"{format}{suffix}: not an image that can be read"):
            read_image(path)
        samples.append(Sample(str(path), len(samples), None, Boxes.empty()))
    dataset = DetectionDataset(tuple(samples), Categories(("cat",), (1,)))
    assert [problem.path for problem in check_images(dataset)] == [s.path for s in samples]
    examples = [
        {"image": content, "objects": {"bbox": np.zeros((0, 4)), "label": np.zeros(0)}}
        for content in others.values()
    ]
    converted = convert_examples(examples, ["cat"], tmp_path / "out")
    assert len(converted.problems) == len(others) and not converted.samples
    assert not opened and (tmp_path / "victim.txt").is_file()


@pytest.mark.skipif("AVIF" not in FORMATS, reason="Pillow is built without AVIF")
def test_a_damaged_avif_is_named(tmp_path):
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "AVIF")
    head, media = stream.getvalue().split(b"mdat")
    (tmp_path / "a.jpg").write_bytes(head + b"mdat" + bytes(len(media)))
    with pytest.raises(OSError, match=r"a\.jpg: the image cannot be read \("):
        read_image(tmp_path / "a.jpg")


def test_any_error_of_a_decoder_becomes_one_that_names_the_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(pixels()).save(path)

    def fail(self):
        raise RuntimeError("boom")

    monkeypatch.setattr(Image.Image, "getexif", fail)
    with pytest.raises(OSError, match=r"a\.png: the image cannot be read \(boom\)"):
        read_image(path)
    with (
        path.open("rb") as file,
        pytest.raises(OSError, match=r"^the image cannot be read \(boom\)"),
        open_image(file) as image,
    ):
        image.getexif()


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.jpg"))
    expected = {
        "pipe.jpg": "not a file but a named pipe",
        "folder.jpg": "not a file but a folder",
        "socket.jpg": "not a file but a socket",
        "loop.jpg": "Too many levels of symbolic links",
        "gone.jpg": "no such file",
        "folder.jpg/a.jpg": "no such file",
        "a\0.jpg": "null",
    }
    for name, words in expected.items():
        with pytest.raises(OSError, match=f"{name}: .*{words}"):
            read_image(tmp_path / name)
    with pytest.raises(OSError, match="/dev/zero: not a file but a device"):
        read_image("/dev/zero")
    assert [path.name for path in list_images(tmp_path)] == [
        "folder.jpg",
        "loop.jpg",
        "pipe.jpg",
        "socket.jpg",
    ]


def test_a_link_that_leads_to_itself_costs_only_itself(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    Image.fromarray(pixels()).save(folder / "a.png")
    names = ["a.png", "loop.jpg", "pipe.jpg", "gone.jpg"]
    content = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
        "annotations": [],
        "categories": [{"id": 1, "name": "cat"}],
    }
    dataset = read_coco(write_json(tmp_path / "a.json", content), folder)
    assert [Path(sample.path).name for sample in dataset.samples] == ["a.png"]
    loop, pipe, gone = map(str, dataset.problems)
    assert "('loop.jpg'): Too many levels of symbolic links" in loop
    assert "('pipe.jpg'): not a file but a named pipe" in pipe
    assert "there is no such file" in gone
