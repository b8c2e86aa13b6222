"""Several data sets as one: classes by name, what a set leaves out, weights, and a part set aside."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from keras_cornernet.codecs import CenterCodec, CornerCodec, SaccadeCodec
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.joining import check_background, join_datasets, split_dataset, with_classes
from keras_cornernet.data.order import EpochOrder
from keras_cornernet.data.readers import boxes_of_people, find_part, read_coco, read_dataset
from keras_cornernet.data.readers.people_boxes import surroundings
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import (
    Boxes,
    Categories,
    DatasetPart,
    DetectionDataset,
    Person,
    PoseDataset,
    Sample,
)


def dataset_of(names, labels, prefix="a"):
    """One image of 64 x 64 for each list of labels, with a box of its own for each label."""
    samples = []
    for i, its in enumerate(labels):
        xyxy = np.array([[4 + 8 * j, 4, 20 + 8 * j, 30] for j in range(len(its))], np.float32).reshape(-1, 4)
        boxes = Boxes(xyxy, np.array(its, np.int32), np.zeros(len(its), bool))
        samples.append(Sample(f"{prefix}{i}.png", i + 1, (64, 64), boxes))
    return DetectionDataset(tuple(samples), Categories(tuple(names), tuple(range(1, len(names) + 1))))


def test_classes_are_matched_by_name_whatever_their_case():
    one, two = dataset_of(["cat", "dog"], [[0, 1]]), dataset_of(["Dog", "cow"], [[1, 0]], "b")
    joined = join_datasets([one, two], names=["one", "two"])
    assert joined.names == ("cat", "dog", "cow")
    assert [sample.boxes.labels.tolist() for sample in joined.samples] == [[0, 1], [2, 1]]
    assert [sample.labelled.tolist() for sample in joined.samples] == [
        [True, True, False],
        [False, True, True],
    ]
    assert [sample.image_id for sample in joined.samples] == [1, 2]
    assert joined.parts == (DatasetPart("one", 1), DatasetPart("two", 1))


def test_chosen_classes_keep_their_order_and_others_are_left_out():
    one, two = dataset_of(["cat", "dog", "tree"], [[0, 1, 2]]), dataset_of(["dog"], [[0]], "b")
    joined = join_datasets([one, two], classes=["dog", "CAT"])
    assert joined.names == ("dog", "CAT")
    assert [sample.boxes.labels.tolist() for sample in joined.samples] == [[1, 0], [0]]
    assert joined.samples[0].labelled is None
    assert joined.samples[1].labelled.tolist() == [True, False]
    with pytest.raises(ValueError, match=r"classes: cow occurs in none of the data sets.*cat, dog, tree"):
        join_datasets([one, two], classes=["dog", "cow"])


def test_joining_what_was_joined_keeps_what_is_not_labelled():
    joined = join_datasets([dataset_of(["cat"], [[0]]), dataset_of(["dog"], [[0]], "b")])
    again = with_classes(joined, Categories(("dog", "cat"), (1, 2)))
    assert [sample.labelled.tolist() for sample in again.samples] == [[False, True], [True, False]]


def test_one_data_set_alone_stays_as_it_is():
    one = dataset_of(["cat"], [[0], []])
    joined = join_datasets([one], names=["one"])
    assert joined is one
    assert join_datasets([one], weights=[0.5]).parts == (DatasetPart("data set 1", 2, 0.5),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": [1.0]}, "weights: expected one for each of 2 data sets, got 1"),
        ({"weights": [1.0, 1.5]}, "weights"),
        ({"weights": [1.0, 0.0]}, "weights"),
        ({"names": ["a"]}, "names: expected one for each of 2 data sets"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    sets = dataset_of(["cat"], [[0]]), dataset_of(["cat"], [[0]], "b")
    with pytest.raises(ValueError, match=message):
        join_datasets(sets, **arguments)


def people(count=2, prefix="p", **changes):
    xy = np.zeros((14, 2), np.float32)
    xy[:, 0], xy[:, 1] = np.linspace(20, 40, 14), np.linspace(10, 60, 14)
    visibility = np.full(14, 2, np.int32)
    given = {"image_size": (80, 100), **changes}
    found = tuple(
        Person(f"{prefix}{i}.png", i + 1, np.array([30, 35], np.float32), 60.0, xy, visibility, **given)
        for i in range(count)
    )
    return PoseDataset(found, LSP)


def test_people_and_boxes_do_not_mix_and_joints_must_agree():
    with pytest.raises(ValueError, match="all with boxes or all with joints"):
        join_datasets([dataset_of(["person"], [[0]]), people()])
    other = people().replace(skeleton=LSP.__class__("other", ("nose",), (), ()))
    with pytest.raises(ValueError, match="the joints of data set 2 .nose. are not those of data set 1"):
        join_datasets([people(), other])
    assert len(join_datasets([people(2), people(3, "q")])) == 5


def test_an_epoch_shows_the_fraction_of_a_set_that_its_weight_says():
    parts = (DatasetPart("a", 10, 1.0), DatasetPart("b", 20, 0.25))
    order = EpochOrder(30, parts, shuffle=True, seed=3)
    epochs = [order(epoch) for epoch in range(40)]
    assert len(order) == 15
    for indices in epochs:
        assert len(indices) == len(set(indices.tolist())) == 15
        assert set(range(10)) <= set(indices.tolist())
    assert set(np.concatenate(epochs).tolist()) == set(range(30)), "each image has its turn"
    assert (order(7) == EpochOrder(30, parts, shuffle=True, seed=3)(7)).all()
    assert len(EpochOrder(30, parts)) == 30, "without shuffling everything is shown"


def test_without_parts_the_order_is_that_of_earlier_versions():
    expected = np.arange(9)
    np.random.default_rng([5, 2]).shuffle(expected)
    assert EpochOrder(9, shuffle=True, seed=5)(2).tolist() == expected.tolist()


def test_the_loader_says_which_classes_are_labelled(tmp_path):
    for name in ("a0.png", "b0.png"):
        Image.new("RGB", (64, 64), "grey").save(tmp_path / name)
    joined = join_datasets(
        [dataset_of(["cat"], [[0]], f"{tmp_path}/a"), dataset_of(["dog", "cat"], [[0, 1]], f"{tmp_path}/b")]
    )
    loader = BoxLoader(joined, (64, 64))
    masks = [dict(zip(["image", *loader.annotations], loader.load(0, i), strict=True)) for i in range(2)]
    assert [found["class_mask"].tolist() for found in masks] == [[1, 0], [1, 1]]
    assert "class_mask" not in BoxLoader(dataset_of(["cat"], [[0]], f"{tmp_path}/a"), (64, 64)).annotations


@pytest.mark.parametrize("codec", [CornerCodec(2), CenterCodec(2), CornerCodec(2, offset_reach=1)])
@pytest.mark.parametrize("ignore", [False, True])
def test_a_class_that_is_not_labelled_is_not_punished(codec, ignore):
    annotations = {
        "boxes": np.array([[[4, 4, 40, 40], [0, 0, 8, 8]]] * 2, np.float32),
        "labels": np.array([[0, 0], [0, 0]], np.int32),
        "class_mask": np.array([[1, 0], [1, 1]], np.float32),
    }
    if ignore:
        annotations["ignore"] = np.array([[False, True]] * 2)
    targets = codec.encode(annotations, (64, 64), (16, 16))
    mask = np.asarray(targets["heatmap_mask"])
    without = {key: value for key, value in annotations.items() if key != "class_mask"}
    plain = np.asarray(codec.encode(without, (64, 64), (16, 16)).get("heatmap_mask", np.ones_like(mask)))
    assert (mask[0, ..., 1] == 0).all()
    np.testing.assert_array_equal(mask[0, ..., 0], plain[0, ..., 0])
    np.testing.assert_array_equal(mask[1], plain[1])


def test_attention_is_not_punished_where_a_class_is_not_labelled():
    codec = SaccadeCodec(2)
    annotations = {
        "boxes": np.array([[[4, 4, 40, 40]]] * 2, np.float32),
        "labels": np.zeros((2, 1), np.int32),
        "class_mask": np.array([[1, 0], [1, 1]], np.float32),
    }
    targets = codec.encode(annotations, (255, 255), (64, 64))
    loss = DetectionLoss(attention_weight=1.0)
    maps = {name: np.full(t.shape, 2.0, np.float32) for name, t in targets["attention"].items()}
    for name, marks in targets["attention"].items():
        mask, marks = np.asarray(targets["attention_mask"][name]), np.asarray(marks)
        np.testing.assert_array_equal(mask[0], marks[0])
        assert (mask[1] == 1).all()
    masked = float(loss.attention_loss(maps, targets["attention"], targets["attention_mask"]))
    assert masked < float(loss.attention_loss(maps, targets["attention"]))


def test_joints_make_boxes_and_bystanders_are_ignored():
    found = boxes_of_people(people(1), partial=True)
    (sample,) = found.samples
    # 20..40 x 10..60: the longer side is 50, so that 4 pixels are added on each side.
    np.testing.assert_allclose(sample.boxes.xyxy[0], [16, 6, 44, 64])
    assert sample.partial
    assert found.names == ("person",)
    bands = sample.boxes.xyxy[sample.boxes.ignore]
    covered = np.zeros((80, 100), bool)
    for x1, y1, x2, y2 in bands.astype(int):
        covered[y1:y2, x1:x2] = True
    assert not covered[6:64, 16:44].any()
    assert covered[:, 49:].all()
    assert covered[69:].all()
    assert not boxes_of_people(people(1), partial=False).samples[0].boxes.ignore.any()


def test_no_band_is_left_where_the_person_fills_the_image():
    assert surroundings(np.array([[0, 0, 100, 80]], np.float32), (80, 100)).shape == (0, 4)


def coco_folder(root, part, names=("cat",), boxes=1, images=2, layout="beside"):
    """Writes one part of a data set in COCO's layout."""
    folder = root / part if layout == "beside" else root / f"{part}2017"
    folder.mkdir(parents=True)
    for i in range(images):
        Image.new("RGB", (40, 30), (i, 9, 9)).save(folder / f"{part}{i}.png")
    content = {
        "images": [{"id": i + 1, "file_name": f"{part}{i}.png"} for i in range(images)],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(names)],
        "annotations": [
            {"id": i * boxes + j + 1, "image_id": i + 1, "category_id": 1, "bbox": [2, 2, 20, 20]}
            for i in range(images)
            for j in range(boxes)
        ],
    }
    at = root if layout == "beside" else root / "annotations"
    at.mkdir(exist_ok=True)
    name = f"instances_{part}.json" if layout == "beside" else f"instances_{part}2017.json"
    (at / name).write_text(json.dumps(content))


@pytest.mark.parametrize("layout", ["beside", "annotations"])
def test_a_folder_in_the_layout_of_coco_is_found(tmp_path, layout):
    coco_folder(tmp_path, "train", layout=layout)
    assert len(read_dataset(tmp_path, "detection", "train")) == 2
    assert read_dataset(tmp_path, "detection", "val") is None
    coco_folder(tmp_path, "val", images=1, layout=layout)
    assert len(read_dataset(tmp_path, "detection", "val")) == 1
    with pytest.raises(ValueError, match="of no known layout"):
        find_part(tmp_path, "pose", "train")


def test_a_folder_in_the_layout_of_lsp_is_for_both_tasks(tmp_path):
    (tmp_path / "train" / "images").mkdir(parents=True)
    Image.new("RGB", (100, 80)).save(tmp_path / "train" / "images" / "im0001.png")
    joints = np.zeros((14, 3, 1))
    joints[:, 0, 0], joints[:, 1, 0], joints[:, 2, 0] = np.linspace(20, 40, 14), np.linspace(10, 60, 14), 1
    savemat(tmp_path / "train" / "joints.mat", {"joints": joints})
    assert len(read_dataset(tmp_path, "pose").people) == 1
    boxes = read_dataset(tmp_path, "detection").samples[0].boxes
    np.testing.assert_allclose(boxes.xyxy[0], [16, 6, 44, 64])
    assert boxes.ignore.tolist() == [False, *[True] * (len(boxes) - 1)]


def test_a_folder_that_is_not_there_or_not_clear_is_named(tmp_path):
    with pytest.raises(ValueError, match="data: there is no folder"):
        find_part(tmp_path / "gone", "detection", "train")
    coco_folder(tmp_path, "train")
    (tmp_path / "instances_train_2.json").write_text("{}")
    with pytest.raises(ValueError, match="several files of labels for train"):
        find_part(tmp_path, "detection", "train")


def test_a_flag_that_says_neither_is_named(tmp_path):
    coco_folder(tmp_path, "train", boxes=2, images=1)
    content = json.loads((tmp_path / "instances_train.json").read_text())
    content["annotations"][0]["difficult"] = ["perhaps"]
    (tmp_path / "instances_train.json").write_text(json.dumps(content))
    dataset = read_coco(tmp_path / "instances_train.json", tmp_path / "train")
    assert len(dataset.samples[0].boxes) == 1
    assert "difficult: the flag ['perhaps'] is neither true nor false" in str(dataset.problems[0])


@pytest.mark.parametrize("flag", [1, "1", True, "true", "Yes", 1.0, "on", "1.0"])
def test_difficult_boxes_are_ignored_in_every_spelling(tmp_path, flag):
    coco_folder(tmp_path, "train", boxes=2, images=1)
    content = json.loads((tmp_path / "instances_train.json").read_text())
    content["annotations"][0]["difficult"] = flag
    content["annotations"][1]["difficult"] = 0
    (tmp_path / "instances_train.json").write_text(json.dumps(content))
    dataset = read_coco(tmp_path / "instances_train.json", tmp_path / "train")
    assert dataset.samples[0].boxes.ignore.tolist() == [True, False]


def test_a_part_is_set_aside_by_image_and_seed():
    joined = join_datasets([people(30), people(10, "q")], names=["p", "q"], weights=[1.0, 0.5])
    twice = joined.replace(people=(*joined.people, *joined.people), parts=())
    train, val = split_dataset(twice, 0.2, seed=1)
    assert not set(train.paths) & set(val.paths)
    assert len(set(val.paths)) == 8
    assert len(train) + len(val) == 80
    assert split_dataset(twice, 0.2, seed=1)[1].paths == val.paths
    assert split_dataset(twice, 0.2, seed=2)[1].paths != val.paths
    train, val = split_dataset(joined, 0.25, seed=0)
    assert sum(part.count for part in train.parts) == len(train) == 30
    assert [part.weight for part in train.parts] == [1.0, 0.5]
    for fraction in (0.0, 1.0, 0.001):
        with pytest.raises(ValueError, match="fraction"):
            split_dataset(joined, fraction)


def test_images_without_boxes_are_refused_where_they_are_nearly_all():
    mostly_empty = dataset_of(["cat"], [[0], *[[]] * 19])
    with pytest.raises(ValueError, match="19 of 20 images have no box; if they are meant as background"):
        check_background(mostly_empty)
    check_background(mostly_empty, allowed=True)
    check_background(dataset_of(["cat"], [[0], *[[]] * 9]))
