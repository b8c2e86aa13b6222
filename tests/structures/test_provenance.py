"""Where weights come from, and the hash of annotations."""

import numpy as np
import pytest

from keras_cornernet.structures import Boxes, DataSource, Parent, Provenance, Sample, sha256_of_annotations

COCO = DataSource("coco", "CC BY 4.0", 10, "ab")


def sample(path="a/1.jpg", x=1.0, label=0, **more):
    boxes = Boxes(np.array([[x, 2, 8, 9]], np.float32), np.array([label], np.int32), np.zeros(1, bool))
    return Sample(path, more.pop("image_id", 5), (20, 30), boxes, **more)


def test_it_comes_back_from_json():
    origin = Provenance((COCO, DataSource("mine")), (Parent("a", "cd"), Parent("b")))
    assert Provenance.from_json(origin.to_json()) == origin
    assert Provenance.from_json({}) == Provenance()
    assert str(origin) == "trained on coco (terms: CC BY 4.0), mine (terms: not stated); started from a, b"


def test_a_child_inherits_data_and_parents_once_each():
    origin = Provenance((COCO,), (Parent("a"),)).grown([DataSource("mine"), COCO], [Parent("b"), Parent("a")])
    assert [source.name for source in origin.data] == ["coco", "mine"]
    assert [parent.name for parent in origin.parents] == ["b", "a"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "must be an object"),
        ({"date": 1}, "unknown key 'date'"),
        ({"data": "coco"}, "provenance.data must be a list"),
        ({"data": [1]}, r"provenance.data\[0\] must be an object, not 1"),
        ({"data": [{"terms": "x"}]}, r"provenance.data\[0\] lacks its name"),
        ({"data": [{"name": "x", "items": "many"}]}, r"data\[0\].items must be a number, not 'many'"),
        ({"parents": [{"name": None}]}, r"parents\[0\].name must be a text"),
        ({"parents": [{"name": "x", "url": "y"}]}, r"parents\[0\] has the unknown key 'url'"),
    ],
)
def test_other_forms_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        Provenance.from_json(values)


def test_the_hash_is_that_of_annotations_not_of_their_place():
    same = sha256_of_annotations([sample(), sample("a/2.jpg")])
    assert same == sha256_of_annotations([sample("/elsewhere/1.jpg", image_id=9), sample("b/2.jpg")])
    others = [[sample()], [sample("a/2.jpg"), sample()], [sample(x=1.5), sample("a/2.jpg")]]
    others += [[sample(label=1), sample("a/2.jpg")], [sample(partial=True), sample("a/2.jpg")]]
    assert len({same, *map(sha256_of_annotations, others)}) == 6
