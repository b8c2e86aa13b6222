"""Files that OpenCV decodes and those that it never sees; either way the pixels are those of Pillow."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.preprocessing import ImageReader, decoding, opencv, read_image

cv2 = pytest.importorskip("cv2")


def photo(height=61, width=83, seed=0):
    """Coarse colours with some noise: what a camera might write."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return np.clip(smooth + rng.normal(0, 6, (height, width, 1)), 0, 255).astype(np.uint8)


def wide_png(path):
    """A PNG file with 16 bits a channel."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixels = photo().astype(">u2") * 256 + 77
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def rotated(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.fixture
def decoded(monkeypatch):
    """The files that OpenCV was given."""
    given, imdecode = [], cv2.imdecode

    def spy(data, flags):
        given.append(bytes(data))
        return imdecode(data, flags)

    monkeypatch.setattr(cv2, "imdecode", spy)
    return given


rgb = Image.fromarray(photo())
PLAIN = {
    "rgb.jpg": (rgb, {"quality": 90}),
    "whole colours.jpg": (rgb, {"quality": 95, "subsampling": 0}),
    "progressive.jpg": (rgb, {"quality": 60, "progressive": True}),
    "odd.jpg": (Image.fromarray(photo(17, 31)), {"quality": 80, "subsampling": 2}),
    "grey.jpg": (rgb.convert("L"), {"quality": 90}),
    "upright.jpg": (rgb, {"exif": rotated(1)}),
    "rgb.png": (rgb, {}),
    "grey.png": (rgb.convert("L"), {}),
    "lossy.webp": (rgb, {"quality": 80}),
    "lossless.webp": (rgb, {"lossless": True}),
}
OTHERS = {
    "cmyk.jpg": (rgb.convert("CMYK"), {}),
    "rotated.jpg": (rgb, {"exif": rotated(6)}),
    "mirrored.jpg": (rgb, {"exif": rotated(2)}),
    "rotated.png": (rgb, {"exif": rotated(8)}),
    "rotated.webp": (rgb, {"exif": rotated(3), "lossless": True}),
    "palette.png": (rgb.quantize(17), {}),
    "transparent palette.png": (rgb.quantize(17), {"transparency": 3}),
    "transparent.png": (rgb, {"transparency": (1, 2, 3)}),
    "alpha.png": (rgb.convert("RGBA"), {}),
    "grey alpha.png": (rgb.convert("LA"), {}),
    "alpha.webp": (Image.fromarray(np.dstack([photo(), photo()[..., 0]])), {}),
    "bits.png": (rgb.convert("1"), {}),
    "wide grey.png": (Image.fromarray(photo()[..., 0].astype(np.uint16) * 257), {}),
    "rgb.bmp": (rgb, {}),
    "rgb.tif": (rgb, {}),
    "rgb.gif": (rgb, {}),
    "rgb.ppm": (rgb, {}),
    "moving.webp": (rgb, {"save_all": True, "append_images": [rgb.rotate(90)], "lossless": True}),
    "moving.png": (rgb, {"save_all": True, "append_images": [rgb.rotate(90)]}),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_decoded_by_opencv(tmp_path, decoded, name):
    image, options = PLAIN[name]
    path = tmp_path / name
    image.save(path, **options)
    reader = ImageReader()
    found = reader.read(str(path))
    assert decoded == [path.read_bytes()]
    assert found.dtype == np.uint8 and found.flags.c_contiguous
    difference = np.abs(found.astype(int) - read_image(path))
    assert difference.mean() < 0.5 and difference.max() <= 6
    if "png" in name or "lossless" in name:
        assert difference.max() == 0
    np.testing.assert_array_equal(reader.read(str(path)), found)
    assert len(decoded) == 2


@pytest.mark.parametrize("name", [*OTHERS, "wide colours.png"])
def test_all_others_are_read_by_pillow(tmp_path, decoded, name):
    path = tmp_path / name
    if name in OTHERS:
        image, options = OTHERS[name]
        image.save(path, **options)
    else:
        wide_png(path)
    reader = ImageReader()
    for _ in range(2):
        np.testing.assert_array_equal(reader.read(str(path)), read_image(path))
    assert not decoded


@pytest.mark.parametrize("name", ["rgb.jpg", "progressive.jpg", "rgb.png", "lossy.webp"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_file_that_was_cut_off_is_an_error(tmp_path, name, part):
    image, options = PLAIN[name]
    path = tmp_path / name
    image.save(path, **options)
    data = path.read_bytes()
    reader = ImageReader()
    reader.read(str(path))
    for again in (reader, ImageReader()):
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(OSError, match=name):
            again.read(str(path))


def test_damaged_pixels_are_an_error(tmp_path):
    path = tmp_path / "rgb.png"
    rgb.save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(OSError, match="rgb.png"):
        ImageReader().read(str(path))


def test_bytes_after_the_image_do_no_harm(tmp_path, decoded):
    path = tmp_path / "rgb.jpg"
    rgb.save(path)
    expected = read_image(path)
    path.write_bytes(path.read_bytes() + b"\0" * 20)
    assert np.abs(ImageReader().read(str(path)).astype(int) - expected).max() <= 6
    assert len(decoded) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 2\n" + bytes(16),
        b"v/1\x01" + bytes(60),
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60),
        b"",
        b"\xff\xd8\xff\xd9",
        b"RIFF\x04\x00\x00\x00WEBP",
    ],
)
def test_no_other_format_reaches_opencv_whatever_the_name(tmp_path, decoded, data):
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    with pytest.raises(OSError, match="picture.jpg"):
        ImageReader().read(str(path))
    assert not decoded


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(OSError, match="no such file"):
        ImageReader().read(str(tmp_path / "none.jpg"))


def test_without_opencv_pillow_reads_all(tmp_path, decoded, monkeypatch):
    path = tmp_path / "rgb.jpg"
    rgb.save(path)
    monkeypatch.setattr(opencv, "cv2", None)
    np.testing.assert_array_equal(ImageReader().read(str(path)), read_image(path))
    assert not decoded


def test_what_opencv_cannot_decode_is_left_to_pillow(tmp_path, monkeypatch):
    path = tmp_path / "rgb.jpg"
    rgb.save(path)
    for answer in (lambda data, flags: None, lambda data, flags: cv2.resize(None, None)):
        monkeypatch.setattr(cv2, "imdecode", answer)
        np.testing.assert_array_equal(ImageReader().read(str(path)), read_image(path))


def test_a_whole_file_ends_as_its_format_does():
    stream = io.BytesIO()
    rgb.save(stream, "JPEG")
    data = stream.getvalue()
    assert decoding._is_whole(data) and decoding._is_whole(data + bytes(50))
    assert not decoding._is_whole(data[:-2]) and not decoding._is_whole(data[2:])
