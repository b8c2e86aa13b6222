"""People on whole images: crops, mirror images and the way back; the network finds painted dots."""

import json

import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.mirroring import unmirror
from keras_cornernet.results import Detections
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories, Person, PoseDataset

SKELETON = Skeleton("dots", ("head", "left_hand", "right_hand"), ((0, 1), (0, 2)), ((1, 2),))
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.float32)  # of the joints
GREY = 50
SHAPE = np.array([[0, -9], [-7, 4], [8, 6]])  # of a person about the middle


class Dots:
    """In place of a network: the map of a joint is high where the image has its colour.

    Args:
        reach: how far from the middle it looks, pixels.
    """

    def __init__(self, reach=None):
        self.reach = reach

    def __call__(self, images, training=False):
        assert not training
        distance = ops.max(ops.abs(images[..., None, :] - COLOURS), axis=-1)
        maps = ops.relu(1 - distance / 200)
        if self.reach is not None:
            y, x = (np.abs(np.arange(n) + 0.5 - n / 2) <= self.reach for n in images.shape[1:3])
            maps = maps * (y[:, None] & x).astype(np.float32)[..., None]
        return [{"keypoints": {"heatmap": maps}}]


class Sides:
    """In place of a network: of the white dots, the left hand is the one at the right, as of who faces us."""

    def __call__(self, images, training=False):
        bright = ops.cast(images[..., :1] > 200, "float32")
        right = (np.arange(images.shape[2]) >= images.shape[2] / 2).astype(np.float32)[:, None]
        return [
            {"keypoints": {"heatmap": ops.concatenate([bright, bright * right, bright * (1 - right)], -1)}}
        ]


class Finder:
    """In place of a detector."""

    categories = Categories(("dog", "person"), (18, 1))

    def __init__(self, boxes, scores, labels):
        self.found = (np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))
        self.labels = np.array(labels, np.int32)

    def predict(self, image, *, min_score, flip):
        found = Detections(*self.found, self.labels, self.categories, image)
        return [found.shown(min_score)]


def estimator(network=None, *, detector=None, **settings):
    settings = PoseInferenceConfig(**{"input_size": (64, 64), "padding": 1.0, "flip": False, **settings})
    codec = KeypointCodec(refinement="none")
    return PoseEstimator(network or Dots(), codec, SKELETON, settings, detector=detector)


def painted(size, *middles):
    """A grey image with people, and the middles of their dots' pixels."""
    image = np.full((*size, 3), GREY, np.uint8)
    joints = []
    for middle in middles:
        places = SHAPE + middle
        for (x, y), colour in zip(places, COLOURS, strict=True):
            if 0 <= x < size[1] and 0 <= y < size[0]:
                image[y, x] = colour
        joints.append(places + 0.5)
    return image, np.array(joints, np.float32).reshape(-1, 3, 2)


def square(x, y, side=64):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


# The way back to the image


@pytest.mark.parametrize("size", [(40, 60), (60, 40), (60, 60)])
def test_without_boxes_the_image_is_one_person(size):
    image, joints = painted(size, (20, 20))
    # Three input pixels for one of the image: the middle one has its very colour.
    (found,) = estimator(input_size=(180, 180), padding=1.25).predict(image)
    np.testing.assert_allclose(found.keypoints, joints, atol=1e-4)
    np.testing.assert_allclose(found.keypoint_scores, 1, atol=1e-6)
    np.testing.assert_array_equal(found.boxes, [[0, 0, size[1], size[0]]])
    np.testing.assert_array_equal(found.box_scores, [1])
    assert found.path is None
    np.testing.assert_array_equal(found.image, image)


def test_a_wide_input_shows_the_square_in_its_middle():
    image, joints = painted((70, 90), (40, 35))
    (found,) = estimator(input_size=(64, 96)).predict(image, np.array([square(40, 35)]))
    np.testing.assert_allclose(found.keypoints, joints, atol=1e-4)


def test_boxes_are_padded_to_squares():
    image, joints = painted((100, 120), (50, 40))
    narrow = np.array([[50 - 25.6, 30, 50 + 25.6, 50]])  # 51.2 x 20
    (found,) = estimator(padding=1.25).predict(image, narrow)
    np.testing.assert_allclose(found.keypoints, joints, atol=1e-4)
    np.testing.assert_allclose(found.boxes, narrow, atol=1e-5)


def test_a_crop_may_lie_partly_outside():
    image, joints = painted((70, 90), (2, 10))  # one hand lies left of the image
    (found,) = estimator().predict(image, np.array([square(2, 10)]))
    np.testing.assert_allclose(found.keypoints[0, [0, 2]], joints[0, [0, 2]], atol=1e-4)
    assert found.keypoint_scores[0, [0, 2]] == pytest.approx(1)
    assert found.keypoint_scores[0, 1] == 0
    (outside,) = estimator().predict(image, np.array([[-900, -900, -850, -850]]))
    np.testing.assert_array_equal(outside.keypoint_scores, 0)
    assert np.isfinite(outside.keypoints).all()


# Several people


def test_people_close_together_are_each_read_by_their_own_crop():
    """Both crops show both people; the answer is the one in the middle."""
    image, joints = painted((100, 140), (50, 50), (76, 50))  # 26 pixels apart
    boxes = np.array([square(50, 50), square(76, 50)])
    (found,) = estimator(Dots(reach=13)).predict(image, boxes)
    np.testing.assert_allclose(found.keypoints, joints, atol=1e-4)
    (swapped,) = estimator(Dots(reach=13)).predict(image, boxes[::-1])
    np.testing.assert_allclose(swapped.keypoints, joints[::-1], atol=1e-4)
    # Who looks everywhere takes one head for both people.
    (blind,) = estimator().predict(image, boxes)
    np.testing.assert_allclose(blind.keypoints[0, 0], blind.keypoints[1, 0], atol=1e-4)


def test_more_people_than_a_batch_holds():
    middles = [(40 + 30 * i, 40) for i in range(5)]
    image, joints = painted((80, 240), *middles)
    boxes = np.array([square(x, y, 28) for x, y in middles])
    estimate = estimator(Dots(reach=42), input_size=(84, 84))
    for batch_size in (1, 2, 5, 8):
        (found,) = estimate.predict(image, boxes, batch_size=batch_size)
        np.testing.assert_allclose(found.keypoints, joints, atol=1e-4)


def test_boxes_of_several_images():
    (one, first), (other, second) = painted((64, 80), (32, 32)), painted((90, 64), (40, 60), (24, 22))
    boxes = [np.array([square(32, 32, 30)]), [square(40, 60, 30), square(24, 22, 30)]]
    found = estimator(Dots(reach=42), input_size=(90, 90)).predict([one, other], boxes)
    np.testing.assert_allclose(found[0].keypoints, first, atol=1e-4)
    np.testing.assert_allclose(found[1].keypoints, second, atol=1e-4)


@pytest.mark.parametrize("boxes", [[np.zeros((0, 4))], [[]], np.zeros((0, 4))])
def test_nobody_gives_empty_poses(boxes):
    image, _ = painted((64, 64))
    (found,) = estimator().predict(image, boxes)
    assert found.keypoints.shape == (0, 3, 2)
    assert found.keypoint_scores.shape == (0, 3)
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    assert found.to_coco(1) == []
    assert json.loads(found.to_json()) == []
    assert np.array_equal(np.asarray(found.plot()), image)


def test_the_detector_finds_the_people():
    image, joints = painted((100, 140), (40, 40), (100, 60))
    boxes = [square(40, 40, 51.2), square(70, 50, 20), square(100, 60, 51.2), square(10, 10, 20)]
    finder = Finder(boxes, [0.75, 0.7, 0.5, 0.29], [1, 0, 1, 1])  # the second is a dog, the last unsure
    (found,) = estimator(detector=finder, padding=1.25).predict(image, "detect")
    np.testing.assert_allclose(found.keypoints, joints, atol=1e-4)
    np.testing.assert_allclose(found.boxes, np.array(boxes)[[0, 2]], atol=1e-5)
    np.testing.assert_allclose(found.box_scores, [0.75, 0.5])
    np.testing.assert_allclose(found.scores, [0.75, 0.5], atol=1e-6)
    (unsure,) = estimator(detector=finder).with_settings(min_score=0.2).predict(image, "detect")
    assert len(unsure.keypoints) == 3
    (nobody,) = estimator(detector=Finder([], [], [])).predict(image, "detect")
    assert len(nobody.keypoints) == 0


# The mirror image


def test_the_mirror_image_exchanges_left_and_right():
    image = np.full((64, 64, 3), GREY, np.uint8)
    image[20, 10] = image[40, 50] = 255
    for flip in (False, True):
        (found,) = estimator(Sides()).predict(image, flip=flip)
        np.testing.assert_allclose(found.keypoints[0, 1:], [[50.5, 40.5], [10.5, 20.5]], atol=1e-4)
        np.testing.assert_allclose(found.keypoint_scores, 1)  # both views say the same


def test_maps_of_both_views_are_averaged():
    class Slanted(Dots):
        """Sees better at the right."""

        def __call__(self, images, training=False):
            maps = super().__call__(images)[0]["keypoints"]["heatmap"]
            slope = ((np.arange(64) + 0.5) / 64).astype(np.float32)
            return [{"keypoints": {"heatmap": maps * slope[:, None]}}]

    pairless = SKELETON.replace(flip_pairs=())  # the colours stay as they are in a mirror
    image, joints = painted((64, 64), (20, 30))
    estimate = estimator(Slanted(), flip=True)
    estimate = PoseEstimator(estimate.network, estimate.codec, pairless, estimate.settings)
    (both,), (one,) = estimate.predict(image, flip=True), estimate.predict(image)
    np.testing.assert_allclose(both.keypoints, joints, atol=1e-4)
    np.testing.assert_allclose(both.keypoint_scores, 0.5, atol=1e-6)
    np.testing.assert_allclose(one.keypoint_scores, joints[..., 0] / 64, atol=1e-6)


def test_unmirror():
    maps = np.arange(12, dtype=np.float32).reshape(1, 1, 4, 3)
    # Columns 3, 2, 1, 0; the last two joints change places.
    back = [[9, 11, 10], [6, 8, 7], [3, 5, 4], [0, 2, 1]]
    np.testing.assert_array_equal(np.array(unmirror(maps, SKELETON))[0, 0], back)
    shifted = np.array(unmirror(maps, SKELETON, shift=True))[0, 0]
    np.testing.assert_array_equal(shifted, [back[0], *back[:3]])


# Sources and faults


@pytest.fixture
def folder(tmp_path):
    """Two images of one person each, and between them one that is broken."""
    for name, middle in (("a.png", (32, 32)), ("c.png", (34, 30))):
        Image.fromarray(painted((64, 64), middle)[0]).save(tmp_path / name)
    (tmp_path / "b.png").write_text("no image")
    return tmp_path


def test_an_image_that_cannot_be_read_is_named_or_skipped(folder):
    with pytest.raises(OSError, match=r"b\.png: not an image"):
        estimator().predict(folder)
    told = []
    found = list(estimator().stream(folder, on_error=lambda path, error: told.append((path, str(error)))))
    assert [poses.path for poses in found] == [str(folder / "a.png"), str(folder / "c.png")]
    np.testing.assert_allclose(found[1].keypoints, painted((64, 64), (34, 30))[1], atol=1e-4)
    ((path, sentence),) = told
    assert path == str(folder / "b.png")
    assert path in sentence
    with pytest.raises(OSError, match=r"gone\.png: no such file"):
        estimator().predict("gone.png")


def test_boxes_stay_with_their_images_where_one_is_skipped(folder):
    boxes = [[square(32, 32)], [square(1, 1)], [square(34, 30)]]
    found = list(estimator().stream(folder, boxes, on_error=lambda *_: None))
    np.testing.assert_allclose(found[1].keypoints, painted((64, 64), (34, 30))[1], atol=1e-4)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (np.array([[0, 0, 9, 9], [5, 5, 5, 9]]), r"boxes\[1\] must be x1 < x2, y1 < y2, not \[5.0, 5.0"),
        (np.zeros((1, 8)), r"boxes: expected the shape \(n, 4\) for each image, got \(1, 8\)"),
        (np.zeros((4, 5)), r"got \(4, 5\)"),
        (np.array([[0, np.nan, 9, 9]]), r"boxes\[0\] must be"),
        ([np.zeros((0, 4))] * 2, "one array for each image: 1, not 2"),
        ("everyone", "None, 'detect', a function or arrays, not 'everyone'"),
        ("detect", "needs an estimator with a detector"),
    ],
)
def test_wrong_boxes_are_told(boxes, message):
    with pytest.raises(ValueError, match=message):
        estimator().predict(painted((64, 64))[0], boxes)


def test_wrong_settings_are_told():
    image, _ = painted((64, 64))
    with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
        estimator().predict(image, batch_size=0)
    blind = estimator(detector=Finder([], [], []), label="horse")
    with pytest.raises(ValueError, match="no class 'horse', but dog, person"):
        blind.predict(image, "detect")


def test_objects_of_several_classes_are_read():
    finder = Finder([[0, 0, 30, 30], [30, 30, 60, 60]], [0.9, 0.8], [0, 1])
    image, _ = painted((64, 64), (10, 10))
    counts = [
        len(estimator(detector=finder, label=label).predict(image, "detect", min_score=0.5)[0])
        for label in ("dog", ("dog", "person"), ("horse", "person"))
    ]
    assert counts == [1, 2, 1]


def test_settings_are_changed_in_a_copy():
    finder = Finder([], [], [])
    before = estimator(detector=finder)
    after = before.with_settings(flip=True)
    assert (before.settings.flip, after.settings.flip) == (False, True)
    assert after.detector is finder


# Data sets


def test_people_of_a_data_set(folder):
    nowhere, hidden = np.zeros((3, 2), np.float32), np.zeros(3, np.int32)
    shown = [
        ("a.png", (32, 32)),
        ("b.png", (5, 5)),
        ("c.png", (34, 30)),
        ("c.png", (34, 30)),
        ("b.png", (9, 9)),
    ]
    people = tuple(
        Person(str(folder / name), 1, np.array(middle, np.float32), 64.0, nowhere, hidden)
        for name, middle in shown
    )
    pose_dataset, told, steps = PoseDataset(people, SKELETON), [], []

    def progress(items):
        for item in items:
            steps.append(item)
            yield item

    for batch_size in (1, 2, 16):
        points, scores = estimator().read_dataset(
            pose_dataset, batch_size=batch_size, on_error=lambda path, _: told.append(path), progress=progress
        )
        assert np.isnan(points[[1, 4]]).all()
        assert np.isnan(scores[[1, 4]]).all()
        for place, middle in ((0, (32, 32)), (2, (34, 30)), (3, (34, 30))):
            np.testing.assert_allclose(points[place], painted((64, 64), middle)[1][0], atol=1e-4)
            np.testing.assert_allclose(scores[place], 1, atol=1e-6)
    assert told[:2] == [str(folder / "b.png")] * 2
    assert len(steps) == 3 * len(people)
    with pytest.raises(OSError, match=r"b\.png"):
        estimator().read_dataset(pose_dataset)
    points, _ = estimator().read_dataset(PoseDataset((), SKELETON))
    assert points.shape == (0, 3, 2)


# What is found, as pictures and text


def test_poses_are_drawn_and_written(tmp_path):
    image, joints = painted((64, 64), (32, 32))
    finder = Finder([[0, 0, 64, 64]], [0.5], [1])
    (found,) = estimator(detector=finder).predict(image, "detect")
    assert found.names == SKELETON.joints
    assert found.limbs == SKELETON.limbs
    assert np.array_equal(np.asarray(found.plot(min_keypoint_score=1.1)), image)  # no joint is so sure
    drawn = np.asarray(found.plot())
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    assert found.save(tmp_path / "posed.png") == tmp_path / "posed.png"
    with Image.open(tmp_path / "posed.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), drawn)
    with pytest.raises(ValueError, match="carries none"):
        found.replace(image=None).plot()

    (result,) = json.loads(json.dumps(found.to_coco(7)))
    assert result["image_id"] == 7 and result["category_id"] == 1 and result["score"] == 0.5
    triples = np.array(result["keypoints"]).reshape(3, 3)
    np.testing.assert_allclose(triples[:, :2], joints[0], atol=1e-3)
    np.testing.assert_allclose(triples[:, 2], 1, atol=1e-3)

    (person,) = json.loads(found.to_json())
    assert person["box"] == [0, 0, 64, 64] and person["score"] == 0.5
    assert list(person["keypoints"]) == list(SKELETON.joints)
    np.testing.assert_allclose(person["keypoints"]["left_hand"], [*joints[0, 1], 1], atol=1e-3)
