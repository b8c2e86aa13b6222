"""CornerNet-Saccade on whole images: the way out to crops and back, and the authors' detections."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_cornernet.codecs import LEVELS, Decoded, SaccadeCodec
from keras_cornernet.inference import Detector, SaccadeConfig, SaccadeDetector, saccade
from keras_cornernet.inference.regions import distinct_regions
from keras_cornernet.models import CornerNetSaccade
from keras_cornernet.structures import Categories

CATEGORIES = Categories(tuple("abcde"), (1, 2, 3, 4, 5))
SMALL = SaccadeConfig(input_size=(63, 63), first_sizes=(48, 63), max_crops=5, crop_batch=2)


class BrightBox:
    """In place of a network and its codec: finds the box around all that is brighter than half.

    Its attention is for small objects, at the middle of the box.
    """

    num_detections = 2

    def __init__(self):
        self.seen = []

    def __call__(self, images, training=False):
        assert not training
        self.seen.append(tuple(images.shape))
        return images

    def decode(self, images, input_size):
        bright = ops.cast(images[..., 0] > 127, "float32")
        sides = []
        for axis, length in ((1, input_size[1]), (2, input_size[0])):
            profile = ops.max(bright, axis=axis)
            first, last = ops.argmax(profile, axis=1), length - ops.argmax(ops.flip(profile, 1), axis=1)
            sides.append((ops.cast(first, "float32"), ops.cast(last, "float32")))
        (x1, x2), (y1, y2) = sides
        box = ops.stack([x1, y1, x2, y2], -1)[:, None]
        score = ops.where(ops.max(bright, axis=(1, 2)) > 0, 0.75, -1.0)[:, None]
        return Decoded(
            ops.concatenate([box, box], 1),
            ops.concatenate([score, ops.zeros_like(score) - 1.0], 1),
            ops.ones((box.shape[0], 2), "int32"),
            ops.ones((box.shape[0], 2, 2)),
        )

    def attention(self, images):
        boxes = self.decode(images, images.shape[1:3]).boxes[:, 0]
        x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        maps = {}
        for name, level in LEVELS.items():
            side = -(-images.shape[1] // level.stride)
            cells = ops.cast(ops.arange(side), "float32")[None]

            def nms_distance(place, cells=cells, stride=level.stride):
                return ops.cast(ops.floor(place[:, None] / stride) == cells, "float32")

            maps[name] = 0.9 * nms_distance(y)[:, :, None] * nms_distance(x)[:, None, :] * (name == "small")
        return maps


def bright(**settings):
    finder = BrightBox()
    fields = {
        **{f: getattr(SMALL, f) for f in ("input_size", "first_sizes", "max_crops", "crop_batch")},
        **settings,
    }
    return SaccadeDetector(finder, finder, CATEGORIES, SaccadeConfig(**fields))


def rectangle(size, box):
    image = np.zeros((*size, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    return image


@pytest.mark.parametrize("settings", [{}, {"flip": True}, {"released_geometry": True}, {"box_score": None}])
def test_a_bright_box_is_found_where_it_is(settings):
    size, box = (150, 200), (100, 60, 117, 75)
    detector = bright(**settings)
    (found,) = detector.predict(rectangle(size, box), min_score=0, flip=None)
    assert found.names[0] == "b" and found.scores[0] == 0.75
    # One pixel of the first looks is four of the image, one of the crops less than one.
    apart = np.abs(found.boxes - box).max(axis=1)
    assert apart.min() < 1 and apart.max() < 4.5
    first, *crops = detector.network.seen
    rows = 2 * (1 + settings.get("flip", False))
    assert first == (rows, 63, 63, 3) and set(crops) <= {first} and len(detector.network.seen) <= 4


def test_an_image_with_nothing_on_it_is_looked_at_once():
    detector, looks = bright(), []
    find = detector._find
    detector._find = lambda crops, placement: looks.append(len(crops)) or find(crops, placement)
    detector.codec.attention = lambda images: {
        name: ops.zeros((images.shape[0], *(-(-n // level.stride) for n in images.shape[1:3])))
        for name, level in LEVELS.items()
    }
    (found,) = detector.predict(np.zeros((90, 120, 3), np.uint8))
    assert found.boxes.shape == (0, 4) and looks == []


def test_no_more_crops_are_looked_at_than_asked_for():
    class Everywhere(BrightBox):
        def attention(self, images):
            sides = {name: -(-images.shape[1] // level.stride) for name, level in LEVELS.items()}
            return {name: 0.5 * ops.ones((images.shape[0], side, side)) for name, side in sides.items()}

    finder, looks = Everywhere(), []
    detector = SaccadeDetector(finder, finder, CATEGORIES, SMALL)
    find = detector._find
    detector._find = lambda crops, placement: looks.append(len(crops)) or find(crops, placement)
    detector.predict(rectangle((300, 300), (100, 60, 117, 75)))
    assert looks == [2, 2, 2]  # five crops by two


@pytest.mark.parametrize("released", [True, False])
def test_without_boxes_marked_cells_are_taken_in_their_order(monkeypatch, released):
    """`"ref_dets": false` of the released code: no crops around boxes, no suppression, no sorting."""
    scores = {"large": np.zeros((2, 4, 4)), "medium": np.zeros((2, 8, 8)), "small": np.zeros((2, 16, 16))}
    scores["small"][:, 8, 8], scores["small"][:, 8, 9] = 0.4, 0.9  # neighbours
    scores["medium"][1, 4, 4], scores["large"][0, 2, 2] = 0.5, 0.31

    class Marked(BrightBox):
        def attention(self, images):
            return {name: ops.convert_to_tensor(maps.astype(np.float32)) for name, maps in scores.items()}

    finder, seen = Marked(), []
    settings = SaccadeConfig(
        input_size=(63, 63), first_sizes=(48, 63), max_crops=4, box_score=None, released_geometry=released
    )
    crop_at = saccade.crop_at
    monkeypatch.setattr(
        saccade, "crop_at", lambda region, *a, **k: seen.append(region) or crop_at(region, *a, **k)
    )
    SaccadeDetector(finder, finder, CATEGORIES, settings).predict(rectangle((90, 120), (50, 40, 70, 50)))
    first, crops = seen[:2], np.array(seen[2:])
    expected = []
    for view, zoom in enumerate(region[2] for region in first):
        for factor, maps in zip((1, 2, 4), scores.values(), strict=True):
            expected += [(factor * zoom, score) for score in maps[view][maps[view] > 0.3]]
    assert len(expected) == 6
    np.testing.assert_allclose(crops[:, 2:], expected[:4], rtol=1e-6)


def test_images_of_any_size_share_their_batches_of_crops():
    images = [
        rectangle((150, 200), (100, 60, 117, 75)),
        rectangle((97, 61), (20, 30, 40, 44)),
        np.zeros((50, 50, 3), np.uint8),
    ]
    alone = [bright().predict(image, min_score=0)[0] for image in images]
    together = bright().predict(images, min_score=0, batch_size=3)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-4)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)


def test_settings_change_and_the_kind_stays():
    detector = bright()
    other = detector.with_settings(max_crops=3, flip=True)
    assert isinstance(other, SaccadeDetector) and isinstance(other, Detector)
    assert (other.settings.max_crops, other.settings.flip, other.settings.crop_batch) == (3, True, 2)
    assert SaccadeDetector(None, None, CATEGORIES).settings == SaccadeConfig()
    assert SaccadeConfig().sigma == 0.7 and not SaccadeConfig().flip


@pytest.fixture(scope="module")
def tiny():
    """Untrained, but with a loose codec it finds plenty."""
    keras.utils.set_random_seed(3)
    network = CornerNetSaccade(
        2, stacks=1, channels=(8, 8, 8, 8), stem=(4, 8), pool_channels=4, head_channels=8
    )
    codec = SaccadeCodec(2, embedding_threshold=10.0)
    return SaccadeDetector(network, codec, CATEGORIES, SMALL)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (47, 45), (130, 90)])
def test_boxes_lie_inside_images_of_any_size(tiny, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    (found,) = tiny.predict(image, min_score=0)
    assert np.isfinite(found.boxes).all() and len(found.boxes) <= 100
    assert (found.boxes >= 0).all() and (found.boxes <= [size[1], size[0]] * 2).all()
    assert (np.diff(found.scores) <= 0).all()


# The authors' detections


@pytest.fixture(scope="module")
def authors_network(parity):
    pytest.importorskip("torch")
    from keras_cornernet.conversion import convert_checkpoint

    return convert_checkpoint(parity("cornernet_saccade", "checkpoint.pth") / "checkpoint.pth")[0]


@pytest.mark.parametrize(("case", "rounds"), [("default", 1), ("two_rounds", 2)])
def test_detection_parity(parity, authors_network, case, rounds, monkeypatch):
    folder = parity("saccade_inference")
    config = json.loads((folder / "cases.json").read_text())["cases"][case]["configs"]
    stored = np.load(folder / f"{case}.npz")
    settings = SaccadeConfig(
        first_sizes=tuple(config["init_sizes"]),
        thresholds=tuple(config["att_thresholds"]),
        zooms=tuple(map(tuple, config["att_scales"])),
        max_crops=config["att_max_crops"],
        crop_batch=35,
        released_geometry=True,
    )
    chosen = []
    monkeypatch.setattr(
        saccade,
        "distinct_regions",
        lambda *args, **kw: chosen.append(distinct_regions(*args, **kw)) or chosen[-1],
    )
    detector = SaccadeDetector(authors_network, SaccadeCodec(5), CATEGORIES, settings)
    # Step by step, which spares the time that compiling two graphs takes.
    detector._find, detector._find_and_attend = detector._candidates, detector._candidates_and_attention
    (found,) = detector.predict(np.ascontiguousarray(stored["image_bgr"][..., ::-1]), min_score=0)
    assert len(chosen) == rounds
    for step, places in enumerate(chosen):
        np.testing.assert_allclose(places, stored[f"location_nms{step}_out"], rtol=1e-4, atol=1e-3)
    expected = stored["detections"].astype(np.float32)
    height, width = found.image.shape[:2]
    expected[:, :4] = np.clip(expected[:, :4], 0, [width, height, width, height])
    rows = np.concatenate([found.boxes, found.scores[:, None], found.labels[:, None] + 1], axis=1)
    assert len(rows) == len(expected)
    # As a set, boxes to a hundredth of a pixel and scores to 1e-4: each of theirs has its own of ours.
    apart = np.abs(rows[:, None] - expected[None]) * [1, 1, 1, 1, 100, 1]
    assert apart.max(axis=-1).min(axis=0).max() < 1e-2  # seen: 2e-3
    assert sorted(apart.max(axis=-1).argmin(axis=0)) == list(range(len(rows)))
