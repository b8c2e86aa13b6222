"""The examples in docstrings run and print what they say.

They run in a folder with a picture, a small data set and tiny untrained models. A tiny model stands in for
trained weights too, so that no example takes long.
"""

import doctest
import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from exportable import detector, estimator
from PIL import Image

import keras_cornernet
from keras_cornernet import export
from keras_cornernet.data.scenes import draw_scene, make_scenes
from keras_cornernet.presets import save_model
from keras_cornernet.structures import Categories

ROOT = Path(keras_cornernet.__file__).parent
MODULES = [
    ".".join(("keras_cornernet", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
    if ">>>" in path.read_text()
]
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="some examples export")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder in which examples run."""
    folder = tmp_path_factory.mktemp("examples")
    Image.fromarray(draw_scene(1, (48, 64))[0]).save(folder / "street.jpg")
    for part in ("train", "val"):
        make_scenes(folder, 2, seed=1).rename(folder / f"instances_{part}.json")
        (folder / "images").rename(folder / part)
    people = detector()
    people.categories = Categories(("person", "dog"), (1, 2))
    save_model(people, folder / "detector.keras")
    save_model(estimator(), folder / "pose.keras")
    export.to_tflite(people, folder / "people_int8.tflite")
    return folder


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, prepared, monkeypatch):
    monkeypatch.chdir(prepared)
    monkeypatch.setattr("keras_cornernet.presets.loading.weights_path", lambda _: prepared / "detector.keras")
    module = importlib.import_module(name)
    if "torch." in Path(module.__file__).read_text():
        sys.modules["torch"] = pytest.importorskip("torch")
    names = {
        **vars(module),
        **{"keras": keras, "keras_cornernet": keras_cornernet, "np": np, "torch": sys.modules.get("torch")},
    }
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner, said = doctest.DocTestRunner(optionflags=options), []
    for example in doctest.DocTestFinder().find(module, extraglobs=names):
        runner.run(example, out=said.append, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
