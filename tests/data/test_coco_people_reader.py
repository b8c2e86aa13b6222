import json

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.readers import read_coco_people, read_people
from keras_cornernet.skeletons import COCO, LSP, MPII

DOG = {"id": 18, "name": "dog", "keypoints": ["Nose", "left ear", "Right-Ear"], "skeleton": [[1, 2], [1, 3]]}


@pytest.fixture
def read(tmp_path):
    """Writes a COCO json beside a folder with `a.jpg` and `b.jpg` and reads its people."""
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(images / name)

    def run(annotations, category=DOG, reader=read_coco_people, **options):
        content = {
            "images": [
                {"id": 7, "file_name": "a.jpg", "width": 100, "height": 80},
                {"id": 3, "file_name": "b.jpg", "width": 100, "height": 80},
            ],
            "annotations": annotations,
            "categories": [
                {"id": 2, "name": "bicycle"},
                *(category if isinstance(category, list) else [category]),
            ],
        }
        (tmp_path / "a.json").write_text(json.dumps(content))
        return reader(tmp_path / "a.json", images, **options)

    return run


def dog(**changes):
    return {
        "id": 1,
        "image_id": 3,
        "category_id": 18,
        "bbox": [10, 20, 30, 40],
        "area": 700.5,
        "iscrowd": 0,
        "keypoints": [12, 25, 2, 15, 22, 1, 99, 99, 0],
    } | changes


def test_what_is_read(read):
    dataset = read([dog(), dog(id=2, image_id=7, area=None)])
    assert dataset.problems == ()
    first, second = dataset.people
    assert (first.image_id, second.image_id) == (7, 3)
    assert first.path.endswith("a.jpg") and (first.area, second.area) == (1200, 700.5)
    assert second.center.tolist() == [25, 40] and second.side == 50
    assert second.keypoints.tolist() == [[12, 25], [15, 22], [0, 0]] and second.visibility.tolist() == [
        2,
        1,
        0,
    ]
    assert second.box.tolist() == [10, 20, 40, 60] and second.head_size is None
    assert (second.keypoints.dtype, second.visibility.dtype, second.box.dtype) == (
        "float32",
        "int32",
        "float32",
    )
    assert read([dog()], padding=2).people[0].side == 80


def test_a_skeleton_is_made_of_the_category(read):
    skeleton = read([dog()]).skeleton
    assert skeleton.name == "dog" and skeleton.joints == ("nose", "left_ear", "right_ear")
    assert skeleton.limbs == ((0, 1), (0, 2)) and skeleton.flip_pairs == ((1, 2),) and skeleton.sigmas is None


@pytest.mark.parametrize(
    "names",
    [
        ("l_ear", "r_ear"),
        ("ear_left", "ear_right"),
        ("ear_l", "ear_r"),
        ("leftEar", "rightEar"),
        ("earLeft", "earRight"),
        ("LEar", "REar"),
        ("Lear", "Rear"),
        ("ear.L", "ear.R"),
        ("leftear", "rightear"),
        ("outer_left_ear", "outer_right_ear"),
    ],
)
def test_sides_in_other_words(read, names):
    assert read([dog()], DOG | {"keypoints": ["nose", *names]}).skeleton.flip_pairs == ((1, 2),)


def test_names_without_another_side_are_no_pair(read):
    category = DOG | {"keypoints": ["left_eye", "lower_lip", "tail"], "skeleton": None}
    skeleton = read([dog()], category).skeleton
    assert skeleton.flip_pairs == () and skeleton.limbs == ()


@pytest.mark.parametrize("known", [COCO, LSP, MPII], ids=lambda s: s.name)
def test_a_known_skeleton_is_found_by_its_joints(read, known):
    category = {"id": 18, "name": "person", "keypoints": list(known.joints)}
    dataset = read([dog(keypoints=[1, 2, 2] * len(known.joints))], category)
    assert dataset.skeleton is known and len(dataset.people) == 1


def test_who_is_passed_over(read):
    bicycle = {"id": 5, "image_id": 3, "category_id": 2, "bbox": [1, 1, 5, 5]}
    unannotated = [dog(id=2, keypoints=[0] * 9), dog(id=3, keypoints=[]), dog(id=4, keypoints=None)]
    dataset = read([bicycle, *unannotated, dog(id=6, iscrowd=1)])
    assert dataset.people == () and dataset.problems == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bbox": [10, 20, 0, 40]}, "bbox has zero width"),
        ({"keypoints": [1, 2, 0.9, 3, 4, 1, 0, 0, 0]}, "a visibility that is not 0, 1 or 2: [0.9, 1, 0]"),
        ({"keypoints": [1, 2, 2]}, "keypoints [1, 2, 2] are not 3 triples of finite numbers"),
        ({"keypoints": [float("nan"), 2, 2, 1, 1, 1, 1, 1, 1]}, "are not 3 triples of finite numbers"),
        ({"image_id": 99}, "the image id 99 is not among the images"),
    ],
)
def test_what_costs_a_person_is_named(read, changes, words):
    annotations = [dog(**changes), dog(id=2)]
    dataset = read(annotations)
    (problem,) = dataset.problems
    assert len(dataset.people) == 1 and problem.reason.endswith(words) and problem.costs_image
    assert problem.where.startswith("annotation id 1")
    with pytest.raises(ValueError, match="annotation id 1"):
        read(annotations, strict=True)


def test_a_problem_of_another_category_costs_no_person(read):
    dataset = read([dog(), {"id": 5, "image_id": 3, "category_id": 2, "bbox": [1, 1, -5, 5]}])
    (problem,) = dataset.problems
    assert len(dataset.people) == 1 and not problem.costs_image


def test_categories_with_the_same_keypoints_are_read_together(read):
    cat = {"id": 19, "name": "cat", "keypoints": DOG["keypoints"]}
    dataset = read([dog(), dog(id=7, category_id=19)], [DOG, cat, {"id": 1, "name": "table"}])
    assert [person.category for person in dataset.people] == ["dog", "cat"]
    assert dataset.skeleton.name == "dog"


@pytest.mark.parametrize("area", [None, 0, -5, "700", float("nan")])
def test_an_area_that_is_no_positive_number_is_that_of_the_box(read, area):
    assert read([dog(area=area)]).people[0].area == 1200


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ({"id": 18, "name": "dog"}, "expected a category with 'keypoints', found none"),
        (
            [DOG, DOG | {"id": 19, "name": "cat", "keypoints": ["nose"]}],
            "the same 'keypoints' in all categories that have some, but those of 'dog' and 'cat' differ",
        ),
        (DOG | {"keypoints": "nose"}, "its keypoints 'nose' are not texts"),
        (DOG | {"keypoints": ["nose", 1, 2]}, r"its keypoints \['nose', 1, 2\] are not texts"),
        (DOG | {"keypoints": ["nose", "ear", "Ear"]}, "a keypoint name occurs twice"),
        (DOG | {"skeleton": [[0, 1]]}, r"its skeleton \[\[0, 1\]\] is not a list of pairs .* from 1 to 3"),
        (DOG | {"skeleton": [[1, 2, 3]]}, "is not a list of pairs of keypoint numbers"),
        (DOG | {"skeleton": 5}, "its skeleton 5 is not a list of pairs"),
    ],
)
def test_a_category_that_cannot_be_read(read, category, words):
    with pytest.raises(ValueError, match=words):
        read([dog()], category)


def test_a_given_skeleton(read):
    given = COCO.replace(name="snout", joints=("a", "b", "c"), limbs=(), flip_pairs=(), sigmas=None)
    assert read([dog()], skeleton=given).skeleton is given
    with pytest.raises(
        ValueError, match="skeleton: 'coco' has 17 joints, but the category 'dog' of .* has 3"
    ):
        read([dog()], skeleton=COCO)


@pytest.mark.parametrize("padding", [0, -1, float("nan"), "2"])
def test_a_wrong_padding(read, padding):
    with pytest.raises(ValueError, match="padding: expected a number above 0"):
        read([dog()], padding=padding)


def test_read_people_takes_the_format_and_its_options(read):
    people = read([dog()], reader=read_people, format="coco", padding=2).people
    assert people[0].side == 80 and np.array_equal(people[0].keypoints, read([dog()]).people[0].keypoints)
    with pytest.raises(
        ValueError,
        match="format: expected one of coco, lsp, mpii, flic, yolo, got 'voc'; voc is a format of detection",
    ):
        read([dog()], reader=read_people, format="voc")
    with pytest.raises(
        ValueError, match="split is an option of the formats lsp and mpii and yolo, not of coco"
    ):
        read([dog()], reader=read_people, format="coco", split="train")
    with pytest.raises(ValueError, match="spilt is not an option of any of the formats coco, lsp"):
        read([dog()], reader=read_people, format="coco", spilt="train")
