"""Whole images: every kind of source and size, and the way back to image pixels."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from naive_soft_nms import authors_merge, naive
from PIL import Image

from keras_cornernet.codecs import CornerCodec, Decoded, DecodedTriplets, TripletCodec
from keras_cornernet.inference import Detector
from keras_cornernet.inference.config import InferenceConfig
from keras_cornernet.inference.reading import list_images
from keras_cornernet.models import CornerNet
from keras_cornernet.structures import Categories

CATEGORIES = Categories(("cat", "dog"), (3, 8))
TINY = {
    "channels": (8, 8, 8),
    "num_blocks": (1, 1, 1),
    "stem": (4, 8),
    "pool_channels": 4,
    "head_channels": 8,
}


class BrightBox:
    """In place of a network and its codec: finds the box around all that is brighter than half."""

    def __call__(self, images, training=False):
        assert not training
        return images

    def decode(self, outputs, input_size):
        bright = ops.cast(outputs[..., 0] > 127, "float32")
        sides = []
        for axis, length in ((1, input_size[1]), (2, input_size[0])):
            profile = ops.max(bright, axis=axis)
            first, last = ops.argmax(profile, axis=1), length - ops.argmax(ops.flip(profile, 1), axis=1)
            sides.append((ops.cast(first, "float32"), ops.cast(last, "float32")))
        (x1, x2), (y1, y2) = sides
        box = ops.stack([x1, y1, x2, y2], -1)[:, None]
        score = ops.where(ops.max(bright, axis=(1, 2)) > 0, 0.75, -1.0)[:, None]
        rejected = ops.zeros_like(score) - 1.0
        return Decoded(
            ops.concatenate([box, box], 1),
            ops.concatenate([score, rejected], 1),
            ops.ones((box.shape[0], 2), "int32"),
            ops.ones((box.shape[0], 2, 2)),
        )


def bright(**settings):
    return Detector(BrightBox(), BrightBox(), CATEGORIES, InferenceConfig(**settings))


def rectangle(size, box):
    image = np.zeros((*size, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    return image


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def detector():
    """Untrained, but it finds plenty."""
    keras.utils.set_random_seed(1)
    codec = CornerCodec(2, top_k=20, num_detections=50, embedding_threshold=10.0)
    return Detector(CornerNet(2, stacks=1, **TINY), codec, CATEGORIES, InferenceConfig(size_divisor=16))


def same(one, other, atol=1e-3):
    np.testing.assert_allclose(one.boxes, other.boxes, atol=atol)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    np.testing.assert_array_equal(one.labels, other.labels)


# The way back to the image


@pytest.mark.parametrize(
    "settings",
    [
        {"flip": False},
        {"flip": True},
        {"input_size": (127, 191)},
        {"input_size": (50, 50), "flip": False},
        {"scales": (0.5,)},
        {"scales": (1.5,), "size_divisor": 64},
        {"scales": (0.75, 1.0, 2.0), "merge_exponent": 10.0},
    ],
)
@pytest.mark.parametrize("size", [(60, 90), (95, 61), (127, 127)])
def test_a_bright_box_is_found_where_it_is(settings, size):
    box = (14, 22, 49, 55)
    (found,) = bright(**settings).predict(rectangle(size, box), min_score=0, flip=None)
    pixel = max(size) / min(settings.get("input_size", (1000,))) if "input_size" in settings else 1
    pixel = max(1, pixel, 1 / min(settings.get("scales", (1,))))
    tolerance = 0.01 if settings in ({"flip": False}, {"flip": True}) else pixel
    np.testing.assert_allclose(found.boxes[0], box, atol=tolerance)
    assert found.scores[0] == 0.75 and found.names[0] == "dog"
    views = len(settings.get("scales", (1,))) * (1 + settings.get("flip", True))
    # One for each view, lowered by soft-NMS until it falls below the threshold; the rejected ones are gone.
    assert len(found.boxes) == min(views, 4)


def test_boxes_are_clipped_to_the_image():
    """A box to the input's edge, over the black border, ends where the image ends."""

    class Whole(BrightBox):
        def decode(self, outputs, input_size):
            decoded = super().decode(outputs, input_size)
            edge = ops.convert_to_tensor(np.array([-9, -9, input_size[1] + 9, input_size[0] + 9], np.float32))
            return decoded._replace(boxes=ops.zeros_like(decoded.boxes) + edge)

    for settings in (
        InferenceConfig(),
        InferenceConfig(input_size=(64, 64)),
        InferenceConfig(scales=(0.5, 1.5)),
    ):
        whole = Detector(Whole(), Whole(), CATEGORIES, settings)
        images = [rectangle((33, 57), (5, 5, 30, 30)), rectangle((70, 20), (5, 5, 15, 60))]
        for found in whole.predict(images, min_score=0, flip=None):
            height, width = found.image.shape[:2]
            np.testing.assert_allclose(found.boxes, [[0, 0, width, height]] * len(found.boxes), atol=1e-4)


# Sources


def test_arrays_of_every_kind():
    rgb = rectangle((60, 90), (14, 22, 49, 55))
    grey = rgb[..., 0]
    kinds = [
        rgb,
        grey,
        grey[..., None],
        np.dstack([rgb, grey]),
        rgb.astype(np.float32),
        grey.astype(np.uint16) * 257,
    ]
    for found in bright(flip=False).predict(kinds):
        np.testing.assert_allclose(found.boxes, [[14, 22, 49, 55]], atol=1e-3)
        np.testing.assert_array_equal(found.image, rgb)
        assert found.path is None
    assert len(bright().predict(np.stack([rgb] * 3))) == 3


def test_paths_folders_and_lists(tmp_path):
    for i in range(3):
        Image.fromarray(rectangle((40, 50), (5 + i, 5, 30, 30))).save(tmp_path / f"{i}.png")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "sub").mkdir()
    find = bright(flip=False).predict
    for source in (tmp_path, str(tmp_path), sorted(tmp_path.glob("*.png")), [tmp_path]):
        results = find(source)
        assert [found.path for found in results] == [str(tmp_path / f"{i}.png") for i in range(3)]
        assert [round(float(found.boxes[0, 0])) for found in results] == [5, 6, 7]
    (one,) = find(str(tmp_path / "1.png"))
    assert one.path == str(tmp_path / "1.png")
    mixed = find([tmp_path / "1.png", rectangle((40, 50), (9, 5, 30, 30)), tmp_path])
    assert [round(float(found.boxes[0, 0])) for found in mixed] == [6, 9, 5, 6, 7]
    assert find([]) == []


def test_what_cannot_be_read_is_named_or_skipped(tmp_path):
    Image.fromarray(rectangle((40, 50), (5, 5, 30, 30))).save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    find = bright(flip=False)
    with pytest.raises(OSError, match=r"broken\.jpg"):
        find.predict(tmp_path)
    with pytest.raises(OSError, match=r"gone\.png: no such file"):
        find.predict(tmp_path / "gone.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match="holds no image"):
        find.predict(tmp_path / "empty")
    with pytest.raises(ValueError, match="not \\(5,\\)"):
        find.predict(np.zeros(5))

    skipped = []
    source = [tmp_path / "gone.png", tmp_path]
    found = list(find.stream(source, on_error=lambda path, error: skipped.append((path, str(error)))))
    assert [result.path for result in found] == [str(tmp_path / "good.png")]
    assert [path for path, _ in skipped] == [str(tmp_path / "gone.png"), str(tmp_path / "broken.jpg")]
    assert all(path in message for path, message in skipped)


def test_list_images_keeps_the_order_of_a_list():
    arrays = [noise(4, 4, i) for i in range(3)]
    assert [list_images(arrays)[i] is arrays[i] for i in range(3)] == [True] * 3


# Options


def test_one_forward_pass_and_sure_boxes_unless_asked_for_more():
    image, box = rectangle((127, 127), (14, 22, 49, 55)), [14, 22, 49, 55]
    detector = bright()  # whose settings use the mirror image, in which the box scores 0.75 too
    (found,) = detector.predict(image)
    np.testing.assert_allclose(found.boxes, [box], atol=0.01)
    (both,) = detector.predict(image, flip=None)
    assert len(both.boxes) == 1  # the second one is suppressed to a score below 0.3
    (everything,) = detector.predict(image, flip=True, min_score=0)
    assert len(everything.boxes) == 2 and everything.scores[1] < 0.3
    assert len(detector.predict(image, min_score=0.76)[0].boxes) == 0


@pytest.mark.parametrize("wrong", [{"min_score": 1.5}, {"min_score": float("nan")}, {"batch_size": 0}])
def test_options_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        bright().predict([], **wrong)


def test_speed_is_measured_part_by_part(tmp_path):
    image = rectangle((60, 90), (14, 22, 49, 55))
    Image.fromarray(image).save(tmp_path / "a.png")
    from_file, from_array = bright().predict([tmp_path / "a.png", image], batch_size=2)
    assert from_file.speed.reading > 0 and from_array.speed.reading == 0
    assert from_file.speed.graph > 0 and from_file.speed.rest > 0
    assert from_file.speed.graph == from_array.speed.graph  # a batch shares its time


# A real network


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (2, 3)])
@pytest.mark.parametrize("input_size", [None, (63, 63)])
def test_images_of_odd_sizes_pass(size, input_size):
    (found,) = bright(input_size=input_size).predict(np.full((*size, 3), 255, np.uint8))
    assert np.isfinite(found.boxes).all()
    if input_size is None:
        np.testing.assert_allclose(found.boxes[0], [0, 0, size[1], size[0]], atol=1e-3)


@pytest.mark.slow
def test_found_boxes_lie_inside_the_image_best_first(detector):
    for image in (noise(47, 45), np.zeros((47, 45, 3), np.uint8), noise(35, 40)):
        (found,) = detector.predict(image, min_score=0, flip=None)
        height, width = image.shape[:2]
        assert found.boxes.shape == (len(found.scores), 4) and len(found.scores) <= 100
        assert found.boxes.dtype == np.float32 and np.isfinite(found.boxes).all()
        assert (found.boxes >= 0).all() and (found.boxes <= [width, height, width, height]).all()
        assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
        assert (np.diff(found.scores) <= 0).all() and (found.scores > 0).all() and (found.scores <= 1).all()
        assert set(found.labels.tolist()) <= {0, 1}
    assert len(detector.predict(noise(47, 45), min_score=0)[0].boxes) > 10


@pytest.mark.slow
def test_batches_find_what_single_images_do(detector):
    images = [noise(45, 60, i) for i in range(3)] + [noise(30, 70, 3)] + [noise(47, 63, i) for i in (4, 5)]
    options = {"min_score": 0, "flip": None}
    single = detector.predict(images, **options)
    assert len(single) == 6
    for one, other in zip(single, detector.predict(images, batch_size=3, **options), strict=True):
        same(one, other)
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        detector.predict(images, batch_size=0)


def test_the_mirror_image_gives_the_mirrored_boxes(detector):
    image = noise(47, 45)  # an odd width stands in the middle of the odd input
    found, mirrored = (
        detector.predict(shown, min_score=0, flip=None)[0] for shown in (image, image[:, ::-1])
    )
    back = mirrored.boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [45, 0, 45, 0]
    assert 10 < len(found.boxes) == len(mirrored.boxes)
    # As sets, since boxes of nearly equal scores may change places.
    assert unmatched(rows_of(mirrored.replace(boxes=back)), rows_of(found)) == 0
    (plain,) = detector.predict(image, min_score=0)
    assert len(plain.boxes) < len(found.boxes) or len(found.boxes) == 100


@pytest.mark.slow
def test_several_scales_with_merging(detector):
    several = detector.with_settings(scales=(0.5, 1.0), merge_exponent=10.0, max_detections=30)
    (found,) = several.predict(noise(45, 60), min_score=0, flip=None)
    assert len(found.boxes) == 30 and np.isfinite(found.boxes).all()
    assert detector.settings.scales == (1.0,)  # the old one is as it was


# Centres


class WithCenter(BrightBox):
    """`BrightBox` that also sees a centre at a place in input pixels, as sure as `center_score`."""

    def __init__(self, place, center_score):
        self.place, self.center_score = place, center_score

    def decode(self, outputs, input_size):
        decoded = super().decode(outputs, input_size)
        place = self.place(*input_size) if callable(self.place) else self.place
        center = ops.zeros((decoded.boxes.shape[0], 1, 2)) + np.array(place, np.float32)
        score = ops.zeros((decoded.boxes.shape[0], 1)) + self.center_score
        return DecodedTriplets(*decoded, center, score, ops.ones_like(score, dtype="int32"))


@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0), (0.5, 1.2, 2.0)])
def test_a_box_stays_if_its_middle_has_a_center(scales):
    box, size = (14, 22, 49, 55), (127, 127)
    for middle, there in (((31.5, 38.5), True), ((31.5, 23.5), False)):
        seen = WithCenter(lambda height, width, m=middle: np.array(m) * (width / 127), 0.3)
        # At 1.2 the input has 255 pixels for 152 of the image: centres are moved like the image.
        if scales == (0.5, 1.2, 2.0):
            seen.place = lambda height, width, m=middle: np.array(m) * 152 / 127 + (width // 2 - 152 // 2)
        settings = InferenceConfig(scales=scales, flip=False)
        (found,) = Detector(seen, seen, CATEGORIES, settings).predict(rectangle(size, box))
        assert (len(found.boxes) > 0) is there
        if there:
            assert found.scores[0] == pytest.approx((2 * 0.75 + 0.3) / 3)
            np.testing.assert_allclose(found.boxes[0], box, atol=3)


def test_centers_of_the_mirror_image_are_mirrored():
    box = (14, 22, 49, 55)
    # In the image's own input no centre lies in the box; in the mirror image 127 - 31.5 does.
    seen = WithCenter((127 - 31.5, 38.5), 0.3)
    image = rectangle((127, 127), box)
    for flip, count in ((True, 2), (False, 0)):
        detector = Detector(seen, seen, CATEGORIES, InferenceConfig(flip=flip))
        assert len(detector.predict(image, min_score=0, flip=None)[0].boxes) == count


def test_the_view_of_the_centers_is_the_one_nearest_to_the_image():
    assert [
        InferenceConfig(scales=scales).center_view
        for scales in ((1.0,), (0.6, 1.0, 1.2, 1.5, 1.8), (0.5, 2.5), (0.5, 1.5))
    ] == [0, 1, 0, 1]


def test_boxes_beyond_the_border_can_be_rejected():
    class Shifted(BrightBox):
        def __init__(self, beyond):
            self.beyond = beyond

        def decode(self, outputs, input_size):
            decoded = super().decode(outputs, input_size)
            return decoded._replace(boxes=decoded.boxes - np.array([self.beyond, 0, 0, 0], np.float32))

    image = rectangle((60, 90), (0, 22, 49, 55))
    for beyond, found in ((4.9, 1), (5.1, 0)):
        for border, count in ((None, 1), (5.0, found)):
            shifted = Shifted(beyond)
            detector = Detector(shifted, shifted, CATEGORIES, InferenceConfig(flip=False, border=border))
            assert len(detector.predict(image, min_score=0)[0].boxes) == count


# The authors' detections


def reference(parity, case, folder="cornernet_inference"):
    folder = parity(folder, f"{case}.npz")
    config = json.loads((folder / "cases.json").read_text())["cases"][case]["configs"]
    stored = np.load(folder / f"{case}.npz")
    settings = InferenceConfig(
        scales=tuple(config["test_scales"]),
        method="gaussian" if config["nms_algorithm"] == "exp_soft_nms" else "linear",
        iou_threshold=config["nms_threshold"],
        merge_exponent=config["weight_exp"] if config["merge_bbox"] else None,
        max_detections=config["max_per_image"],
        flip=config.get("test_flipped", True),
        border=5.0 if folder.name == "centernet_inference" else None,
    )
    codec = (TripletCodec if folder.name == "centernet_inference" else CornerCodec)(
        config["categories"],
        top_k=config["top_k"],
        num_detections=config.get("num_dets", 1000),
        embedding_threshold=config["ae_threshold"],
        peak_kernel=config["nms_kernel"],
    )
    image = np.ascontiguousarray(stored["image_bgr"][..., ::-1])
    return stored, image, settings, codec


def rows_of(found):
    return np.concatenate([found.boxes, found.scores[:, None], found.labels[:, None] + 1], axis=1)


def unmatched(rows, expected):
    """How many of `expected` have no row of their own with the same class, score and box."""
    free, missing = list(range(len(rows))), 0
    for row in expected:
        near = [
            i
            for i in free
            if rows[i][5] == row[5]
            and abs(rows[i][4] - row[4]) <= 1e-4
            and np.abs(rows[i][:4] - row[:4]).max() <= 1e-2
        ]
        missing += not near
        if near:
            free.remove(min(near, key=lambda i: np.abs(rows[i][:5] - row[:5]).max()))
    return missing


def from_decoded(stored, image, settings, codec):
    """Our way from the authors' decoded maps to detections."""
    categories = Categories(tuple("abcde"), tuple(range(1, 6)))
    decoded = []
    for scale, view in enumerate(settings.views(image.shape[:2])):
        pixels = np.array(view.input_size[::-1] * 2) / [(n + 1) // 4 for n in view.input_size[::-1] * 2]
        rows = stored[f"scale{scale}_decoded"].astype(np.float32)  # of the image, then of its mirror image
        boxes = (rows[..., :4] * pixels).astype(np.float32)
        found = Decoded(boxes, rows[..., 4], rows[..., 7].astype(np.int32), rows[..., 5:7])
        if f"scale{scale}_centers" in stored:
            rows = stored[f"scale{scale}_centers"].astype(np.float32)
            points = (rows[..., :2] * pixels[:2]).astype(np.float32)
            found = DecodedTriplets(*found, points, rows[..., 3], rows[..., 2].astype(np.int32))
        decoded.append(found)
    scales = iter(decoded)

    class Stored:
        def __call__(self, images, training=False):
            return [None]

        def decode(self, outputs, input_size):
            return next(scales)

    detector = Detector(Stored(), Stored(), categories, settings)
    detector._find = detector._candidates  # step by step, one scale after the other
    (found,) = detector.predict(image, min_score=0, flip=None)
    assert next(scales, None) is None
    return rows_of(found)


@pytest.mark.parametrize("case", ["single_scale", "linear_soft_nms"])
def test_post_processing_parity(parity, case):
    stored, image, settings, codec = reference(parity, case)
    rows, expected = from_decoded(stored, image, settings, codec), stored["detections_discards_removed"]
    assert len(rows) == len(expected)
    assert unmatched(rows, expected) == 0


def pooled_rows(stored, image, settings, *, released):
    """The decoded pairs of all scales in image pixels, as rows x1 .. y2, score, two corners', label; by hand.

    The released code divides by the scale that was asked for; the image was scaled to whole pixels, though.
    """
    height, width = image.shape[:2]
    pooled = []
    for i, scale in enumerate(settings.scales):
        rows_in, columns_in = (int(n * scale) for n in (height, width))
        input_size = (rows_in | 127, columns_in | 127)
        for mirrored, half in enumerate(stored[f"scale{i}_decoded"].astype(np.float64)):
            half = half[half[:, 4] > -1]
            grid = [(n + 1) // 4 for n in input_size]
            if mirrored:
                half[:, [0, 2]] = grid[1] - half[:, [2, 0]]
            border = (input_size[1] // 2 - columns_in // 2, input_size[0] // 2 - rows_in // 2)
            for axis, (whole, own) in enumerate(((columns_in, width), (rows_in, height))):
                place = half[:, [axis, axis + 2]] * input_size[1 - axis] / grid[1 - axis] - border[axis]
                place = np.clip(place, 0, whole)
                half[:, [axis, axis + 2]] = place / (scale if released else whole / own)
            pooled.append(half)
    return np.concatenate(pooled)


def reduced_rows(rows, settings, suppress):
    """Per class suppression, then the best of all."""
    found = []
    for label in range(5):
        kept = suppress(rows[rows[:, 7] == label][:, :7])
        found.append(np.concatenate([kept, np.full((len(kept), 1), label + 1.0)], axis=1))
    found = np.concatenate(found)
    return found[np.argsort(-found[:, 4], kind="stable")][: settings.max_detections]


def test_multi_scale_parity(parity):
    """The authors' slips, done by hand, give their detections; without the slips, ours."""
    stored, image, settings, codec = reference(parity, "multi_scale_merge")
    rule, exponent = {"method": 2, "sigma": 0.5, "Nt": 0.5}, settings.merge_exponent
    theirs = reduced_rows(
        pooled_rows(stored, image, settings, released=True),
        settings,
        lambda rows: authors_merge(rows, rule, exponent),
    )
    assert unmatched(theirs, stored["detections_discards_removed"]) == 0
    right = reduced_rows(
        pooled_rows(stored, image, settings, released=False),
        settings,
        lambda rows: naive(rows, rule, exponent)[0],
    )
    assert unmatched(from_decoded(stored, image, settings, codec), right) == 0


@pytest.mark.parametrize("case", ["made_up", "made_up_large", "model", "model_two_scales"])
def test_triplet_parity(parity, case):
    stored, image, settings, codec = reference(parity, case, "centernet_inference")
    rows, expected = from_decoded(stored, image, settings, codec), stored["detections_discards_removed"]
    assert len(rows) == len(expected)
    assert unmatched(rows, expected) == 0


@pytest.mark.parametrize(
    ("family", "cases"),
    [
        ("cornernet", ("single_scale", "linear_soft_nms")),
        ("squeeze", ("plain", "flipped")),
        ("centernet", ("model",)),
    ],
)
def test_detection_parity(parity, family, cases):
    pytest.importorskip("torch")
    from keras_cornernet.conversion import convert_checkpoint

    folder = "cornernet_squeeze" if family == "squeeze" else family
    network, _ = convert_checkpoint(parity(folder, "checkpoint.pth") / "checkpoint.pth")
    for case in cases:
        stored, image, settings, codec = reference(parity, case, f"{family}_inference")
        categories = Categories(tuple("abcde"), tuple(range(1, 6)))
        detector = Detector(network, codec, categories, settings)
        detector._find = detector._candidates  # step by step, which spares the time that compiling takes
        (found,) = detector.predict(image, min_score=0, flip=None)
        expected = stored["detections_discards_removed"]
        assert len(found.boxes) == len(expected)
        assert unmatched(rows_of(found), expected) == 0
