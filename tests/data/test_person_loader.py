"""People as training examples: their crop, their joints, and the authors' numbers for both."""

import logging
import math
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_cornernet.codecs import KeypointCodec  # noqa: E402
from keras_cornernet.data.pipeline import make_dataset  # noqa: E402
from keras_cornernet.data.pose_augmentation import PoseAugmentation  # noqa: E402
from keras_cornernet.data.poses import PersonLoader  # noqa: E402
from keras_cornernet.ops import affine  # noqa: E402
from keras_cornernet.preprocessing import person_view, read_image, warp  # noqa: E402
from keras_cornernet.skeletons import MPII, Skeleton  # noqa: E402
from keras_cornernet.structures import Person, PoseDataset  # noqa: E402

SKELETON = Skeleton("four", ("left", "right", "head", "foot"), (), ((0, 1),))
MIRROR = PoseAugmentation(scale=0.0, rotate=0.0, flip=1.0, gain=(1.0, 1.0))


def pose_set_of(folder, count=3, size=(60, 90), center=(45.0, 30.0), side=40.0):
    """One noisy image file a person, whose joints differ from person to person; the last is not annotated."""
    people = []
    for i in range(count):
        path = Path(folder) / f"{i}.png"
        Image.fromarray(noise(*size, seed=i)).save(path)
        xy = np.array([[30 + i, 20], [55, 25 + i], [45, 14], [0, 0]], np.float32)
        people.append(
            Person(str(path), i, np.array(center, np.float32), side, xy, np.array([2, 1, 2, 0], np.int32))
        )
    return PoseDataset(tuple(people), SKELETON)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


# One person


def test_the_persons_square_fills_the_input(tmp_path):
    pose_dataset = pose_set_of(tmp_path)
    image, points, weights = PersonLoader(pose_dataset, (80, 80)).load(0, 1)
    assert (image.shape, image.dtype) == ((80, 80, 3), np.float32)
    assert (points.dtype, weights.dtype) == (np.float32, np.float32)
    # The square is 25..65 by 10..50, enlarged twice.
    np.testing.assert_allclose(points, [[12, 20], [60, 32], [40, 8], [0, 0]], atol=1e-4)
    assert weights.tolist() == [1, 1, 1, 0]
    expected = warp(read_image(tmp_path / "1.png"), np.array([[2, 0, -50], [0, 2, -20.0]]), (80, 80))
    np.testing.assert_allclose(image, expected, atol=1)  # OpenCV 4 resamples at 32nds of a pixel


def test_an_input_that_is_not_square_shows_more_to_the_sides(tmp_path):
    _, points, _ = PersonLoader(pose_set_of(tmp_path), (80, 120)).load(0, 0)
    np.testing.assert_allclose(points[:3], [[30, 20], [80, 30], [60, 8]], atol=1e-4)


def test_a_mirrored_person_trades_left_and_right(tmp_path):
    pose_dataset = pose_set_of(tmp_path)
    image, points, weights = PersonLoader(pose_dataset, (64, 80)).load(0, 0)
    mirrored, moved, kept = PersonLoader(pose_dataset, (64, 80), augmentation=MIRROR).load(0, 0)
    np.testing.assert_array_equal(mirrored, image[:, ::-1])
    back = np.where(kept[:, None] > 0, [80, 0] + moved * [-1, 1], 0)
    np.testing.assert_allclose(back, points[[1, 0, 2, 3]], atol=1e-4)
    np.testing.assert_array_equal(kept, weights[[1, 0, 2, 3]])
    # Image, points and names mirrored once more are those of the start.
    np.testing.assert_array_equal(mirrored[:, ::-1], image)
    np.testing.assert_allclose(back[list(SKELETON.flip_order)], points, atol=1e-4)


def test_weights_follow_their_joint_to_the_other_side(tmp_path):
    pose_dataset = pose_set_of(tmp_path, 1)
    person = pose_dataset.people[0].replace(visibility=np.array([0, 2, 0, 0], np.int32))
    person = person.replace(keypoints=person.keypoints * (person.visibility > 0)[:, None])
    _, points, weights = PersonLoader(
        pose_dataset.replace(people=(person,)), (80, 80), augmentation=MIRROR
    ).load(0, 0)
    assert weights.tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(points, [[20, 30], [0, 0], [0, 0], [0, 0]], atol=1e-4)


def test_beyond_the_image_it_is_black(tmp_path):
    pose_dataset = pose_set_of(tmp_path, 1, center=(5.0, 55.0))
    image, points, weights = PersonLoader(pose_dataset, (40, 40)).load(0, 0)  # a pixel for a pixel
    np.testing.assert_array_equal(image[:25, 15:], read_image(tmp_path / "0.png")[35:, :25])
    assert not image[25:].any() and not image[:, :15].any()
    np.testing.assert_allclose(points, [[45, -15], [70, -10], [60, -21], [0, 0]], atol=1e-4)
    assert weights.tolist() == [1, 1, 1, 0]  # whether a joint lies inside is for the codec to say


def test_everything_drawn_depends_on_seed_epoch_and_place_alone(tmp_path):
    pose_dataset = pose_set_of(tmp_path)
    augmentation = PoseAugmentation(shift=0.05, jitter=0.2, lighting=0.1)
    loader, again = (
        PersonLoader(pose_dataset, (48, 48), augmentation=augmentation, seed=3) for _ in range(2)
    )
    for place in (2, 0, 1):
        for one, other in zip(loader.load(4, place), again.load(4, place), strict=True):
            np.testing.assert_array_equal(one, other)
    here = loader.load(4, 1)
    for other in (
        loader.load(5, 1),
        PersonLoader(pose_dataset, (48, 48), augmentation=augmentation, seed=4).load(4, 1),
    ):
        assert (here[0] != other[0]).any() and (here[1] != other[1]).any()
    assert loader.load(4, 1)[0].min() >= 0 and loader.load(4, 1)[0].max() <= 255
    assert not any(loader.load(epoch, 0)[1][3].any() for epoch in range(10))  # not annotated: stays 0


def test_without_left_right_pairs_no_mirror_image_is_shown(tmp_path, caplog):
    pose_dataset = pose_set_of(tmp_path, 1)
    with caplog.at_level(logging.WARNING):
        loader = PersonLoader(
            pose_dataset.replace(skeleton=SKELETON.replace(flip_pairs=())), (80, 80), augmentation=MIRROR
        )
    plain = PersonLoader(pose_dataset, (80, 80)).load(0, 0)
    for one, other in zip(plain[1:], loader.load(0, 0)[1:], strict=True):
        np.testing.assert_allclose(one, other)
    assert "(left, right, head, foot) show no left-right pairs" in caplog.text


def test_each_channel_is_brightened_by_itself(tmp_path):
    pose_dataset = pose_set_of(tmp_path, 1)
    plain = PersonLoader(pose_dataset, (40, 40)).load(0, 0)[0]
    augmentation = PoseAugmentation(scale=0.0, rotate=0.0, flip=0.0, gain=(0.5, 0.9))
    loader = PersonLoader(pose_dataset, (40, 40), augmentation=augmentation)
    gains = np.array([loader.load(e, 0)[0].sum(axis=(0, 1)) / plain.sum(axis=(0, 1)) for e in range(20)])
    assert gains.min() >= 0.499 and gains.max() <= 0.901 and gains.std(axis=1).min() > 0.001


def test_a_broken_image_is_replaced_and_reported_once(tmp_path, caplog):
    pose_dataset = pose_set_of(tmp_path)
    (tmp_path / "1.png").write_bytes(b"broken")
    loader = PersonLoader(pose_dataset, (40, 40), augmentation=PoseAugmentation())
    with caplog.at_level(logging.WARNING):
        pairs = [(loader.load(epoch, 1), loader.load(epoch, 2)) for epoch in range(3)]
    for broken, following in pairs:
        for one, other in zip(broken, following, strict=True):
            np.testing.assert_array_equal(one, other)
    assert sum("1.png" in record.getMessage() for record in caplog.records) == 1


# The pipeline


def test_shapes_and_types(tmp_path):
    dataset = make_dataset(pose_set_of(tmp_path, 5), (48, 64), batch_size=2)
    if keras.backend.backend() == "tensorflow":
        image, annotations = dataset.element_spec
        assert image.shape.as_list() == [None, 48, 64, 3] and image.dtype == tf.float32
        assert {name: (spec.shape.as_list(), spec.dtype) for name, spec in annotations.items()} == {
            "keypoints": ([None, 4, 2], tf.float32),
            "keypoint_weights": ([None, 4], tf.float32),
        }
    batches = [
        (np.asarray(images), np.asarray(a["keypoints"]), np.asarray(a["keypoint_weights"]))
        for images, a in dataset
    ]
    assert [len(images) for images, *_ in batches] == [2, 2, 1] and int(dataset.cardinality()) == 3
    loader = PersonLoader(pose_set_of(tmp_path, 5), (48, 64))
    for place in range(5):
        for part, whole in zip(loader.load(0, place), batches[place // 2], strict=True):
            np.testing.assert_array_equal(part, whole[place % 2])


def test_epochs_differ_and_repeat_themselves(tmp_path):
    def points(dataset):
        return np.concatenate([np.asarray(a["keypoints"]) for _, a in dataset])

    pose_dataset = pose_set_of(tmp_path, 4)
    options = {"batch_size": 2, "augmentation": PoseAugmentation(), "shuffle": True, "seed": 5}
    dataset = make_dataset(pose_dataset, (32, 32), **options)
    first, second = points(dataset), points(dataset)
    assert (first != second).any()
    again = make_dataset(pose_dataset, (32, 32), **options)
    again.epochs.current = 1
    np.testing.assert_array_equal(points(again), second)
    np.testing.assert_array_equal(points(make_dataset(pose_dataset, (32, 32), **options)), first)


def test_nobody_is_an_error():
    with pytest.raises(ValueError, match="dataset has no people"):
        make_dataset(PoseDataset((), SKELETON), (64, 64), batch_size=1)


def test_no_readable_image_is_an_error(tmp_path):
    pose_dataset = pose_set_of(tmp_path, 1)
    (tmp_path / "0.png").unlink()
    with pytest.raises(OSError, match="none of the 1 images"):
        PersonLoader(pose_dataset, (40, 40)).load(0, 0)


# The crop


@pytest.mark.parametrize("side", [0, -5.0, math.nan, math.inf])
def test_a_side_that_is_no_length_is_refused(side):
    with pytest.raises(ValueError, match=f"side must be positive, not {side}"):
        person_view((10, 10), side, (64, 64))


@pytest.mark.parametrize("center", [(math.nan, 5), (5, math.inf)])
def test_a_centre_that_is_no_place_is_refused(center):
    with pytest.raises(ValueError, match="center must be two finite numbers"):
        person_view(center, 100, (64, 64))


def test_golden_numbers_of_the_first_mpii_image():
    """Image 005808361, person 0, centre and scale moved as every released code does."""
    center, scale = np.array([966, 340 + 15 * 4.718488]), 1.25 * 4.718488
    for size, expected in ((256, (0.217019, -81.640037, 38.853651)), (64, (0.054255, -20.410009, 9.713413))):
        zoom, x, y = expected
        view = person_view(center, 200 * scale, (size, size))
        np.testing.assert_allclose(view.input_from_image, [[zoom, 0, x], [0, zoom, y]], atol=6e-7)
    ankle = np.array([[804.0, 711.0]])
    for turn, place in ((0, (23.2107, 48.2885)), (30, (32.5325, 50.5009))):
        view = person_view(center, 200 * scale, (64, 64), turn)
        found = affine.transform_points(view.input_from_image, ankle)[0]
        np.testing.assert_allclose(found, place, atol=5e-5)
    way_back = affine.invert(person_view(center, 200 * scale, (64, 64)).input_from_image)
    corners = affine.transform_points(way_back, np.array([[0.0, 0], [64, 64]]))
    assert np.trunc(corners).tolist() == [[376, -179], [1555, 1000]]
    peak = affine.transform_points(way_back, np.array([[23 + 0.5 + 0.25, 48 + 0.5 - 0.25]]))[0]
    np.testing.assert_allclose(peak, [813.939, 710.291], atol=5e-4)


# The authors' numbers


def test_umich_transform_parity(parity):
    """Square results alone: a side for each way stretches the picture there."""
    stored = np.load(parity("pose_decode") / "transforms.npz")
    compared = 0
    for i, (x, y, scale, turn, *size) in enumerate(stored["center_x__center_y__scale__rot__res0__res1"]):
        if size[0] != size[1]:
            continue
        there = person_view((x, y), 200 * scale, tuple(map(int, size)), turn).input_from_image
        back = affine.invert(there)
        np.testing.assert_allclose(there, stored["matrix"][i, :2], atol=1e-10)
        np.testing.assert_allclose(back, stored["inv_mat"][i], atol=1e-10)
        moved = affine.transform_points(there, stored["kpt"])
        np.testing.assert_allclose(moved, stored["kpt_affine"][i], atol=1e-9)
        for way, name in ((there, "transformed"), (back, "inverse_transformed")):
            places = np.trunc(affine.transform_points(way, stored["points"][i]))
            np.testing.assert_array_equal(places, stored[name][i])
        compared += 1
    assert compared == 8


def test_bearpaw_transform_parity(parity):
    """Their points count from 1."""
    stored = np.load(parity("pose_bearpaw") / "transforms.npz")
    for i, (x, y, scale, turn, *size) in enumerate(stored["center_x__center_y__scale__rot__res0__res1"]):
        there = person_view((x, y), 200 * scale, tuple(map(int, size)), turn).input_from_image
        np.testing.assert_allclose(there, stored["matrix"][i, :2], atol=1e-10)
        for way, name in ((there, "transformed"), (affine.invert(there), "inverse_transformed")):
            places = np.trunc(affine.transform_points(way, stored["points"][i] - 1)) + 1
            np.testing.assert_array_equal(places, stored[name][i])


def whole_corners(center, scale, size, base=0):
    """The corners of the crop as the released codes truncate them, pixels from `base`."""
    back = affine.invert(person_view(center, 200 * scale, (size, size)).input_from_image)
    corners = np.array([[0.0, 0.0], [size, size]]) - base
    return np.trunc(affine.transform_points(back, corners)) + base


def check_crop(image, corners, size, expected, levels=0.51):
    """Half a grey level (we round, they do not) but where the image ends: they blend with black there,
    we repeat the edge for half a pixel."""
    (x, y), (right, bottom) = corners
    zoom = size / np.array([right - x, bottom - y])
    input_from_image = np.array([[zoom[0], 0, -x * zoom[0]], [0, zoom[1], -y * zoom[1]]])
    if right - x == bottom - y:
        view = person_view((corners[0] + corners[1]) / 2, right - x, (size, size))
        np.testing.assert_allclose(view.input_from_image, input_from_image, atol=1e-9)
    difference = np.abs(warp(image, input_from_image, (size, size)) - expected).max(axis=-1)
    safe = np.ones((size, size), bool)
    for axis, end in ((0, image.shape[1]), (1, image.shape[0])):
        places = (np.arange(size) + 0.5) / zoom[axis] + corners[0, axis]
        at_the_edge = (np.abs(places) < 0.5001) | (np.abs(places - end) < 0.5001)
        safe &= ~at_the_edge[:, None] if axis else ~at_the_edge
    assert safe.mean() > 0.9
    assert difference[safe].max() < levels


@pytest.mark.parametrize("case", range(4))
def test_umich_crop_parity(parity, case):
    stored = np.load(parity("pose_decode") / "crop.npz")
    size, center = int(stored[f"crop{case}_res"][0]), stored[f"crop{case}_center"]
    corners = whole_corners(center, float(stored[f"crop{case}_scale"]), size)
    check_crop(stored["image"], corners, size, stored[f"crop{case}"])


@pytest.mark.parametrize("case", [0, 1, 3])
def test_bearpaw_crop_parity(parity, case):
    stored = np.load(parity("pose_bearpaw", "crop.npz") / "crop.npz")
    image, size = stored["image_rgb"], int(stored[f"crop{case}_res"])
    center, scale = stored[f"crop{case}_center"] * 1.0, float(stored[f"crop{case}_scale"])
    shrunk = scale * 200 / size
    if shrunk >= 2:  # they resize the whole image first
        height, width = (math.floor(n / shrunk) for n in image.shape[:2])
        image = warp(image, affine.scaling(width / image.shape[1], height / image.shape[0]), (height, width))
        center, scale = center / shrunk, scale / shrunk
    corners = whole_corners(center, scale, size, base=1)
    # Resized twice, the first picture is rounded too.
    check_crop(image, corners, size, stored[f"crop{case}"] * 255, levels=0.51 if shrunk < 2 else 1.01)


def test_bearpaw_turned_crop_parity(parity):
    """They crop with a margin, turn, cut the margin off and resize; a wrong turn shows at once."""
    stored = np.load(parity("pose_bearpaw", "crop.npz") / "crop.npz")
    corners = whole_corners(stored["crop2_center"], float(stored["crop2_scale"]), 64, base=1)
    side = int((corners[1] - corners[0])[0])
    margin = int(math.hypot(side, side) / 2 - side / 2)
    wide, turn = side + 2 * margin, float(stored["crop2_rot"])
    # OpenCV turns about the middle of a pixel, half a pixel from the middle of the picture.
    about = affine.translation(wide / 2 + 0.5, wide / 2 + 0.5)
    turned = affine.compose(about, affine.rotation(-turn), affine.invert(about))
    picture = warp(stored["image_rgb"], affine.translation(*(margin - corners[0])), (wide, wide))
    picture = warp(picture, turned, (wide, wide))[margin:-margin, margin:-margin]
    picture = warp(picture, affine.scaling(64 / side, 64 / side), (64, 64))
    assert np.abs(picture - stored["crop2"] * 255).max() < 4  # OpenCV turns in 32nds of a pixel
    # One affine, as we do it, sees the same thing half a pixel on.
    view = person_view(corners.mean(axis=0), side, (64, 64), turn)
    difference = np.abs(view.apply(stored["image_rgb"]) - stored["crop2"] * 255)
    assert np.median(difference) < 4


def test_bearpaw_sample_parity(parity):
    """Joints and targets of their data set in evaluation mode."""
    stored = np.load(parity("pose_bearpaw") / "mpii_sample.npz")
    joints, annotated = stored["joints"], stored["target_weight"][:, 0] > 0
    center, scale = stored["objpos"] + [0, 15 * float(stored["scale"])], 1.25 * float(stored["scale"])
    np.testing.assert_allclose(center, stored["center_after"])
    assert scale == pytest.approx(float(stored["scale_after"]))
    view = person_view(center, 200 * scale, (32, 32))
    cells = affine.transform_points(view.input_from_image, joints[:, :2])
    drawn = joints[:, 1] > 0
    np.testing.assert_array_equal(np.trunc(cells)[drawn], stored["tpts"][drawn, :2] - 1)
    annotations = {
        "keypoints": cells[None].astype(np.float32),
        "keypoint_weights": drawn[None].astype(np.float32),
    }
    target = KeypointCodec.named("bearpaw").encode(annotations, (32, 32), (32, 32))["keypoints"]
    np.testing.assert_allclose(target["heatmap"][0], stored["target"], rtol=0, atol=1e-6)
    # Their weight leaves joints out that are not visible, though these are drawn.
    np.testing.assert_array_equal((np.asarray(target["weight"][0]) > 0) & (joints[:, 2] > 0), annotated)


@pytest.mark.parametrize("case", ["s0", "s1"])
def test_umich_training_sample_parity(parity, case):
    """Joints of a turned, scaled, mirrored crop. They truncate them to whole pixels on the way."""
    stored = np.load(parity("pose_decode") / "training_sample.npz")
    joints, draws = stored[f"{case}_keypoints"], stored[f"{case}_draws"]
    crop = person_view(stored[f"{case}_center"], 200 * float(stored[f"{case}_scale"]), (128, 128))
    turn, zoom = 60 * draws[0] - 30, 0.75 + 0.5 * draws[1]
    view = person_view((64, 64), 128 * zoom, (32, 32), turn)
    in_crop = np.trunc(affine.transform_points(crop.input_from_image, joints[:, :2]))
    points = affine.transform_points(view.input_from_image, in_crop)
    order = list(MPII.flip_order)
    # Where one of a pair is not annotated, theirs mixes the two up when it mirrors.
    kept = joints[:, 0] > 0
    if stored[f"{case}_flip"]:
        points = affine.transform_points(affine.horizontal_flip(32), points)[order]
        kept &= kept[order]
    cells = np.trunc(points)
    inside = (points[:, 0] > 0) & (cells >= 0).all(axis=-1) & (cells < 32).all(axis=-1)
    kept &= ~inside | (cells > 2).all(axis=-1)  # cut left or above their bumps are shifted
    assert kept.sum() >= 9 and (kept & inside).sum() >= 5
    # Their sigma of a half puts the bump of cell c at c - 0.5.
    annotations = {
        "keypoints": cells[None].astype(np.float32),
        "keypoint_weights": inside[None].astype(np.float32),
    }
    maps = KeypointCodec(sigma=0.5, radius=3).encode(annotations, (32, 32), (32, 32))["keypoints"]["heatmap"]
    expected = stored[f"{case}_heatmaps"]
    np.testing.assert_allclose(np.asarray(maps)[0][..., kept], expected[..., kept], atol=1e-6)

    # What our recipe does in one affine, without truncation, is within a pixel of the input: a half cell.
    both = affine.transform_points(
        affine.compose(view.input_from_image, crop.input_from_image), joints[:, :2]
    )
    theirs = affine.transform_points(view.input_from_image, in_crop)
    assert np.abs(both - theirs)[joints[:, 0] > 0].max() < 0.5
