"""The nouns: problems, categories and data sets are values that are checked where they are made."""

import dataclasses

import numpy as np
import pytest

from keras_cornernet.skeletons import LSP, Skeleton
from keras_cornernet.structures import (
    Boxes,
    Categories,
    DetectionDataset,
    Keypoints,
    Person,
    PoseDataset,
    Problem,
    Sample,
    image_problem,
    size_problem,
)

BOXES = Boxes(np.array([[0, 0, 4, 4], [1, 1, 3, 3]], np.float32), np.array([0, 1]), np.array([False, True]))


def test_a_problem_prints_its_parts():
    problem = Problem("a.json", "images[3]", "the id is missing", costs_image=True)
    assert str(problem) == "a.json: images[3]: the id is missing"
    assert str(Problem("a.jpg", "", "no such file")) == "a.jpg: no such file"
    assert (
        problem == Problem("a.json", "images[3]", "the id is missing", True) and len({problem, problem}) == 1
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.path = "b.json"


def test_the_problem_of_an_image():
    assert image_problem("day: 1/a.jpg", OSError("day: 1/a.jpg: no such file")) == Problem(
        "day: 1/a.jpg", "", "no such file", costs_image=True
    )
    assert size_problem("a.jpg", None, (30, 40)) is None
    assert size_problem("a.jpg", (30, 40), (30, 40)) is None
    problem = size_problem("a.jpg", (60, 80), (30, 40))
    assert problem.costs_image
    assert str(problem) == "a.jpg: the image is 40x30 (width x height), its annotations state 80x60"


def test_categories_of_names():
    assert Categories.of(["cat", "dog"]) == Categories(("cat", "dog"), (1, 2))
    assert Categories.of(name for name in "ab").names == ("a", "b")
    assert Categories.of(np.array(["cat", "dog"])) == Categories(("cat", "dog"), (1, 2))
    given = Categories(("x",), (7,))
    assert Categories.of(given) is given and len(given) == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("cat", "categories: expected a list of class names, got 'cat'"),
        (b"cat", "categories: expected a list of class names, got b'cat'"),
        ({"cat", "dog"}, "categories: expected a list of class names"),
        ({1: "cat"}, "categories: expected a list of class names"),
        (5, "categories: expected a list of class names, got 5"),
        (["a", "a"], "categories: the name 'a' occurs 2 times"),
        (["a", 1], "categories: expected a list of class names, got 1 in it"),
        (["a", ""], "categories: expected a list of class names, got '' in it"),
        (["a", None], "categories: expected a list of class names, got None in it"),
        (["a", ["b"]], r"categories: expected a list of class names, got \['b'\] in it"),
        ([], "categories: expected at least one class name"),
        (Categories((), ()), "categories: expected at least one class name"),
    ],
)
def test_other_categories_are_refused(names, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        Categories.of(names)


@pytest.mark.parametrize(
    ("names", "ids", "words"),
    [
        (("a",), (1, 2), "there are 1 names and 2 ids"),
        (("a", "b"), None, "expected a tuple of ids, got None"),
        ("ab", (1, 2), "expected a tuple of names, got 'ab'"),
        ((1, "b"), (1, 2), "the name 1 is not a text"),
        (("a", "b"), (1, 1), "the id 1 occurs 2 times"),
        (("a", "b"), (1, "2"), "the id '2' is not a whole number"),
    ],
)
def test_categories_are_checked_where_they_are_made(names, ids, words):
    with pytest.raises(ValueError, match=f"^categories: {words}"):
        Categories(names, ids)


def test_names_that_occur_twice_are_told_apart_by_their_ids():
    assert Categories(("cat", "dog", "cat"), (1, 2, 7)).unique_names == ("cat", "dog", "cat (id 7)")


def test_arrays_are_compared_by_value():
    sample = Sample("a.jpg", 1, None, BOXES)
    same = Boxes(BOXES.xyxy.copy(), BOXES.labels.copy(), BOXES.ignore.copy())
    assert sample == sample.replace(boxes=same) and sample != sample.replace(image_id=2)
    assert sample != sample.replace(boxes=Boxes.empty()) and sample != "a.jpg"
    person = Person("a.jpg", 1, np.zeros(2), 4.0, np.full((3, 2), np.nan), np.zeros(3, int))
    assert person == dataclasses.replace(person, keypoints=person.keypoints.copy())
    with pytest.raises(TypeError, match="unhashable"):
        hash(sample)
    with pytest.raises(TypeError, match="colour"):
        sample.replace(colour="red")


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match=r"Boxes: expected the shapes \(n, 4\), \(n,\) and \(n,\)"):
        Boxes(BOXES.xyxy, BOXES.labels[:1], BOXES.ignore)
    with pytest.raises(ValueError, match=r"Boxes: expected areas of the shape \(2,\), got \(3,\)"):
        Boxes(BOXES.xyxy, BOXES.labels, BOXES.ignore, np.ones(3))
    with pytest.raises(ValueError, match=r"Keypoints: expected the shapes \(n, k, 2\) and \(n, k\)"):
        Keypoints(np.zeros((2, 3, 2)), np.zeros((2, 4)))
    assert (
        len(Keypoints(np.zeros((2, 3, 2)), np.zeros((2, 3)))) == len(BOXES) == 2 and len(Boxes.empty()) == 0
    )


def test_data_sets_answer_alike():
    samples = tuple(Sample(f"{i}.jpg", i, (i, 9), BOXES) for i in range(3))
    detection = DetectionDataset(samples, Categories.of(["a", "b"]))
    joints = np.zeros((14, 2), np.float32), np.zeros(14, np.int32)
    people = tuple(Person(f"{i}.jpg", i, np.zeros(2), 4.0, *joints, image_size=(i, 9)) for i in range(3))
    pose = PoseDataset(people, LSP)
    for dataset in (detection, pose):
        assert len(dataset) == 3 and dataset.paths == ("0.jpg", "1.jpg", "2.jpg")
        assert dataset.sizes == ((0, 9), (1, 9), (2, 9)) and dataset.problems == ()
        some = dataset.select([2, 0])
        assert type(some) is type(dataset) and some.paths == ("2.jpg", "0.jpg")
    assert (detection.noun, detection.names, detection.annotation_count) == ("images", ("a", "b"), 3)
    assert (pose.noun, pose.names, pose.annotation_count) == ("people", LSP.joints, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"joints": ("a", "a", "b")}, "joints: expected different texts"),
        ({"joints": ("a", "b", 3)}, "joints: expected different texts"),
        ({"limbs": ((0, 3),)}, r"limbs: \(0, 3\) is not a pair of two joint indices below 3"),
        ({"limbs": ((0, 1, 2),)}, "limbs: "),
        ({"flip_pairs": ((1, 1),)}, "flip_pairs: "),
        ({"flip_pairs": ((0, 1), (1, 2))}, "flip_pairs: a joint is in two pairs"),
        ({"sigmas": (0.1, 0.1)}, "sigmas: expected a number above 0 for each of 3 joints"),
        ({"sigmas": (0.1, 0.1, 0.0)}, "sigmas: expected a number above 0 for each of 3 joints"),
    ],
)
def test_a_skeleton_is_checked_where_it_is_made(changes, words):
    skeleton = Skeleton("three", ("a", "b", "c"), ((0, 1),), ((1, 2),))
    with pytest.raises(ValueError, match=f"^{words}"):
        skeleton.replace(**changes)
