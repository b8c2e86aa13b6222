"""The commands `export` and `predict` on exported files."""

import json

import numpy as np
import pytest
from command_line import run
from exportable import detector, picture
from PIL import Image

from keras_cornernet import export, save_model
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.export import writers
from keras_cornernet.export.comparison import Agreement
from keras_cornernet.presets import load_network

pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(detector(flip=False), tmp_path_factory.mktemp("model") / "pets.keras")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(2):
        Image.fromarray(picture(32, 48, seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def written(model, pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    result = run("export", model, "--output", folder, "--format", "tflite", "--images", pictures, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_export_compares_what_it_wrote(written):
    assert written["path"].endswith("pets_float32.tflite")
    assert written["bytes"] > 10_000
    assert written["agreement"]["fraction"] == 1.0
    assert written["agreement"]["compared"] > 0
    assert written["failed"] == []


def test_predict_runs_an_exported_file_with_the_same_output(written, model, pictures, tmp_path):
    found = []
    for name, path in {"a": written["path"], "b": model}.items():
        result = run("predict", path, pictures, "--output", tmp_path / name)
        assert result.exit_code == 0, result.output
        found.append(json.loads((tmp_path / name / "predictions.json").read_text()))
        assert (tmp_path / name / "0.png").is_file()
    ours, theirs = ([box["score"] for box in boxes] for boxes in found)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_file_that_disagrees_fails_the_command(model, pictures, tmp_path, monkeypatch):
    wrong = Agreement(9, 0.5, 0.1, 0.2, 0.3, 1.0, False)
    monkeypatch.setitem(writers.WRITERS, "tflite", lambda *_, **__: _Written(tmp_path / "x.tflite"))
    monkeypatch.setattr(export, "load", lambda *_, **__: None)
    monkeypatch.setattr(export, "change_description", lambda *_, **__: None)
    monkeypatch.setattr(export, "compare", lambda *_: wrong)
    result = run("export", model, "--output", tmp_path, "--format", "tflite", "--images", pictures)
    assert result.exit_code == 1
    assert "only 50.0% of 9 boxes or joints agree with Keras" in result.stderr


def test_a_comparison_of_nothing_fails_the_command(model, pictures, tmp_path, monkeypatch):
    monkeypatch.setitem(writers.WRITERS, "tflite", lambda *_, **__: _Written(tmp_path / "x.tflite"))
    monkeypatch.setattr(export, "load", lambda *_, **__: None)
    monkeypatch.setattr(export, "change_description", lambda *_, **__: None)
    nothing = Agreement(0, 0.0, 0.0, 0.0, 0.0, 1.0, False)
    monkeypatch.setattr(export, "compare", lambda *_: nothing)
    result = run("export", model, "--output", tmp_path, "--format", "tflite", "--images", pictures)
    assert result.exit_code == 1
    assert "finds nothing on these images" in result.stderr


def test_an_exported_file_is_not_exported_again(written, tmp_path):
    result = run("export", written["path"], "--output", tmp_path)
    assert result.exit_code == 2
    assert "is an exported file already" in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", ".."])
def test_exports_stay_in_their_folder(model, tmp_path, name):
    result = run("export", model, "--output", tmp_path / "out", "--format", "tflite", "--name", name)
    assert result.exit_code == 2
    assert "--name must be the name of a file" in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


class _Written:
    size, notes = 1, ()

    def __init__(self, path):
        self.path = path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "coreml"], "--format must be one of"),
        (["--precision", "int8"], "--precision int8 is of tflite"),
        (["--image-size", "32x32"], "a SavedModel takes images of any size"),
        (["--format", "tflite", "--precision", "int8"], "needs --images"),
        (["--format", "tflite", "--precision", "int4"], "precision must be one of"),
        (["--format", "tflite", "--images", "none"], "none"),
        (["--annotations", "a.json"], "--annotations needs --images"),
        (["--for", "mediapipe"], "--for mediapipe is of --format tflite"),
        (["--format", "tflite", "--for", "coreml"], "--for must be one of"),
    ],
)
def test_wrong_use_is_told(model, tmp_path, options, words):
    result = run("export", model, "--output", tmp_path, *options)
    assert result.exit_code in (1, 2)
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_untrained_and_unknown_models_are_told(tmp_path):
    for name, words in {"cornernet_small": "has no trained weights", "nothing": "no preset"}.items():
        result = run("export", name, "--output", tmp_path)
        assert (result.exit_code, words in result.stderr) == (2, True)


def test_an_output_that_is_a_file_is_told(model, pictures):
    result = run("export", model, "--output", model)
    assert (result.exit_code, "is a file" in result.stderr) == (2, True)


@pytest.mark.slow
def test_benchmark_tells_the_parts_of_a_model_apart(model):
    result = run("benchmark", model, "--repeats", 1, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["image_size"], told["input_size"], told["forward_passes"]) == ([480, 640], [32, 48], 1)
    assert told["total"] == pytest.approx(1e3 / told["images_per_second"])
    assert min(told["preprocessing"], told["network"], told["peak_memory"], told["gmac"]) > 0
    assert told["parameters"] == load_network(model).count_params()


def test_benchmark_takes_an_exported_file_as_a_whole(written):
    result = run("benchmark", written["path"], "--repeats", 1)
    assert result.exit_code == 0, result.output
    told = dict(line.rsplit("  ", 1) for line in result.stdout.splitlines())
    assert {name.strip() for name in told} == {
        *("image size", "input size", "total", "images per second", "peak memory", "bytes")
    }


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--for", "mediapipe"], ["--raw"]])
def test_forms_for_other_programs_are_compared_and_measured(options, tmp_path):
    scenes = make_scenes(tmp_path / "scenes", 4, seed=5, size=(256, 320)).parent
    data = ["--images", scenes / "images", "--annotations", scenes / "annotations.json"]
    command = [
        "export",
        "cornernet_people",
        "--format",
        "tflite",
        *options,
        *data,
        "--output",
        tmp_path,
        "--json",
    ]
    result = run(*command)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["agreement"]["fraction"] == 1
    description = export.load(told["path"]).description
    assert description.loss["fraction"] == 1
    assert description.self_test["faults"]
    if "--raw" in options:
        assert told["path"].endswith("cornernet_people_raw_float32.tflite")
        return
    assert told["path"].endswith("cornernet_people_mediapipe_float32.tflite")
    ap, full = description.loss["AP"], description.loss["AP_of_model"]
    assert min(ap, full) > 0.6
    assert f"AP {ap:.3f} as mediapipe answers, of {full:.3f}" in told["notes"][-1]
