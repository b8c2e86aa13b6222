"""Exported files are used without Keras and TensorFlow being imported, and where neither is installed."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from exportable import SIZES, detector, estimator, with_statistics

from keras_cornernet.cli.console import needs_keras
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.export import load
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.models import StackedHourglass
from keras_cornernet.skeletons import LSP
from keras_cornernet.structures import Categories

ROOT = Path(__file__).parents[2]
FORMS = {"tflite": "m.tflite", "onnx": "m.onnx", "openvino": "m.xml"}

PROGRAM = """
import sys
from keras_cornernet.cli.app import app

for arguments in {commands}:
    app(arguments, standalone_mode=False)
imported = {{"tensorflow", "keras", "jax"}} & set(sys.modules)
assert not imported, imported
print("done")
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return make_scenes(tmp_path_factory.mktemp("scenes"), 3, seed=3, size=(64, 96)).parent


def of_people():
    model = detector()
    categories = Categories(("person", "dog"), (1, 2))
    return Detector(model.network, model.codec, categories, model.settings)


def of_joints():
    model = estimator()
    network = with_statistics(StackedHourglass(14, **{**SIZES, "stem": (4, 4)}, stem_kernel_size=3))
    return PoseEstimator(network, model.codec, LSP, model.settings)


def exported(kind, form, folder):
    model = {"boxes": of_people, "joints": of_joints}[kind]()
    path = folder / FORMS[form]
    model.export(path, image_size=(64, 96) if kind == "boxes" else (32, 32))
    return path


def commands(model, scenes, output):
    data = ["--annotations", str(scenes / "annotations.json"), "--images", str(scenes / "images")]
    images = str(scenes / "images")
    return [
        ["predict", str(model), images, "--output", str(output / "found")],
        ["evaluate", str(model), *data, "--json", str(output / "measured.json")],
        ["label", str(model), images, "--score", "0.5", "--output", str(output / "more.json")],
        ["benchmark", str(model), "--repeats", "2"],
        ["selftest", str(model)],
    ]


def run(python, program, **environment):
    # As the command is started: nothing but it imports the package.
    start = "import sys; sys.argv = ['keras-cornernet']\n"
    return subprocess.run(
        [python, "-c", start + program],
        env={**os.environ, **environment},
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["boxes", "joints"])
def test_commands_import_neither_keras_nor_tensorflow(kind, form, scenes, tmp_path):
    model = exported(kind, form, tmp_path)
    done = run(
        sys.executable, PROGRAM.format(commands=commands(model, scenes, tmp_path)), PYTHONPATH=str(ROOT)
    )
    assert done.returncode == 0 and done.stdout.endswith("done\n"), done.stderr[-3000:]
    (image,) = sorted((scenes / "images").glob("*"))[:1]
    (here,) = load(model).predict(image)
    rows = json.loads((tmp_path / "found" / "predictions.json").read_text())
    scores = [row["score"] for row in rows if row["image_id"] == 1]
    expected = here.scores if kind == "boxes" else here.keypoint_scores.mean(axis=1)
    np.testing.assert_allclose(sorted(scores)[-1], expected.max(), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_an_environment_that_has_neither(form, scenes, tmp_path):
    """`pip install .[tflite]`, and likewise the other runtimes, in an environment of its own."""
    model = exported("boxes", form, tmp_path)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", f"{ROOT}[{form}]"]
    subprocess.run(install, check=True, capture_output=True)
    installed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    names = {package["name"].replace("_", "-").lower() for package in json.loads(installed.stdout)}
    assert "keras-cornernet" in names and not {"keras", "tensorflow", "tensorflow-cpu", "jax"} & names
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    program = PROGRAM.format(commands=commands(model, scenes, tmp_path))
    program += "import keras_cornernet as kc; print(len(kc.export.load(sys.argv[1]).predict(sys.argv[2])))"
    done = subprocess.run(
        [python, "-c", program, model, scenes / "images" / "000000.jpg"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.endswith("done\n1\n"), done.stderr[-3000:]


@pytest.mark.parametrize(
    ("command", "arguments", "answer"),
    [
        ("predict", {"model": "a.tflite", "detector": None}, False),
        ("predict", {"model": "a.tflite", "detector": "b.xml"}, False),
        ("predict", {"model": "a.tflite", "detector": "objects_as_points_photos"}, True),
        ("predict", {"model": "cornernet_bccd"}, True),
        ("evaluate", {"model": None, "results": ["found.json"]}, False),
        ("evaluate", {"model": None, "results": None}, True),
        ("convert_data", {}, False),
        ("demo", {}, True),
    ],
)
def test_which_commands_need_keras(command, arguments, answer):
    assert needs_keras(command, arguments) is answer
