"""What a run knows of the people or animals whose joints it learns."""

import numpy as np
import pytest
from exportable import FACE
from PIL import Image

from keras_cornernet.experiment.preparation import prepared
from keras_cornernet.structures import Person, PoseDataset
from keras_cornernet.training import TrainingConfig


@pytest.mark.parametrize(
    ("categories", "label"),
    [((None, None), "person"), (("cow", "cow"), "cow"), (("cow", "cat"), ("cat", "cow"))],
)
def test_it_will_read_the_objects_of_the_categories_that_it_learns(categories, label, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    points, seen = np.full((3, 2), 30, np.float32), np.full(3, 2, np.int32)
    people = [
        Person(str(tmp_path / "a.png"), 1, np.array([32, 32]), 60.0, points, seen, category=category)
        for category in categories
    ]
    config = TrainingConfig(batch_size=2, steps=1, pipeline="host")
    model, _ = prepared("hourglass_phone", PoseDataset(tuple(people), FACE), config)
    assert model.settings.label == label
