"""The augmentation for photographs: mosaics and their boxes, its bounds, its schedule and its colours."""

import numpy as np
import pytest
from test_augmentation import found_box
from test_draws import same_draw
from test_pipeline import boxes_of, data_set_of

from keras_cornernet.data.boxes import BoxLoader, BoxRules, boxes_and_fractions
from keras_cornernet.data.color import apply_color
from keras_cornernet.data.draws import color_of
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.rendering import render
from keras_cornernet.preprocessing import View, fit_view
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

SIZE = (96, 128)
PLAIN_COLORS = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "gain": 0.0, "grey": 0.0}


def white_rectangles(count, seed=0):
    """Black images with one white rectangle each, and a data set of their boxes."""
    rng, images, samples = np.random.default_rng(seed), [], []
    for i in range(count):
        size = [(90, 140), (140, 90), (61, 101)][i % 3]
        width, height = rng.integers(15, 35, 2)
        x, y = rng.integers(0, size[1] - width), rng.integers(0, size[0] - height)
        image = np.zeros((*size, 3), np.uint8)
        image[y : y + height, x : x + width] = 255
        images.append(image)
        samples.append(Sample(f"{i}.png", i, size, boxes_of([[x, y, x + width, y + height]], [i % 2])))
    return images, DetectionDataset(tuple(samples), Categories(("a", "b"), (1, 2)))


# Mosaics


def test_boxes_of_a_mosaic_lie_on_their_objects():
    images, data = white_rectangles(9)
    loader = BoxLoader(data, SIZE, augmentation=PhotoAugmentation(mosaic=1.0, min_kept=0.0, **PLAIN_COLORS))
    assert loader.max_objects == 4
    compared = 0
    for epoch in range(60):
        draw = loader.draw(epoch, epoch % 9)
        assert len(draw.indices) == len(draw.views) == 4 and epoch % 9 in draw.indices
        xyxy, labels, ignore = loader.annotate(draw)
        shown = render(draw._replace(fill=(0, 0, 0)), [images[i] for i in draw.indices], clip=True)
        found = iter(zip(xyxy, labels, ignore, strict=True))
        for index, view in zip(draw.indices, draw.views, strict=True):
            x1, y1, x2, y2 = view.visible
            part = np.zeros_like(shown)
            part[y1:y2, x1:x2] = shown[y1:y2, x1:x2]
            alone, fractions = boxes_and_fractions(
                data.samples[index].boxes, images[index].shape[:2], view, BoxRules(), view.visible
            )
            if not len(alone.xyxy):
                assert part.mean() < 1  # at most a blurred edge
                continue
            box, label, ignored = next(found)
            np.testing.assert_allclose(box, alone.xyxy[0], atol=1e-5)
            assert label == index % 2 and ignored == (fractions[0] < 0.4 or min(box[2:] - box[:2]) < 5)
            inside = (box[:2] > [x1 + 1, y1 + 1]).all() and (box[2:] < [x2 - 1, y2 - 1]).all()
            if inside and min(box[2:] - box[:2]) >= 4:
                np.testing.assert_allclose(found_box(part), box, atol=0.6)
                compared += 1
        assert all(label == -1 for _, label, _ in found)
    assert compared > 25


def test_the_four_quarters_tile_the_input():
    rng = np.random.default_rng(0)
    for _ in range(50):
        views = PhotoAugmentation().draw_mosaic([(50, 70), (90, 30), (10, 10), (400, 300)], SIZE, rng)
        seen = np.zeros(SIZE, int)
        for view in views:
            x1, y1, x2, y2 = view.visible
            seen[y1:y2, x1:x2] += 1
        assert (seen == 1).all()
        _, _, x, y = views[0].visible
        assert 0.29 * 128 <= x <= 0.71 * 128 and 0.29 * 96 <= y <= 0.71 * 96


def test_mosaics_end_before_the_run_does():
    _, data = white_rectangles(6)
    loader = BoxLoader(data, SIZE, augmentation=PhotoAugmentation())

    def fraction(progress):
        draws = [loader.draw(epoch, i, progress=progress) for epoch in range(40) for i in range(6)]
        return np.mean([len(draw.indices) == 4 for draw in draws])

    assert 0.4 < fraction(0.0) < 0.6 and fraction(0.84) == fraction(0.0) and fraction(0.85) == 0
    # A draw depends on the progress in nothing else.
    alone = [epoch for epoch in range(20) if len(loader.draw(epoch, 0).indices) == 1]
    assert alone
    for epoch in alone:
        same_draw(loader.draw(epoch, 0), loader.draw(epoch, 0, progress=0.9))


def test_a_mosaic_with_more_boxes_than_there_is_room_for_is_not_made():
    size = (60, 60)
    many = boxes_of([[1, 1, 20 + i % 30, 30] for i in range(40)])
    samples = [Sample(f"{i}.png", i, size, many if i else boxes_of([])) for i in range(4)]
    data = DetectionDataset(tuple(samples), Categories(("a", "b"), (1, 2)))
    loader = BoxLoader(data, SIZE, augmentation=PhotoAugmentation(mosaic=1.0))
    assert loader.max_objects == 96
    kinds = set()
    for epoch in range(100):
        draw = loader.draw(epoch, 1)
        boxes = sum(len(data.samples[i].boxes.labels) for i in draw.indices)
        assert boxes <= 96 and (len(draw.indices) == 1 or draw.indices.count(0) >= 2)
        kinds.add(len(draw.indices))
    assert kinds == {1, 4}
    assert BoxLoader(data, SIZE, augmentation=PhotoAugmentation(mosaic=1.0), max_objects=40).max_objects == 40


def test_an_unusable_image_is_not_shown_in_mosaics(tmp_path):
    data = data_set_of(tmp_path, [boxes_of([[3, 3, 20, 30]]) for _ in range(4)])
    (tmp_path / "2.png").write_bytes(b"broken")
    loader = BoxLoader(data, SIZE, augmentation=PhotoAugmentation(mosaic=1.0))
    first = [loader.load(0, i) for i in range(4)]
    assert not any(2 in loader.draw(epoch, i).indices for epoch in range(20) for i in range(4))
    for index, example in enumerate(first):  # what was found on the way changes nothing afterwards
        for ours, theirs in zip(example, loader.load(0, index), strict=True):
            np.testing.assert_array_equal(ours, theirs)


# Images alone


def test_one_image_keeps_its_bounds():
    augmentation = PhotoAugmentation(zoom=(0.5, 2.0), stretch=0.25)
    fitted = fit_view((60, 90), SIZE).input_from_image
    rng, zooms, mirrored = np.random.default_rng(0), [], 0
    for _ in range(300):
        view = augmentation.draw((60, 90), SIZE, rng)
        (a, b, x), (c, d, _) = view.input_from_image
        assert b == c == 0 and d > 0 and view.visible == (0, 0, 128, 96)
        zooms.append(np.sqrt(abs(a) * d) / fitted[0, 0])
        assert np.exp(-0.25) <= abs(a) / d <= np.exp(0.25)
        left, right = sorted((x, x + 90 * a))
        # Within the input, or around it.
        assert (left >= -1e-6 and right <= 128 + 1e-6) or (left <= 1e-6 and right >= 128 - 1e-6)
        mirrored += a < 0
    assert 0.5 <= min(zooms) < 0.53 and 1.9 < max(zooms) <= 2.0 and 110 < mirrored < 190
    assert 0.95 < np.exp(np.mean(np.log(zooms))) < 1.05


def test_little_of_a_box_is_left_out_and_some_is_ignored():
    left_part = View(np.array([[1.0, 0, -60], [0, 1.0, 0]]), (40, 60), (0, 0, 60, 40))
    # Visible: 0.05, 0.05 of a crowd, 0.2, 0.5, all but 4 pixels high, all.
    boxes = boxes_of(
        [
            [10, 0, 62.63, 20],
            [10, 0, 62.63, 20],
            [20, 0, 70, 20],
            [50, 0, 70, 20],
            [65, 0, 99, 4],
            [65, 0, 99, 20],
        ],
        ignore=[0, 1, 0, 0, 0, 0],
    )
    moved, _ = boxes_and_fractions(boxes, (40, 120), left_part, BoxRules(0.4, 0.08, 5.0))
    np.testing.assert_allclose(moved.xyxy[:, 2], [2.63, 10, 10, 39, 39], atol=1e-4)
    assert moved.ignore.tolist() == [True, True, False, True, False]
    plain, _ = boxes_and_fractions(boxes, (40, 120), left_part, BoxRules())
    assert len(plain.xyxy) == 6 and plain.ignore.tolist() == [False, True, False, False, False, False]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_tiny_images_can_be_drawn(size):
    augmentation = PhotoAugmentation()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        view = augmentation.draw(size, (64, 64), rng)
        assert view.apply(np.full((*size, 3), 255, np.uint8)).shape == (64, 64, 3)
        images = [np.full((*size, 3), 255, np.uint8)] * 4
        views = augmentation.draw_mosaic([size] * 4, (64, 64), rng)
        draw = BoxLoader(white_rectangles(1)[1], (64, 64)).draw(0, 0)._replace(views=views)
        assert render(draw, images, clip=True).shape == (64, 64, 3)


# Colours


def test_colors_are_brightness_then_contrast_saturation_and_gain():
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    augmentation = PhotoAugmentation(grey=0.0)
    for seed in range(20):
        u = 2 * np.random.default_rng(seed).random(7) - 1
        shown = image.astype(np.float64) * (1 + 0.28 * u[0])
        mean = (shown @ [0.299, 0.587, 0.114]).mean()
        shown = mean + (shown - mean) * (1 + 0.28 * u[1])
        grey = (shown @ [0.299, 0.587, 0.114])[..., None]
        shown = (grey + (shown - grey) * (1 + 0.45 * u[2])) * (1 + 0.08 * u[3:6])
        color = color_of(augmentation, np.random.default_rng(seed))
        np.testing.assert_allclose(apply_color(image, color), shown, atol=2e-3)


def test_some_images_turn_grey():
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    shown = [
        apply_color(image, PhotoAugmentation(grey=0.3).draw_color(np.random.default_rng(seed)))
        for seed in range(200)
    ]
    grey = [each for each in shown if np.ptp(each, axis=2).max() < 1e-3]
    assert 40 < len(grey) < 80 and np.ptp(grey[0]) > 50


def test_what_is_outside_is_any_grey():
    levels = {PhotoAugmentation().draw_fill(np.random.default_rng(seed)) for seed in range(400)}
    assert all(r == g == b for r, g, b in levels) and len(levels) > 150
    assert min(levels)[0] < 5 and max(levels)[0] > 250


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"zoom": (0.5,)}, "zoom must be a sequence of 2 numbers"),
        ({"mosaic_zoom": (0, 1)}, r"mosaic_zoom\[0\] must be above 0"),
        ({"mosaic": 1.5}, "mosaic must be at least 0 and at most 1, not 1.5"),
        ({"mosaic_center": (0.0, 0.5)}, r"mosaic_center\[0\] must be above 0"),
        ({"gain": 1.0}, "gain must be at least 0 and below 1"),
        ({"min_side": -1}, "min_side must be at least 0"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        PhotoAugmentation(**settings)


def test_boxes_stay_boxes():
    assert isinstance(
        boxes_and_fractions(boxes_of([]), (40, 60), fit_view((40, 60), SIZE), BoxRules(0.4, 0.1, 5))[0], Boxes
    )
