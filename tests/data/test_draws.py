"""An example drawn in numbers: a pure function of seed, epoch and index, and what `load` makes of it."""

import timeit

import numpy as np
import pytest
from PIL import Image
from test_person_loader import pose_set_of
from test_pipeline import CATEGORIES, boxes_of, data_set_of

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.color import apply_color
from keras_cornernet.data.draws import HIDDEN_GREY, Draw, color_of
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.pose_augmentation import PHOTO_POSES, PoseAugmentation
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.data.rendering import render
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.preprocessing import View, fit_view, opencv, read_image, warp
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import DetectionDataset, Person, PoseDataset, Sample

LOADERS = {
    "paper": (BoxLoader, CornerNetCrop(border=20)),
    "small": (BoxLoader, SmallDataAugmentation(quarter_rotations=True)),
    "saccade": (BoxLoader, SaccadeCrop()),
    "boxes as they are": (BoxLoader, None),
    "pose": (PersonLoader, PoseAugmentation(jitter=0.2)),
    "people as they are": (PersonLoader, None),
}


@pytest.fixture(params=LOADERS)
def loader(request, tmp_path):
    kind, augmentation = LOADERS[request.param]
    boxes = [boxes_of([[5, 5, 30, 30 + i]]) for i in range(4)]
    data = pose_set_of(tmp_path) if kind is PersonLoader else data_set_of(tmp_path, boxes)
    return kind(data, (48, 64), augmentation=augmentation, seed=2)


def same_draw(one, other):
    assert one.indices == other.indices and one[3:] == other[3:]
    np.testing.assert_array_equal(one.color, other.color)
    for ours, theirs in zip(one.views, other.views, strict=True):
        assert ours[1:] == theirs[1:]
        np.testing.assert_array_equal(ours.input_from_image, theirs.input_from_image)


def test_load_is_a_draw_rendered_and_annotated(loader):
    for epoch, index in ((0, 1), (3, 2), (0, 1)):
        draw = loader.draw(epoch, index)
        same_draw(draw, loader.draw(epoch, index))
        assert draw.indices == (index,) and draw.input_size == (48, 64)
        assert draw.color.shape == (3, 5) and draw.color.dtype == np.float32
        image, *annotations = loader.load(epoch, index)
        np.testing.assert_array_equal(image, loader.render(draw))
        for name, ours, theirs in zip(loader.annotations, annotations, loader.annotate(draw), strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
            assert (ours.shape, ours.dtype) == loader.annotations[name]


def test_another_input_size_can_be_asked_for(loader):
    assert loader.draw(0, 1, input_size=(32, 80)).input_size == (32, 80)
    image, *_ = loader.load(0, 1, input_size=(32, 80))
    assert image.shape == (32, 80, 3)


def test_drawing_reads_no_pixels_and_is_quick(loader):
    def no_pixels(index):
        raise AssertionError("pixels were read")

    loader.images.read = no_pixels
    count = 200
    seconds = (
        min(timeit.repeat(lambda: [loader.draw(0, 1) for _ in range(count)], number=1, repeat=5)) / count
    )
    assert seconds < 500e-6  # some 50 microseconds, and a busy machine


def test_a_size_that_no_annotation_states_is_read_from_the_file(tmp_path):
    data = data_set_of(tmp_path, [boxes_of([]), boxes_of([])])
    unstated = data.replace(samples=tuple(s.replace(size=None) for s in data.samples))
    for index in range(2):
        same_draw(
            BoxLoader(unstated, (48, 64), augmentation=CornerNetCrop()).draw(0, index),
            BoxLoader(data, (48, 64), augmentation=CornerNetCrop()).draw(0, index),
        )


def test_a_broken_image_is_drawn_no_more_once_it_is_known(tmp_path):
    data = data_set_of(tmp_path, [boxes_of([[0, 0, 9, i + 9]]) for i in range(3)])
    (tmp_path / "1.png").write_bytes(b"broken")
    loader = BoxLoader(data, (48, 64), augmentation=SmallDataAugmentation())
    with pytest.raises(OSError, match="cannot be used"):
        loader.render(loader.draw(0, 1))
    same_draw(loader.draw(0, 1), loader.draw(0, 2))


# Users' own augmentations


class Plain:
    """No more than a `draw`."""

    def draw(self, image_size, input_size, rng, boxes):
        view = fit_view(image_size, input_size)
        return view._replace(
            input_from_image=view.input_from_image + np.array([[0, 0, len(boxes)], [0, 0, 0]])
        )


def test_an_object_with_no_more_than_a_draw_is_an_augmentation(tmp_path):
    data = data_set_of(tmp_path, [boxes_of([[5, 5, 30, 30], [1, 1, 9, 9]], ignore=[0, 1])])
    image, boxes, _, ignore = BoxLoader(data, (40, 60), augmentation=Plain()).load(0, 0)
    np.testing.assert_array_equal(image[:, 1:], read_image(tmp_path / "0.png")[:, :-1])
    np.testing.assert_allclose(boxes, [[6, 5, 31, 30], [2, 1, 10, 9]], atol=1e-5)
    assert ignore.tolist() == [False, True]


def test_an_augmentation_may_draw_its_own_colors():
    class Inverted(Plain):
        def draw_color(self, rng):
            return np.array([[-1, 0, 0, 0, 255], [0, -1, 0, 0, 255], [0, 0, -1, 0, 255]], np.float32)

    assert color_of(Inverted(), np.random.default_rng(0))[1].tolist() == [0, -1, 0, 0, 255]


def test_gain_multiplies_each_channel_after_the_jitter():
    plain = color_of(SmallDataAugmentation(), np.random.default_rng(1))
    gained = color_of(PoseAugmentation(gain=(0.5, 2.0), jitter=0.3, lighting=0.1), np.random.default_rng(1))
    factors = gained / plain
    np.testing.assert_allclose(factors, factors[:, :1] * np.ones(5), rtol=1e-5)
    assert ((factors > 0.5) & (factors < 2.0)).all() and np.ptp(factors[:, 0]) > 0.01


# Rendering


def test_several_images_share_an_input_each_in_its_own_rectangle():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (30, 40, 3), dtype=np.uint8) for _ in range(4)]
    rectangles = [(0, 0, 25, 15), (25, 0, 60, 15), (0, 15, 25, 50), (25, 15, 60, 50)]
    views = tuple(
        View(np.array([[1.0, 0, x1 - 3], [0, 1.0, y1 + 4]]), (50, 60), (x1, y1, x2, y2))
        for x1, y1, x2, y2 in rectangles
    )
    draw = Draw((0, 1, 2, 3), views, fill=(10, 20, 30))
    shown = render(draw, images, clip=False)
    expected = np.empty((50, 60, 3), np.uint8)
    expected[:] = (10, 20, 30)
    for image, view, (x1, y1, x2, y2) in zip(images, views, rectangles, strict=True):
        placed = warp(image, view.input_from_image, (50, 60))
        bottom, right = min(y2, y1 + 34), min(x2, x1 + 37)
        expected[y1 + 4 : bottom, x1:right] = placed[y1 + 4 : bottom, x1:right]
    np.testing.assert_allclose(shown, expected, atol=1e-3)
    assert draw.clips == tuple(rectangles) and draw.input_size == (50, 60)
    assert Draw((0,), views[:1]).clips == ((0, 0, 60, 50),)


def test_grey_mean_is_that_of_the_whole_input_fill_included():
    image = np.full((10, 10, 3), 200, np.uint8)
    view = View(np.array([[1.0, 0, 0], [0, 1.0, 0]]), (10, 20), (0, 0, 20, 10))
    color = np.array([[0, 0, 0, 1, 0], [0, 0, 0, 0.5, 0], [0, 0, 1, 0, 7]], np.float32)
    shown = render(Draw((0,), (view,), color, fill=(100, 100, 100)), [image], clip=False)
    np.testing.assert_allclose(shown[0, 0], [150, 75, 207], rtol=1e-5)
    np.testing.assert_allclose(shown[0, 15], [150, 75, 107], rtol=1e-5)


def test_a_rectangle_is_hidden_after_colors_changed_and_colors_may_be_clipped():
    image = np.full((10, 10, 3), 200, np.uint8)
    draw = Draw(
        (0,), (fit_view((10, 10), (10, 10)),), 2 * np.eye(3, 5, dtype=np.float32), hidden=(2, 3, 5, 7)
    )
    for clip, level in ((True, 255), (False, 400)):
        shown = render(draw, [image], clip=clip)
        expected = np.full((10, 10, 3), float(level))
        expected[3:7, 2:5] = HIDDEN_GREY
        np.testing.assert_array_equal(shown, expected)
    np.testing.assert_array_equal(apply_color(image, draw.color), np.full((10, 10, 3), 400))


@pytest.mark.parametrize("augmentation", [PhotoAugmentation(), CornerNetCrop(), PHOTO_POSES])
def test_without_opencv_examples_agree_within_a_grey_level(tmp_path, monkeypatch, augmentation):
    pytest.importorskip("cv2")
    people, sizes = [], [(300, 400), (211, 305), (640, 480)]
    for i, (height, width) in enumerate(sizes):
        rng = np.random.default_rng(i)
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        image = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
        image = np.clip(image + rng.normal(0, 8, (height, width, 1)), 0, 255).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f"{i}.jpg", quality=90)
        center = np.array([width / 2, height / 2], np.float32)
        joints = np.zeros((14, 2), np.float32)
        people.append(Person(str(tmp_path / f"{i}.jpg"), i, center, 250.0, joints, np.zeros(14, np.int32)))
    samples = tuple(Sample(person.path, i, sizes[i], boxes_of([])) for i, person in enumerate(people))
    if augmentation is PHOTO_POSES:
        loader = PersonLoader(PoseDataset(tuple(people), LSP), (96, 96), augmentation=augmentation)
    else:
        loader = BoxLoader(DetectionDataset(samples, CATEGORIES), (96, 128), augmentation=augmentation)
    ours = [loader.load(epoch, i)[0] for epoch in range(6) for i in range(3)]
    monkeypatch.setattr(opencv, "cv2", None)
    loader.images._cache.clear()
    theirs = [loader.load(epoch, i)[0] for epoch in range(6) for i in range(3)]
    differences = [np.abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    assert max(d.mean() for d in differences) < 1 and np.mean(differences) < 0.5
