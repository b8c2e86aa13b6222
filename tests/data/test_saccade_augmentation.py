"""CornerNet-Saccade's crops: what they show at which size, and the authors' crop and boxes."""

import numpy as np
import pytest
from test_augmentation import found_box

from keras_cornernet.data.augmentation import flipped
from keras_cornernet.data.boxes import BoxLoader, BoxRules, boxes_and_fractions, move_boxes
from keras_cornernet.data.saccade_augmentation import SaccadeCrop, scaled_crop_view
from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import View
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

SIZE = (255, 255)


def boxes_of(*xyxy, ignore=None):
    xyxy = np.array(xyxy, np.float32).reshape(-1, 4)
    ignore = np.zeros(len(xyxy), bool) if ignore is None else np.array(ignore)
    return Boxes(xyxy, np.zeros(len(xyxy), np.int32), ignore)


def drawn(image_size, boxes, count=200, **settings):
    augmentation = SaccadeCrop(**settings)
    return [augmentation.draw(image_size, SIZE, np.random.default_rng(seed), boxes) for seed in range(count)]


def zoom_of(view):
    return abs(view.input_from_image[0, 0])


@pytest.mark.parametrize(
    ("length", "shortest", "longest"),
    [(300, 96, 254), (97, 96, 254), (96, 32, 96), (33, 32, 96), (32, 16, 32), (5, 16, 32)],
)
def test_the_chosen_box_gets_a_length_of_its_range(length, shortest, longest):
    box = np.array([[100, 50, 100 + length, 50 + length / 2]])
    shown = np.array([length * zoom_of(view) for view in drawn((480, 640), box)])
    slack = length / 480 + 1e-6  # the scaled image has whole pixels
    assert shortest - 1 <= shown.min() < shortest + 0.15 * (longest - shortest)
    assert longest - 0.15 * (longest - shortest) < shown.max() <= longest + slack


def test_without_boxes_scales_and_places_are_drawn():
    for boxes in (None, np.zeros((0, 4)), np.array([[-9, -9, 0, 5], [700, 3, 720, 9]])):
        views = drawn((480, 640), boxes, flip=0.0)
        assert {round(zoom_of(view), 1) for view in views} == {0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1}
        starts = np.array([view.input_from_image[0, 2] for view in views if round(zoom_of(view), 1) == 1.0])
        assert (
            starts.min() < -300
            and starts.max() > -80
            and (starts >= 255 - 640 - 1).all()
            and (starts <= 0).all()
        )


def test_a_box_is_near_the_middle_or_seen_whole():
    box = np.array([[300, 200, 340, 230]], np.float32)
    near, whole = 0, 0
    for view in drawn((480, 640), box, flip=0.0):
        moved = affine.transform_boxes(view.input_from_image, box)[0]
        middle = (moved[:2] + moved[2:]) / 2
        near += (np.abs(middle - 127) <= 15.5).all()
        whole += (moved >= -1).all() and (moved <= 256).all()
    assert 70 < near < 130 and whole == 200


def test_a_small_image_lies_in_the_middle():
    for view in drawn((40, 50), np.array([[5, 5, 25, 15]]), flip=0.0):
        center = affine.transform_points(view.input_from_image, np.array([25.0, 20.0]))
        assert np.abs(center - 127).max() <= 1


def test_half_of_the_crops_are_mirrored():
    signs = [np.sign(view.input_from_image[0, 0]) for view in drawn((480, 640), None)]
    assert 70 < signs.count(-1) < 130


@pytest.mark.parametrize("size", [(90, 140), (400, 300), (1, 1), (1, 300), (300, 1)])
def test_a_rectangle_and_its_box_move_alike(size):
    height, width = size
    compared = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x, y = rng.integers(0, max(1, width - 20)), rng.integers(0, max(1, height - 20))
        box = boxes_of([x, y, min(x + 20, width), min(y + 14, height)])
        image = np.zeros((*size, 3), np.uint8)
        image[y : y + 14, x : x + 20] = 255
        view = SaccadeCrop().draw(size, SIZE, rng, box.xyxy)
        shown, moved = view.apply(image), move_boxes(box, size, view, 0.0).xyxy
        assert shown.shape == (*SIZE, 3) and len(moved) == 1
        if min(size) > 50 and (moved > 1).all() and (moved < 253).all():
            np.testing.assert_allclose(found_box(shown), moved[0], atol=0.8)
            compared += 1
    assert compared > 5 or min(size) == 1


def test_flipping_a_crop_is_mirroring_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    view = scaled_crop_view((300, 400), (330, 440), SIZE, (100, 200))
    np.testing.assert_array_equal(flipped(view).apply(image), view.apply(image)[:, ::-1])


def test_the_codec_is_told_what_share_of_each_box_is_left(tmp_path):
    view = View(affine.translation(-10, 0), (50, 60), (0, 0, 60, 50))
    boxes = boxes_of([0, 10, 20, 20], [30, 10, 40, 20], [0, 0, 9, 9], [60, 40, 80, 60])
    moved, share = boxes_and_fractions(boxes, (50, 90), view, BoxRules())
    # The third is out; the last is cut by the image, of which all is counted, and by the crop.
    np.testing.assert_allclose(moved.xyxy, [[0, 10, 10, 20], [20, 10, 30, 20], [50, 40, 60, 50]])
    np.testing.assert_allclose(share, [0.5, 1, 0.5])

    samples = (Sample(str(tmp_path / "a.png"), 0, (50, 90), boxes),)
    dataset = DetectionDataset(samples, Categories(("a",), (1,)))
    loader = BoxLoader(dataset, SIZE, augmentation=SaccadeCrop())
    assert list(loader.annotations) == ["boxes", "labels", "visible"]
    loader.images.read = lambda index: np.full((50, 90, 3), 99, np.uint8)
    image, xyxy, labels, visible = loader.load(0, 0)
    assert image.shape == (*SIZE, 3) and xyxy.shape == (4, 4) and visible.dtype == np.float32
    assert ((visible > 0) == (labels >= 0)).all() and visible.max() <= 1 + 1e-6


def test_crowds_are_not_chosen():
    dataset = DetectionDataset(
        (Sample("a.png", 0, (480, 640), boxes_of([0, 0, 600, 400], [10, 10, 20, 20], ignore=[True, False])),),
        Categories(("a",), (1,)),
    )
    loader = BoxLoader(dataset, SIZE, augmentation=SaccadeCrop())
    loader.images.read = lambda index: np.zeros((480, 640, 3), np.uint8)
    assert list(loader.annotations) == ["boxes", "labels", "ignore", "visible"]
    for epoch in range(10):
        _, xyxy, labels, ignore, _ = loader.load(epoch, 0)
        sides = (xyxy[:, 2:] - xyxy[:, :2]).max(axis=1)[(labels >= 0) & ~ignore]
        assert (sides <= 32.1).all()


@pytest.mark.parametrize("case", ["a", "b"])
def test_crop_parity(parity, case):
    """The stored draws of scale and place give the authors' crop, border and boxes."""
    stored = np.load(parity("saccade_targets", f"{case}.npz") / f"{case}.npz")
    image, scale = stored["image_bgr"], float(stored["scale"])
    scaled = tuple(int(n * scale) for n in image.shape[:2])
    move = (stored["cropped_boxes"] - stored["scaled_boxes"])[0, :2]
    view = scaled_crop_view(image.shape[:2], scaled, SIZE, tuple(np.rint(127 - move).astype(int)))
    top, bottom, left, right = stored["crop_border"].astype(int)
    assert view.visible == (left, top, right, bottom)
    assert np.abs(view.apply(image).astype(int) - stored["crop_bgr"]).max() <= 1  # OpenCV's rounding
    boxes = boxes_of(*stored["boxes"][:, :4])
    moved, share = boxes_and_fractions(boxes, image.shape[:2], view, BoxRules())
    assert len(moved.labels) == len(stored["kept_indices"])
    # Their boxes are scaled by the scale asked for and cut off at the last pixel's corner.
    np.testing.assert_allclose(moved.xyxy, stored["clipped_boxes"][:, :4], atol=2)
    np.testing.assert_allclose(share, stored["overlaps"], atol=0.05)
