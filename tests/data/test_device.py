"""Batches made on the accelerator agree with those of the host."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.batches import Batches
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.device import DeviceDataset
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.pose_augmentation import PHOTO_POSES, PoseAugmentation
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Person, PoseDataset, Sample

SKELETON = Skeleton("three", ("left_hand", "right_hand", "head"), (), ((0, 1),))
# Sides, some odd; the largest is shown smaller, the smallest larger.
SHAPES = [(150, 201), (97, 64), (400, 301), (33, 47), (640, 480), (256, 256)]


def pictures(folder, rng):
    """Smooth pictures: where colours change slowly, agreement shows that the same place is sampled."""
    paths = []
    for i, (height, width) in enumerate(SHAPES):
        coarse = rng.integers(0, 256, (5, 6, 3), np.uint8)
        image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        paths.append(str(folder / f"{i}.png"))
        image.save(paths[-1])
    return paths


def box_set(folder, *, labelled=None):
    rng = np.random.default_rng(1)
    samples = []
    for i, (path, (height, width)) in enumerate(zip(pictures(folder, rng), SHAPES, strict=True)):
        count = int(rng.integers(0, 5))
        ends = np.sort(rng.uniform(-0.1, 1.1, (count, 2, 2)), axis=1) * [width, height]
        boxes = Boxes(
            ends.reshape(count, 4).astype(np.float32),
            rng.integers(0, 2, count).astype(np.int32),
            rng.random(count) < 0.3,
        )
        mask = None if labelled is None or i % 2 else np.array(labelled)
        samples.append(Sample(path, i, (height, width), boxes, mask))
    return DetectionDataset(tuple(samples), Categories(("cat", "dog"), (1, 2)))


def pose_set(folder):
    rng = np.random.default_rng(2)
    people = []
    for path, (height, width) in zip(pictures(folder, rng), SHAPES, strict=True):
        points = (rng.random((3, 2)) * [width, height]).astype(np.float32)
        people.append(
            Person(
                path,
                len(people),
                center=np.array([width / 2, height / 2], np.float32),
                side=float(max(height, width)),
                keypoints=points,
                visibility=np.array([2, 1, 0], np.int32),
            )
        )
    return PoseDataset(tuple(people), SKELETON)


CASES = {
    "whole images": (box_set, None),
    "crops": (box_set, CornerNetCrop(border=16)),
    "small data": (box_set, SmallDataAugmentation()),
    "rotated": (box_set, SmallDataAugmentation().rotated()),
    "mosaics": (box_set, PhotoAugmentation(mosaic=0.7)),
    "saccade": (box_set, SaccadeCrop()),
    "people": (pose_set, PoseAugmentation()),
    "people upside down": (pose_set, replace(PHOTO_POSES, hide=0.8)),
    "people as they are": (pose_set, None),
}


def batches_of(dataset, augmentation, sizes=((64, 96),), **options):
    kind = BoxLoader if isinstance(dataset, DetectionDataset) else PersonLoader
    loader = kind(dataset, sizes[0], augmentation=augmentation, seed=5)
    return Batches(loader, len(dataset), 3, sizes, shuffle=True, seed=5, **options)


def steps_of(dataset, block):
    """The images and annotations of each step of a block, as NumPy arrays."""
    for step in range(int(block["count"][0])):
        numbers = {name: ops.convert_to_tensor(v[step]) for name, v in block.items() if name != "count"}
        if not numbers["canvas"].shape[-1]:
            raise AssertionError("no size")
        images, found = dataset.prepare(dataset.resident, numbers)
        yield ops.convert_to_numpy(images), {k: ops.convert_to_numpy(v) for k, v in found.items()}


@pytest.mark.parametrize("case", CASES)
def test_both_roads_agree(case, tmp_path):
    make, augmentation = CASES[case]
    made = batches_of(make(tmp_path), augmentation)
    device = DeviceDataset(made, ("a",))
    for epoch in range(6):
        steps = [step for i in range(len(device)) for step in steps_of(device, device.make(epoch, i))]
        order = made.order(epoch)
        assert len(steps) == len(made)
        for number, (images, found) in enumerate(steps):
            expected, *annotations = made.load(epoch, number, order[number * 3 : number * 3 + 3])
            assert images.shape == expected.shape
            difference = np.abs(images - expected).mean(axis=(1, 2, 3))
            assert difference.max() < 1.0, difference
            assert list(found) == list(made.loader.annotations)
            for (name, (shape, dtype)), values in zip(
                made.loader.annotations.items(), annotations, strict=True
            ):
                assert found[name].dtype == dtype and found[name].shape == (3, *shape)
                if np.issubdtype(dtype, np.floating):
                    np.testing.assert_allclose(found[name], values, atol=1e-3, err_msg=name)
                else:
                    np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_classes_that_an_image_leaves_out(tmp_path):
    made = batches_of(box_set(tmp_path, labelled=[True, False]), PhotoAugmentation(mosaic=0.5))
    device = DeviceDataset(made, ("a",))
    for epoch in range(4):
        for number, (_, found) in enumerate(
            s for i in range(len(device)) for s in steps_of(device, device.make(epoch, i))
        ):
            *_, mask = made.load(epoch, number, made.order(epoch)[number * 3 : number * 3 + 3])
            np.testing.assert_array_equal(found["class_mask"], mask)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow takes one step and one size")
def test_blocks_of_steps_and_sizes(tmp_path):
    sizes = ((64, 96), (96, 64), (64, 64))
    made = batches_of(box_set(tmp_path), PhotoAugmentation(), sizes)
    device = DeviceDataset(made, ("a",), steps_per_launch=3, passes=4)
    assert device.cardinality() == 8 and len(device) == 3 and device.steps_per_launch == 3
    shown = set()
    counts = []
    for number in range(3):
        block = device.make(1, number)
        counts.append(int(block["count"][0]))
        size = block["canvas"].shape[2:]
        shown.add(size)
        assert size == made.input_size(1, number)
        for step, (images, _) in enumerate(steps_of(device, block)):
            past, place = divmod(number * 3 + step, 2)
            nth = 4 + past
            indices = made.order(nth)[place * 3 : place * 3 + 3]
            for image, index in zip(images, indices, strict=True):
                expected = made.loader.render(made.loader.draw(nth, int(index), input_size=size))
                assert np.abs(image - expected).mean() < 1.0
    assert counts == [3, 3, 2] and len(shown) > 1


def test_only_levels_that_are_needed_are_kept(tmp_path):
    device = DeviceDataset(batches_of(box_set(tmp_path), None), ("a",))
    levels = device._packed.levels
    # 150x201 fits 64x96 at 0.43, 640x480 at 0.1, 33x47 at 1.9, 256x256 at 0.25 and, with the margin, more.
    np.testing.assert_array_equal(levels.first, [1, 0, 2, 0, 3, 1])
    assert (levels.last - levels.first <= 1).all()  # the margin may add one


def test_images_that_cannot_be_read_are_replaced(tmp_path):
    data = box_set(tmp_path)
    (tmp_path / "2.png").write_bytes(b"no image")
    made = batches_of(data, None)
    device = DeviceDataset(made, ("a",))
    for number in range(len(device)):
        assert 2 not in device.make(0, number)["index"]
