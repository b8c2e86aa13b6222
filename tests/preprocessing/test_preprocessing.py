"""Reading images, choosing the view, and warping: every kind of image, and the authors' pixels."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.augmentation import crop_view
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import View, fit_view, padded_view, read_image, to_rgb, warp


def gradient_image(height, width):
    y, x = np.mgrid[:height, :width]
    return (255 * np.stack([x / width, y / height, (x + y) / (height + width)], -1)).astype(np.uint8)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def naive_warp(image, input_from_image, input_size):
    """One pixel at a time: bilinear, edges repeated for half a pixel, black beyond."""
    way_back, (height, width) = affine.invert(input_from_image), image.shape[:2]
    canvas = np.zeros((*input_size, 3))
    for row, column in np.ndindex(*input_size):
        x, y = way_back @ [column + 0.5, row + 0.5, 1]
        if not (0 <= x < width and 0 <= y < height):
            continue
        x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
        left, top = min(int(x), max(width - 2, 0)), min(int(y), max(height - 2, 0))
        right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
        u, v = x - left, y - top
        upper = (1 - u) * image[top, left] + u * image[top, right]
        canvas[row, column] = (1 - v) * upper + v * ((1 - u) * image[bottom, left] + u * image[bottom, right])
    return canvas


# Reading


def test_arrays_of_every_kind_become_rgb():
    rgb = gradient_image(6, 7)
    grey = rgb[..., 0]
    wide = grey.astype(np.uint16) * 256 + 255
    for image in (grey, grey[..., None], wide, wide.astype(">u2"), wide.astype(np.int32), grey + 0.4):
        np.testing.assert_array_equal(to_rgb(image), np.repeat(grey[..., None], 3, 2))
    np.testing.assert_array_equal(to_rgb(np.dstack([rgb, grey])), rgb)
    np.testing.assert_array_equal(to_rgb(rgb.astype(np.float64) - 0.3), rgb)
    np.testing.assert_array_equal(to_rgb(np.array([[-9.0, 300.0]]))[0, :, 0], [0, 255])
    np.testing.assert_array_equal(to_rgb(grey > 100)[..., 0], (grey > 100) * 255)
    assert to_rgb(rgb[:, ::-1]).flags.c_contiguous


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros(5), "not \\(5,\\)"),
        (np.zeros((4, 4, 2)), "not \\(4, 4, 2\\)"),
        (np.zeros((0, 4, 3), np.uint8), "without empty sides"),
        (np.zeros((2, 4, 4, 3), np.uint8), "image must be an array"),
        (np.zeros((4, 4), np.int64), "not int64"),
        (np.zeros((4, 4), complex), "not complex128"),
        (np.full((4, 4), np.nan), "not finite"),
        ("text", "image must be an array"),
    ],
)
def test_other_arrays_are_refused(image, words):
    with pytest.raises(ValueError, match=words):
        to_rgb(image)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_lossless_files_come_back(tmp_path, suffix):
    image = noise(9, 11)
    Image.fromarray(image).save(tmp_path / f"a.{suffix}", lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{suffix}"), image)


def test_files_of_every_mode_become_rgb(tmp_path):
    image = noise(9, 11)
    picture = Image.fromarray(image)
    for mode in ("1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"):
        path = tmp_path / "a.tif"
        if mode in ("P", "HSV"):
            path = tmp_path / "a.png"
        saved = picture.convert(mode) if mode != "HSV" else picture
        saved.save(path)
        got = read_image(path)
        assert got.shape == (9, 11, 3) and got.dtype == np.uint8, mode
    wide = np.arange(99, dtype=np.uint16).reshape(9, 11) * 600
    for name, array in (("le.png", wide), ("le.tif", wide), ("be.tif", wide.astype(">u2"))):
        Image.fromarray(array).save(tmp_path / name)
        np.testing.assert_array_equal(read_image(tmp_path / name)[..., 1], wide >> 8, err_msg=name)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    upright = noise(6, 10)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), upright)


def test_broken_files_are_named(tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(noise(40, 40)).save(whole)
    cut, text, empty = tmp_path / "cut.png", tmp_path / "text.jpg", tmp_path / "empty.jpg"
    cut.write_bytes(whole.read_bytes()[:2000])
    text.write_text("no image")
    empty.write_bytes(b"")
    for path in (cut, text, empty, tmp_path / "missing.png", tmp_path):
        with pytest.raises(OSError, match=path.name):
            read_image(path)


def test_any_damage_is_an_os_error(tmp_path):
    rng = np.random.default_rng(0)
    for suffix in ("png", "jpg", "gif"):
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(noise(20, 20)).save(path)
        whole = path.read_bytes()
        for _ in range(20):
            damaged = bytearray(whole)
            for place in rng.integers(0, len(whole), 8):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged)
            try:
                assert read_image(path).dtype == np.uint8
            except OSError as error:
                assert path.name in str(error)


def test_a_picture_that_unpacks_to_too_many_pixels_is_refused(tmp_path, monkeypatch):
    Image.fromarray(noise(20, 20)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 399)
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(OSError, match="20 x 20 pixels"):
        read_image(tmp_path / "a.png")


# Warping and views


def test_warp_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    for trial in range(6):
        image = noise(11, 14, trial)
        matrix = affine.compose(
            affine.translation(*rng.uniform(0, 10, 2)),
            affine.rotation(rng.uniform(-60, 60) if trial % 2 else 0),
            affine.scaling(*rng.uniform(0.5, 2, 2)),
        )
        expected = naive_warp(image, matrix, (13, 17))
        assert (expected > 0).mean() > 0.1
        assert np.abs(warp(image, matrix, (13, 17)) - expected).max() <= 0.51


def test_warp_by_nothing_and_by_a_flip_is_exact():
    image = noise(7, 9)
    np.testing.assert_array_equal(warp(image, affine.identity(), (7, 9)), image)
    np.testing.assert_array_equal(warp(image, affine.horizontal_flip(9), (7, 9)), image[:, ::-1])
    turned = affine.compose(affine.translation(7, 0), affine.rotation(90))
    np.testing.assert_array_equal(warp(image, turned, (9, 7)), np.rot90(image, -1))
    shown = warp(image, affine.identity(), (7, 9), visible=(2, 1, 5, 6))
    np.testing.assert_array_equal(shown[1:6, 2:5], image[1:6, 2:5])
    assert shown.sum() == image[1:6, 2:5].sum()


@pytest.mark.parametrize("size", [(30, 40), (100, 10), (1, 1), (1, 400), (64, 64), (333, 200)])
def test_fit_view_shows_the_whole_image_in_the_middle(size):
    height, width = size
    view = fit_view(size, (48, 64))
    corners = affine.transform_points(view.input_from_image, np.array([[0.0, 0.0], [width, height]]))
    np.testing.assert_allclose(corners.mean(0), [32, 24], atol=1e-9)
    extent = corners[1] - corners[0]
    assert extent == pytest.approx([64, extent[1]]) or extent == pytest.approx([extent[0], 48])
    assert extent[0] <= 64 + 1e-9 and extent[1] <= 48 + 1e-9
    assert extent[0] / extent[1] == pytest.approx(width / height)
    white = view.apply(np.full((*size, 3), 255, np.uint8))
    x1, y1, x2, y2 = view.visible
    assert white.shape == (48, 64, 3)
    if min(extent) < 1:  # thinner than a pixel, it may fall between two
        return
    assert (white[24, 32] == 255).all()
    outside = np.ones((48, 64), bool)
    outside[y1:y2, x1:x2] = False
    assert not white[outside].any()
    rows, columns = white[..., 0].any(1).sum(), white[..., 0].any(0).sum()
    assert abs(rows - extent[1]) <= 1 and abs(columns - extent[0]) <= 1


@pytest.mark.parametrize(
    ("size", "scale", "input_size", "border"),
    [
        ((480, 640), 1.0, (511, 767), (63, 15)),
        ((480, 640), 0.5, (255, 383), (31, 7)),
        ((480, 640), 1.5, (767, 1023), (31, 23)),
        ((511, 511), 1.0, (511, 511), (0, 0)),
        ((427, 639), 1.0, (511, 639), (0, 42)),
        ((512, 128), 1.0, (639, 255), (63, 63)),
        ((1, 1), 1.0, (127, 127), (63, 63)),
        ((1, 4000), 0.75, (127, 3071), (35, 63)),
    ],
)
def test_padded_view_of_the_reference(size, scale, input_size, border):
    view = padded_view(size, scale)
    assert view.input_size == input_size and view.visible[:2] == border
    origin = affine.transform_points(view.input_from_image, np.zeros((1, 2)))
    np.testing.assert_allclose(origin, [border])


def test_padded_view_copies_pixels_and_drops_an_odd_last_one():
    image = noise(127, 200)
    shown = padded_view((127, 200)).apply(image)
    assert shown.shape == (127, 255, 3)
    np.testing.assert_array_equal(shown[:126, 27:227], image[:126])  # as the released code: 126 of 127 rows
    assert not shown[126].any() and not shown[:, :27].any() and not shown[:, 227:].any()


def test_padded_view_of_an_odd_image_that_does_not_fill_the_input_drops_nothing():
    view = padded_view((67, 91))
    np.testing.assert_array_equal(view.apply(noise(67, 91))[30:97, 18:109], noise(67, 91))
    assert view.visible == (18, 30, 109, 97)


def test_padded_view_of_another_multiple():
    assert padded_view((100, 130), size_divisor=64).input_size == (127, 191)


def test_boxes_come_back_to_the_image():
    boxes = np.array([[0, 0, 150, 110], [10, 20, 30, 45.5]], np.float32)
    for view in (fit_view((110, 150), (64, 64)), padded_view((110, 150), 1.5), padded_view((110, 150))):
        there = affine.transform_boxes(view.input_from_image, boxes)
        np.testing.assert_allclose(view.boxes_to_image(there), boxes, atol=1e-3)


# The authors' pixels


def inner(view, image_size, margin):
    """The input pixels whose centres lie at least `margin` image pixels inside the image."""
    rows, columns = np.mgrid[: view.input_size[0], : view.input_size[1]]
    points = np.stack([columns, rows], -1) + 0.5
    x, y = np.moveaxis(affine.transform_points(affine.invert(view.input_from_image), points), -1, 0)
    height, width = image_size
    return (x > margin) & (x < width - margin) & (y > margin) & (y < height - margin)


def check_pixels(view, image, expected):
    """One grey level inside; black outside; the half pixel at the image's edge, where OpenCV blends with the
    black around a crop and we repeat the edge, is left out."""
    got = view.apply(image).astype(int)
    safe = inner(view, image.shape[:2], 0.5)
    assert np.abs(got - expected)[safe].max() <= 1
    outside = ~inner(view, image.shape[:2], -0.5)
    assert not got[outside].any() and not expected[outside].any()
    return np.abs(got - expected)[safe].mean()


def test_crop_parity(parity):
    stored = np.load(parity("image_ops") / "crop.npz")
    image = stored["image_bgr"]
    for i in range(6):
        center, size = stored[f"crop{i}_center_yx"], tuple(stored[f"crop{i}_size_hw"])
        view = crop_view(image.shape[:2], size, center[::-1], 1.0)
        np.testing.assert_array_equal(view.apply(image), stored[f"crop{i}"], err_msg=f"crop{i}")


def test_training_crop_parity(parity):
    stored = np.load(parity("image_ops") / "training_crop.npz")
    image, boxes = stored["image_bgr"], stored["boxes"][:, :4]
    for i in range(3):
        side, center = stored[f"rc{i}_image"].shape[0], stored[f"rc{i}_center_xy"]
        assert side == int(stored[f"rc{i}_scale"] * stored[f"rc{i}_view_hw"][0])
        cropped = crop_view(image.shape[:2], (side, side), center, 1.0)
        np.testing.assert_array_equal(cropped.apply(image), stored[f"rc{i}_image"])
        moved = affine.transform_boxes(cropped.input_from_image, boxes)
        np.testing.assert_allclose(moved, stored[f"rc{i}_boxes"][:, :4], atol=1e-9)

        # Crop and resize as one affine. The last column of an odd crop is black: left out with its edge.
        view = View(
            affine.compose(affine.scaling(79 / side, 63 / side), cropped.input_from_image),
            (63, 79),
            (0, 0, 79, 63),
        )
        got, expected = view.apply(image).astype(int), stored[f"rc{i}_resized_63x79"].astype(int)
        safe = inner(view, image.shape[:2], 0.5)
        for axis, n in enumerate((63, 79)):  # at the crop's edge we see what lies beyond, they repeat it
            place = (np.arange(n) + 0.5) * side / n
            safe &= np.expand_dims((place > 0.5) & (place < side // 2 * 2 - 0.5), 1 - axis)
        assert safe.mean() > 0.3
        assert np.abs(got - expected)[safe].max() <= 1
        assert not expected[~inner(view, image.shape[:2], -0.5)].any()
        moved = affine.transform_boxes(view.input_from_image, boxes)
        np.testing.assert_allclose(moved, stored[f"rc{i}_resized_boxes"][:, :4], atol=1e-9)


def test_full_image_crop_parity(parity):
    stored = np.load(parity("image_ops") / "training_crop.npz")
    image, boxes = stored["image_bgr"], stored["boxes"][:, :4]
    view = fit_view(image.shape[:2], (130, 130))
    np.testing.assert_array_equal(view.apply(image), stored["full_image_crop"])
    moved = affine.transform_boxes(view.input_from_image, boxes)
    np.testing.assert_allclose(moved, stored["full_image_crop_boxes"][:, :4], atol=1e-9)


def test_training_image_parity(parity):
    stored = np.load(parity("targets") / "overlapping_a.npz")
    image = stored["image_bgr"]
    check_pixels(fit_view((120, 160), (127, 127)), image, stored["image"].astype(int))
    direct = warp(image, affine.scaling(127 / 160, 127 / 120), (127, 127)).astype(int)
    assert np.abs(direct - stored["lite_image"]).max() <= 1


@pytest.mark.parametrize("case", ["single_scale", "linear_soft_nms", "multi_scale_merge"])
def test_network_input_parity(parity, case):
    folder = parity("cornernet_inference")
    constants = json.loads((folder / "cases.json").read_text())
    scale = constants["cases"][case]["configs"]["test_scales"][0]
    stored = np.load(folder / f"{case}.npz")
    image = stored["image_bgr"]
    view = padded_view(image.shape[:2], scale)
    expected = (stored["scale0_network_input"][0] * constants["std"] + constants["mean"]) * 255
    got = view.apply(image).astype(float)
    assert np.abs(got - expected).max() <= (1e-3 if scale == 1 else 1.001)
