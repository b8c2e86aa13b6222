"""Images of another size than their annotations state are named, and the exit code is 1."""

import pytest
from command_line import data, load_once, run
from exportable import detector
from PIL import Image

from keras_cornernet import presets
from keras_cornernet.data.scenes import make_scenes

loaded_once = pytest.fixture(scope="module", autouse=True)(load_once)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    tiny = detector()
    tiny.categories = type(tiny.categories)(("person", "dog"), (1, 2))
    return presets.save_model(tiny, tmp_path_factory.mktemp("model") / "tiny.keras")


@pytest.mark.parametrize("resized", [1, 3])
def test_evaluate_names_them(model, tmp_path, resized, caplog):
    make_scenes(tmp_path, 3, seed=2, size=(64, 96))
    names = [path for path in sorted((tmp_path / "images").iterdir())][:resized]
    for path in names:
        Image.open(path).resize((48, 32)).save(path)
    done = run("evaluate", model, *data(tmp_path))
    assert done.exit_code == 1 and "Traceback" not in done.output
    for path in names:
        assert (
            f"{path}: the image is 48x32 (width x height), its annotations state 96x64"
            in done.stderr + caplog.text
        )
    assert ("none of the images can be measured" in done.stderr) == (resized == 3)
