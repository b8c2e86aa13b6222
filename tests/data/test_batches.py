"""Batches: which examples, which size, whatever the threads; and what changes towards the end of a run."""

import keras
import numpy as np
import pytest
from test_pipeline import boxes_of, data_set_of, drain, flat_equal

from keras_cornernet.data.augmentation import SmallDataAugmentation
from keras_cornernet.data.batches import ALIGNMENT, Batches, Epochs, sizes_of
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.pipeline import make_dataset

SIZES = [(32, 48), (48, 32), (40, 40)]


@pytest.fixture
def data(tmp_path):
    return data_set_of(tmp_path, [boxes_of([[3, 3, 20 + i, 30]]) for i in range(7)])


def batches_of(data, *, sizes=((32, 48),), augmentation=None, **settings):
    loader = BoxLoader(data, sizes[0], augmentation=augmentation or PhotoAugmentation(), seed=1)
    return Batches(loader, len(data), 2, sizes, seed=1, **settings)


def load(batches, epoch, number):
    order = batches.order(epoch)
    return batches.load(epoch, number, order[number * 2 : number * 2 + 2])


def test_a_batch_is_its_examples(data):
    batches = batches_of(data, shuffle=True)
    parts = load(batches, 3, 1)
    assert len(batches) == 3 and len(batches_of(data)) == 4
    for i, index in enumerate(batches.order(3)[2:4]):
        for part, alone in zip(parts, batches.loader.load(3, index), strict=True):
            np.testing.assert_array_equal(part[i], alone)
    assert parts[0].ctypes.data % ALIGNMENT == 0 and parts[0].dtype == np.float32


def test_threads_and_the_order_of_batches_change_nothing(data):
    one, other = (batches_of(data, shuffle=True, threads=threads) for threads in (1, 5))
    places = [(epoch, number) for epoch in range(3) for number in range(3)]
    first = {place: load(one, *place) for place in places}
    for place in reversed(places):
        for ours, theirs in zip(first[place], load(other, *place), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_an_example_that_fails_fails_the_batch(data):
    batches = batches_of(data)

    def broken(*_, **__):
        raise OSError("nothing can be used")

    batches.loader.load = broken
    with pytest.raises(OSError, match="nothing can be used"):
        load(batches, 0, 0)


# Several sizes


@pytest.mark.parametrize(
    ("given", "expected"),
    [((32, 48), ((32, 48),)), ([32, 48], ((32, 48),)), ([(32, 48), (48, 32)], ((32, 48), (48, 32)))],
)
def test_one_size_or_several(given, expected):
    assert sizes_of(given) == expected


@pytest.mark.parametrize("given", [[], (), 32, (32,), [(32, 48), (32,)], [(32, 48), (0, 3)], "32x48"])
def test_what_is_no_size_is_refused(given):
    with pytest.raises(ValueError, match="input_size must be"):
        sizes_of(given)


def test_each_batch_has_one_size_that_seed_epoch_and_number_decide(data):
    settings = {"batch_size": 2, "augmentation": SmallDataAugmentation(), "shuffle": True, "seed": 4}
    dataset = make_dataset(data, SIZES, **settings)
    if keras.backend.backend() == "tensorflow":
        assert dataset.element_spec[0].shape.as_list() == [2, None, None, 3]
        assert dataset.element_spec[1]["boxes"].shape.as_list() == [2, 1, 4]
    passes = [drain(dataset) for _ in range(8)]
    shapes = [[images.shape[1:3] for images, _ in batches] for batches in passes]
    assert {shape for each in shapes for shape in each} == set(SIZES)
    assert len({tuple(each) for each in shapes}) > 3
    for images, annotations in (batch for batches in passes for batch in batches):
        rows, columns = images.shape[1:3]
        assert (annotations["boxes"][..., 2] <= columns).all() and (
            annotations["boxes"][..., 3] <= rows
        ).all()
    again = make_dataset(data, SIZES, **settings)
    again.epochs.current = 5
    flat_equal(drain(again), passes[5])


def test_annotations_are_in_pixels_of_the_size_at_hand(data):
    dataset = make_dataset(data, [(40, 60), (80, 120)], batch_size=1)
    seen = set()
    for epoch in range(6):
        dataset.epochs.current = epoch
        for index, (images, annotations) in enumerate(dataset):
            scale = images.shape[1] / 40
            np.testing.assert_allclose(
                annotations["boxes"][0, 0], np.array([3, 3, 20 + index, 30]) * scale, atol=1e-4
            )
            seen.add(scale)
    assert seen == {1, 2}


# The end of the run


def test_progress_is_that_of_the_whole_run():
    epochs = Epochs()
    assert epochs.progress(3, 0.5) == 0
    epochs.total = 4
    assert [epochs.progress(e, f) for e, f in ((0, 0), (1, 0.5), (3, 0.75), (9, 0))] == [0, 0.375, 0.9375, 1]


def test_mosaics_end_within_the_last_epoch(data):
    dataset = make_dataset(
        data, (32, 48), batch_size=1, augmentation=PhotoAugmentation(mosaic=1.0, mosaic_until=0.5)
    )
    loader = BoxLoader(data, (32, 48), augmentation=PhotoAugmentation(mosaic=1.0))
    dataset.epochs.total = 1
    for index, (images, _) in enumerate(dataset):
        expected, *_ = loader.load(0, index, progress=0.0 if index / 7 < 0.5 else 0.9)
        np.testing.assert_array_equal(images[0], expected)
