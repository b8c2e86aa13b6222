"""The `tf.data` pipeline: what it yields, that it repeats itself, and what it does with odd data."""

import logging
from collections import Counter

import keras
import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation  # noqa: E402
from keras_cornernet.data.boxes import BoxLoader, move_boxes  # noqa: E402
from keras_cornernet.data.pipeline import make_dataset  # noqa: E402
from keras_cornernet.preprocessing import View, fit_view, read_image  # noqa: E402
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample  # noqa: E402

CATEGORIES = Categories(("a", "b"), (1, 2))


def boxes_of(xyxy, labels=None, ignore=None):
    xyxy = np.asarray(xyxy, np.float32).reshape(-1, 4)
    labels = np.zeros(len(xyxy)) if labels is None else labels
    ignore = np.zeros(len(xyxy)) if ignore is None else ignore
    return Boxes(xyxy, np.asarray(labels, np.int32), np.asarray(ignore, bool))


def data_set_of(folder, boxes, size=(40, 60)):
    """One noisy image file for each entry of `boxes`."""
    samples = []
    for i, each in enumerate(boxes):
        image = np.random.default_rng(i).integers(0, 256, (*size, 3), dtype=np.uint8)
        path = folder / f"{i}.png"
        Image.fromarray(image).save(path)
        samples.append(Sample(str(path), i, size, each))
    return DetectionDataset(tuple(samples), CATEGORIES)


ON_TENSORFLOW = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data is for TensorFlow"
)


def drain(dataset):
    return [(np.asarray(images), {k: np.asarray(v) for k, v in a.items()}) for images, a in dataset]


def flat_equal(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1].keys() == other[1].keys()
        for name in one[1]:
            np.testing.assert_array_equal(one[1][name], other[1][name])


def test_shapes_types_and_padding(tmp_path):
    boxes = [boxes_of([[0, 0, 30, 20], [6, 4, 60, 40]], [1, 0]), boxes_of([]), boxes_of([[3, 3, 9, 12]], [1])]
    dataset = make_dataset(data_set_of(tmp_path, boxes), (40, 60), batch_size=2)
    batches = drain(dataset)
    assert [len(images) for images, _ in batches] == [2, 1] and int(dataset.cardinality()) == 2
    images, annotations = batches[0]
    assert images.shape == (2, 40, 60, 3) and images.dtype == np.float32
    assert set(annotations) == {"boxes", "labels"}
    assert annotations["boxes"].dtype == np.float32 and annotations["labels"].dtype == np.int32
    np.testing.assert_array_equal(annotations["labels"], [[1, 0], [-1, -1]])
    np.testing.assert_allclose(annotations["boxes"][0], [[0, 0, 30, 20], [6, 4, 60, 40]], atol=1e-4)
    assert not annotations["boxes"][1].any()
    np.testing.assert_array_equal(images[0], read_image(tmp_path / "0.png"))
    if keras.backend.backend() == "jax":
        return
    spec = dataset.element_spec
    assert spec[0].shape.as_list() == [None, 40, 60, 3] and spec[1]["boxes"].shape.as_list() == [None, 2, 4]


def test_what_no_reader_returned_is_named():
    with pytest.raises(TypeError, match="dataset must be a DetectionDataset or a PoseDataset.* not str"):
        make_dataset("train.json", (40, 60), batch_size=1)


@ON_TENSORFLOW
def test_tensorflow_tunes_nothing_whose_end_a_pass_would_wait_for(tmp_path):
    dataset = make_dataset(data_set_of(tmp_path, [boxes_of([])]), (40, 60), batch_size=1)
    assert dataset.map(lambda images, _: images).options().autotune.enabled is False


def test_draws_depend_on_seed_epoch_and_place_alone(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[5, 5, 30, 30]], [i % 2]) for i in range(7)])
    options = {"batch_size": 2, "augmentation": SmallDataAugmentation(), "shuffle": True, "seed": 3}
    dataset = make_dataset(annotated, (32, 48), **options)
    first, second = drain(dataset), drain(dataset)
    assert len(first) == len(second) == 3  # the incomplete batch is left out
    other = make_dataset(annotated, (32, 48), **options)
    flat_equal(first, drain(other))
    assert any((a[0] != b[0]).any() for a, b in zip(first, second, strict=True))

    resumed = make_dataset(annotated, (32, 48), **options)
    resumed.epochs.current = 1
    flat_equal(second, drain(resumed))

    changed = make_dataset(annotated, (32, 48), **{**options, "seed": 4})
    assert any((a[0] != b[0]).any() for a, b in zip(first, drain(changed), strict=True))


@ON_TENSORFLOW
def test_the_number_of_threads_changes_nothing(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[5, 5, 30, 30]]) for _ in range(12)])
    runs = []
    for threads in (1, 8):
        dataset = make_dataset(
            annotated, (32, 48), batch_size=3, augmentation=SmallDataAugmentation(), shuffle=True, seed=1
        )
        options = tf.data.Options()
        options.threading.private_threadpool_size = threads
        options.deterministic = True
        epochs = dataset.epochs
        dataset = dataset.with_options(options)
        runs.append(drain(dataset) + drain(dataset))
        assert epochs.current == 2
    flat_equal(*runs)


def test_every_image_comes_once_an_epoch_in_an_order_that_changes(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, i + 2, 10]]) for i in range(6)])
    dataset = make_dataset(annotated, (40, 60), batch_size=3, shuffle=True)
    orders = [[int(round(box[0, 2])) - 2 for _, a in drain(dataset) for box in a["boxes"]] for _ in range(4)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len(set(map(tuple, orders))) > 1
    plain = make_dataset(annotated, (40, 60), batch_size=3)
    assert [int(round(box[0, 2])) - 2 for _, a in drain(plain) for box in a["boxes"]] == list(range(6))


def test_crowd_boxes_are_marked(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, 9, 9], [1, 1, 50, 30]], ignore=[0, 1]), boxes_of([])])
    ((_, annotations),) = drain(make_dataset(annotated, (40, 60), batch_size=2))
    np.testing.assert_array_equal(annotations["ignore"], [[False, True], [False, False]])


def test_more_than_128_objects_are_all_kept(tmp_path, caplog):
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 20, (200, 2))
    annotated = data_set_of(tmp_path, [boxes_of(np.concatenate([low, low + 5], 1)), boxes_of([])])
    ((_, annotations),) = drain(make_dataset(annotated, (40, 60), batch_size=2))
    assert annotations["boxes"].shape == (2, 200, 4)
    assert (annotations["labels"][0] == 0).all() and (annotations["labels"][1] == -1).all()
    assert not caplog.records


def test_max_objects_drops_the_rest_and_says_so(tmp_path, caplog):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, i + 1, 5] for i in range(9)])])
    with caplog.at_level(logging.WARNING):
        ((_, annotations),) = drain(make_dataset(annotated, (40, 60), batch_size=1, max_objects=4))
    np.testing.assert_allclose(annotations["boxes"][0, :, 2], [1, 2, 3, 4], atol=1e-4)
    assert "9 boxes, of which max_objects=4" in caplog.text


def test_a_data_set_without_any_box(tmp_path):
    ((_, annotations),) = drain(make_dataset(data_set_of(tmp_path, [boxes_of([])]), (40, 60), batch_size=4))
    assert annotations["labels"].tolist() == [[-1]]


def test_grey_wide_and_turned_files(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 256).save(tmp_path / "wide.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(grey))).save(tmp_path / "turned.png", exif=exif)
    samples = tuple(
        Sample(str(tmp_path / f"{name}.png"), i, (40, 60), boxes_of([[10, 5, 20, 30]]))
        for i, name in enumerate(("grey", "wide", "turned"))
    )
    ((images, annotations),) = drain(
        make_dataset(DetectionDataset(samples, CATEGORIES), (40, 60), batch_size=3)
    )
    for image, boxes in zip(images, annotations["boxes"], strict=True):
        np.testing.assert_array_equal(image, np.repeat(grey[..., None], 3, 2))
        np.testing.assert_allclose(boxes, [[10, 5, 20, 30]], atol=1e-4)


def test_boxes_are_clipped_and_those_outside_dropped():
    view = fit_view((40, 60), (40, 60))
    boxes = boxes_of(
        [[-10, -10, 20, 20], [50, 30, 90, 80], [70, 0, 90, 9], [0, 50, 9, 60], [3, 3, 3, 9]], [0, 1, 0, 1, 1]
    )
    moved = move_boxes(boxes, (40, 60), view, 0.0)
    np.testing.assert_allclose(moved.xyxy, [[0, 0, 20, 20], [50, 30, 60, 40]], atol=1e-5)
    assert moved.labels.tolist() == [0, 1] and not moved.ignore.any()


def test_over_clipped_boxes_are_ignored():
    left_half = View(np.array([[1, 0, -30], [0, 1, 0]], np.float64), (40, 60), (0, 0, 60, 40))
    boxes = boxes_of([[20, 0, 40, 10], [0, 0, 40, 10], [30, 0, 60, 10], [0, 0, 30, 10]], ignore=[0, 0, 1, 0])
    moved = move_boxes(boxes, (40, 60), left_half, 0.3)  # half, a quarter, all, nothing is left
    np.testing.assert_allclose(moved.xyxy[:, [0, 2]], [[0, 10], [0, 10], [0, 30]])
    assert moved.ignore.tolist() == [False, True, True]


def test_a_broken_image_is_replaced_and_reported_once(tmp_path, caplog):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, 9, i + 3]]) for i in range(4)])
    (tmp_path / "1.png").write_bytes(b"broken")
    dataset = make_dataset(annotated, (40, 60), batch_size=4)
    with caplog.at_level(logging.WARNING):
        batches = [drain(dataset)[0] for _ in range(3)]
    for images, annotations in batches:
        np.testing.assert_array_equal(images[1], images[2])
        np.testing.assert_allclose(annotations["boxes"][:, 0, 3], [3, 5, 5, 6], atol=1e-4)
    assert Counter("1.png" in record.getMessage() for record in caplog.records) == {True: 1}


def test_nothing_to_read_is_an_error(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, 9, 9]])])
    (tmp_path / "0.png").unlink()
    with pytest.raises(OSError, match="none of the 1 images"):
        BoxLoader(annotated, (40, 60)).load(0, 0)
    with pytest.raises(ValueError, match="no images"):
        make_dataset(DetectionDataset((), CATEGORIES), (40, 60), batch_size=1)
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        make_dataset(annotated, (40, 60), batch_size=0)


def test_the_cache_stays_within_its_bytes_and_changes_nothing(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, 9, 9]]) for _ in range(5)])
    plain, cached = (
        BoxLoader(annotated, (40, 60), augmentation=CornerNetCrop(), cache_bytes=n) for n in (0, 20_000)
    )
    for place in (0, 1, 2, 3, 4, 2, 0):
        for one, other in zip(plain.load(0, place), cached.load(0, place), strict=True):
            np.testing.assert_array_equal(one, other)
    assert len(plain.images._cache) == 0
    assert sum(a.nbytes for a in cached.images._cache.values()) == 2 * 40 * 60 * 3


def test_a_batch_larger_than_the_data_set_is_the_data_set(tmp_path):
    annotated = data_set_of(tmp_path, [boxes_of([[0, 0, 9, 9]]) for _ in range(3)])
    assert [
        len(images) for images, _ in drain(make_dataset(annotated, (40, 60), batch_size=8, shuffle=True))
    ] == [3]
