"""Exported files that test themselves: whatever is planted between a picture and the network is caught."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import run
from exportable import centripetal_detector, detector, estimator, picture, point_detector

from keras_cornernet import export
from keras_cornernet.export.runtimes import TFLiteRuntime
from keras_cornernet.export.self_tests import SelfTest, pictures
from keras_cornernet.export.self_tests.faults import FAULTS
from keras_cornernet.export.self_tests.planted import Changed, with_fault
from keras_cornernet.models import CenterNet
from keras_cornernet.presets import from_preset

pytest.importorskip("ai_edge_litert.interpreter")
BEFORE = Path(__file__).parents[1] / "fixtures" / "before"
KINDS = {
    "corners": detector,
    "triplets": lambda **settings: detector(CenterNet, **settings),
    "centers": point_detector,
    "centripetal": centripetal_detector,
    "pose": estimator,
}
FORMS = ("float32.tflite", "int8.tflite", "float32.onnx")
MORE_FORMS = ("float16.tflite", "float32.xml", "")
RAW = ("raw_int8.tflite", "raw_float32.onnx")
FOR_MEDIAPIPE = ("mediapipe_float32.tflite", "mediapipe_int8.tflite")
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Opens a tiny file of a kind and form, which is written once."""
    files = {}

    def open_file(kind, form):
        if (kind, form) not in files:
            model = KINDS[kind](flip=False)
            path = tmp_path_factory.mktemp("files") / (f"{kind}_{form}" if form else kind)
            what, _, precision = form.rpartition("_")
            options = {"raw": {"raw": True}, "mediapipe": {"consumer": "mediapipe"}}.get(what, {})
            if form.endswith("tflite"):
                samples = [picture(*model.settings.input_size, seed) for seed in range(4)]
                options |= {"precision": precision.split(".")[0], "samples": samples}
            files[kind, form] = export.write(model, path, **options)
        written = files[kind, form]
        assert written.notes == ()
        return export.load(written.path)

    return open_file


def cases():
    for kind in KINDS:
        forms = [*FORMS, *(MORE_FORMS if kind in ("corners", "pose") else ())]
        forms += RAW if kind in ("corners", "centers", "pose") else ()  # for which there is a plain decoding
        forms += FOR_MEDIAPIPE if kind in ("corners", "centers") else ()
        for form in forms:
            quick = (kind, form) in {("centers", "float32.tflite"), ("pose", "int8.tflite")}
            yield pytest.param(kind, form, marks=() if quick else SLOW)


@pytest.mark.parametrize(("kind", "form"), list(cases()))
def test_planted_faults_are_caught_and_named(opened, kind, form):
    exported = opened(kind, form)
    assert exported.self_test().right
    results = {name: exported.self_test(with_fault(exported, fault)) for name, fault in FAULTS.items()}
    assert [name for name, result in results.items() if result.right] == []
    for name, result in results.items():
        assert FAULTS[name].words in result.diagnosis


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["cornernet_people", "objects_as_points_photos", "hourglass_people"])
def test_faults_of_trained_models_are_named(preset, tmp_path):
    model = from_preset(preset).with_settings(flip=False)
    written = export.write(model, tmp_path / "model.tflite", precision="dynamic")
    assert written.notes == ()
    exported = export.load(written.path)
    for fault in FAULTS.values():
        result = exported.self_test(with_fault(exported, fault))
        assert fault.words in result.diagnosis


def test_a_runtime_that_swaps_channels_is_named(opened):
    exported = opened("centers", "float32.tflite")
    faulty = type(exported)(Changed(exported.runtime, lambda images: images[..., ::-1]))
    result = faulty.self_test()
    assert not result.right
    assert "blue, green, red" in result.diagnosis
    assert "with that undone the answers are right" in result.diagnosis
    assert str(result).startswith("wrong: ")


def test_other_weights_are_caught(opened):
    ours, theirs = opened("centers", "float32.tflite"), opened("corners", "float32.tflite")
    mixed = type(ours)(theirs.runtime)
    mixed.description = ours.description
    result = mixed.self_test()
    assert not result.right
    assert "something else than they did when the file was written" in result.diagnosis


def test_kernels_and_threads_may_differ(opened):
    path = opened("pose", "int8.tflite").runtime.path
    for options in ({"threads": 1}, {"threads": 2}, {"xnnpack": False}):
        assert export.self_test(path, **options).right


def test_a_program_of_ones_own_may_ask_in_other_words(opened):
    exported = opened("centers", "float32.tflite")

    def ask(picture):
        (found,) = exported.predict(picture, min_score=0)
        return {"boxes": found.boxes.tolist(), "scores": found.scores.tolist(), "labels": list(found.labels)}

    assert exported.self_test(ask).right
    with pytest.raises(ValueError, match="answers must hold 'labels'"):
        exported.self_test(lambda picture: {"boxes": [], "scores": []})


def test_a_box_too_many_is_caught(opened):
    exported = opened("centers", "float32.tflite")

    def ask(picture):
        (found,) = exported.predict(picture, min_score=0)
        more = np.full((len(found) + 3, 4), 1, np.float32)
        return {
            "boxes": np.concatenate([found.boxes, more]),
            "scores": np.concatenate([found.scores, np.full(len(more), found.scores.max())]),
            "labels": np.concatenate([found.labels, np.zeros(len(more), np.int32)]),
        }

    assert not exported.self_test(ask).right


def test_pictures_and_answers_survive_the_description(opened):
    test = SelfTest.from_json(opened("pose", "float32.tflite").description.self_test)
    again = SelfTest.from_json(json.loads(json.dumps(test.to_json())))
    assert test.faults == tuple(FAULTS)
    for case, other in zip(test.cases, again.cases, strict=True):
        np.testing.assert_array_equal(case.picture, other.picture)
        np.testing.assert_array_equal(case.answers["keypoints"], other.answers["keypoints"])
    assert [case.picture.shape[:2] for case in test.cases] == [(32, 32), (18, 21), (61, 48)]


def test_pictures_take_little_space():
    picture = pictures.coarse_picture((512, 640), 3)
    text = pictures.to_text(picture)
    assert len(text) < 16_000
    np.testing.assert_array_equal(pictures.from_text(text), picture)


@pytest.mark.parametrize(
    "content",
    [
        {"pictures": []},
        {"pictures": [{"png": "no base64", "answers": {}, "min_score": 1, "tolerance": {}}]},
        {"pictures": 3},
        {},
    ],
)
def test_damaged_self_tests_are_told(content):
    with pytest.raises(ValueError, match="self-test in the file cannot be read"):
        SelfTest.from_json(content)


@pytest.mark.parametrize("name", ["detector.tflite", "pose.onnx"])
def test_files_of_earlier_versions_have_none_and_say_so(name):
    with pytest.raises(ValueError, match="has no self-test: it was written by an earlier version"):
        export.self_test(BEFORE / name)
    assert run("selftest", str(BEFORE / name)).exit_code == 2


def test_the_command_tells_and_saves(opened, tmp_path, monkeypatch):
    path = opened("centers", "float32.tflite").runtime.path
    done = run("selftest", str(path), "--save", str(tmp_path / "test"))
    assert done.exit_code == 0
    assert done.stdout.count("right: ") == 4
    assert "without XNNPACK" in done.stdout
    saved = json.loads((tmp_path / "test" / "answers.json").read_text())
    assert [one["file"] for one in saved["pictures"]] == ["0.png", "1.png", "2.png"]
    assert (tmp_path / "test" / "2.png").is_file()
    ask = TFLiteRuntime.run
    monkeypatch.setattr(TFLiteRuntime, "run", lambda self, images: ask(self, images[..., ::-1]))
    done = run("selftest", str(path), "--threads", "1", "--xnnpack", "--json")
    assert done.exit_code == 1
    (one,) = json.loads(done.stdout)["runs"].values()
    assert not one["right"]
    assert "blue, green, red" in one["diagnosis"]


def test_xnnpack_is_of_tflite_only():
    with pytest.raises(ValueError, match="XNNPACK can be chosen only"):
        export.load(BEFORE / "pose.onnx", xnnpack=False)
