"""The public face: these names, no others."""

import subprocess
import sys
from pathlib import Path

import pytest

import keras_cornernet
from keras_cornernet import backend

NAMES = {
    *("CornerCodec", "CornerNet", "DetectionLoss", "Detections", "Detector", "StackedHourglass"),
    *("convert", "evaluate_detections", "from_preset", "join_datasets", "make_dataset", "make_scenes"),
    *("read_coco", "read_dataset"),
    *("read_pascal_voc", "save_model", "make_trainer", "Trainer", "__version__"),
    *("evaluate_poses", "KeypointCodec", "PoseEstimator", "PoseLoss", "Poses", "read_people"),
    *("CenterNet", "CornerNetSaccade", "CornerNetSqueeze", "ObjectsAsPoints", "CenterCodec"),
    *("SaccadeCodec", "SaccadeDetector", "TripletCodec", "CentripetalCodec", "CentripetalNet"),
    *("EvaluationCallback", "EvaluationResult"),
}
ROOMS = {
    *("codecs", "conversion", "data", "evaluation", "export", "inference", "layers", "losses", "models"),
    *("ops", "preprocessing", "presets", "skeletons", "structures", "training", "visualization"),
    *("results", "tasks"),
}


def test_the_list_is_the_public_face():
    assert set(keras_cornernet.__all__) == NAMES | ROOMS
    assert set(dir(keras_cornernet)) >= NAMES | ROOMS


@pytest.mark.parametrize("name", sorted(NAMES | ROOMS))
def test_each_name_is_there(name):
    assert getattr(keras_cornernet, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'FasterRCNN'"):
        keras_cornernet.FasterRCNN  # noqa: B018


@pytest.mark.parametrize(
    "room", ["layers", "models", "losses", "codecs", "evaluation", "inference", "training"]
)
def test_every_name_that_a_room_lists_is_there(room):
    module = getattr(keras_cornernet, room)
    assert all(hasattr(module, name) for name in module.__all__)


def test_importing_the_package_registers_its_classes_with_keras():
    import keras

    for name in ("CornerNet", "Hourglass", "Residual", "TopLeftPool", "CenterPool", "CenterNet"):
        assert keras.saving.get_registered_object(f"keras_cornernet>{name}") is not None


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("jax", "pip install 'keras_cornernet[jax]'"),
        ("tensorflow", "pip install 'keras_cornernet[tf-cpu]' (or [tf]"),
        ("torch", "keras_cornernet runs on 'tensorflow' or 'jax'"),
    ],
)
def test_a_missing_backend_is_told_with_the_line_to_type(backend, words):
    hide = "import importlib.util as u; u.find_spec = lambda name: name == 'keras' or None; "
    run = _run(hide + "import keras_cornernet", {"KERAS_BACKEND": backend})
    assert run.returncode == 1
    assert words in run.stderr.splitlines()[-1]


def test_without_keras_the_package_is_imported_and_says_what_to_type():
    hide = "import importlib.util as u, sys; u.find_spec = lambda name: None; sys.modules['keras'] = None\n"
    run = _run(hide + "import keras_cornernet as kc; kc.read_coco, kc.export.load; kc.Detector", {})
    assert run.returncode == 1
    assert "Keras is not installed" in run.stderr and "keras_cornernet[tf-cpu]" in run.stderr


def test_an_old_keras_is_told(monkeypatch):
    monkeypatch.setattr(backend.metadata, "version", lambda name: "3.9.2")
    with pytest.raises(ImportError, match=r"needs Keras 3.13 or later, and 3.9.2 is installed.*keras>=3.13"):
        backend.prepare_backend()


def test_a_keras_of_another_distribution_is_taken(monkeypatch):
    def missing(name):
        raise backend.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(backend.metadata, "version", missing)
    backend.prepare_backend()


def _run(program, environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "", **environment},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
