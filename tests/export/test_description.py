"""What exported files state about themselves."""

import json
import logging

import pytest
from exportable import FACE, detector, estimator

from keras_cornernet.export.description import Description
from keras_cornernet.export.exported import EXPORTED, describe

# As the first versions wrote it.
OLD = {
    "task": "detection",
    "names": ["person"],
    "ids": [1],
    "skeleton": "",
    "limbs": [],
    "flip_pairs": [],
    "image_size": None,
    "input_scale": 1.0,
    "score": 0.3,
    "precision": "float32",
    "input_size": [320, 448],
    "padding": 1.0,
}


def test_a_description_survives_its_json():
    for model in (detector(), estimator()):
        description = describe(model, (32, 48), "int8")
        assert Description.from_json(description.to_json()) == description
        assert description.task in EXPORTED
    assert description.joints == FACE
    assert (description.score, description.padding) == (0.2, 1.25)


def test_the_files_of_the_first_versions_are_understood():
    description = Description.from_json(json.dumps(OLD))
    assert (description.categories.names, description.input_size) == (("person",), (320, 448))


def test_keys_of_later_versions_are_passed_over(caplog):
    with caplog.at_level(logging.WARNING):
        description = Description.from_json(json.dumps({**OLD, "colour": "red"}))
    assert description == Description.from_json(json.dumps(OLD))
    assert "unknown keys: colour" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "[]", "3", '{"colour": 3}', b"\xff\xfe", "[" * 100_000]
    + [
        json.dumps({**OLD, name: value})
        for name, value in (
            ("task", 3),
            ("names", "person"),
            ("names", [1]),
            ("image_size", [0, 5]),
            ("input_size", "large"),
            ("padding", 0),
            ("score", "high"),
        )
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="not a description of a model of keras_cornernet"):
        Description.from_json(text)
