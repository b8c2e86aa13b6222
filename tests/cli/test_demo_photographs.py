"""The photographs of the demo are found and posed as the README says."""

import pytest
from PIL import Image

from keras_cornernet.cli.demo_photographs import DETECTOR, PHOTOGRAPHS, SHOWN_FROM, pose_photographs
from keras_cornernet.presets import from_preset, weights_path

FOUND = {"astronaut.jpg": ["person"], "camera_man.jpg": ["person"], "cat.jpg": ["cat"]}


def test_the_photographs_come_with_their_terms():
    terms = weights_path("photographs/README.md").read_text()
    for name in PHOTOGRAPHS:
        assert f"`{name}`" in terms and weights_path(f"photographs/{name}").stat().st_size < 100_000


@pytest.mark.slow
def test_people_and_the_cat_are_found_and_posed(tmp_path):
    detector = from_preset(DETECTOR)
    for name, kinds in {**FOUND, "grace_hopper.jpg": ["person"]}.items():
        (found,) = detector.predict(str(weights_path(f"photographs/{name}")), min_score=SHOWN_FROM)
        assert list(found.names) == kinds, name
    sheet, *paths = pose_photographs(tmp_path)
    assert len(paths) == len(PHOTOGRAPHS)
    for name, path in zip(PHOTOGRAPHS, paths, strict=True):
        with Image.open(path) as drawn, Image.open(weights_path(f"photographs/{name}")) as image:
            assert drawn.size == image.size
    with Image.open(sheet) as drawn:
        assert drawn.width == 1800
