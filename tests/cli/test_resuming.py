"""`train --resume` in folders whose files were damaged, or that are in use."""

import json

import pytest
from command_line import data, run

from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.experiment.folder_lock import only_run


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return make_scenes(tmp_path_factory.mktemp("scenes"), 2, seed=3, size=(64, 96)).parent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not json"),
        ("[]", "expected an object, got a list"),
        ("3", "expected an object, got a int"),
        ('{"preset": "cornernet_small", "epochs": 1, "foo": 1}', "'foo' is not a setting of a run"),
        ('{"epochs": "many"}', "epochs must be a whole number"),
        ('{"epochs": 1e999}', "epochs must be a whole number"),
        ('{"train_sizes": 3}', "train_sizes must be a tuple"),
        ('{"train_sizes": [3]}', "train_sizes[0] must be (height, width)"),
        ('{"input_size": "big"}', "input_size must be (height, width)"),
        ('{"rotations": 2}', "rotations must be True or False"),
        ('{"learning_rate": NaN}', "learning_rate must be finite"),
        ('{"optimizer": ["adam"]}', "optimizer must be one of"),
    ],
)
def test_a_damaged_plan_is_named(scenes, tmp_path, text, words):
    (tmp_path / "plan.json").write_text(text)
    done = run("train", "cornernet_small", *data(scenes), "--output", tmp_path, "--resume")
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert done.stderr.startswith(f"error: {tmp_path}/plan.json: ") and words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_run_of_another_preset_is_named(scenes, tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps({"preset": "centernet_small"}))
    done = run("train", "cornernet_small", *data(scenes), "--output", tmp_path, "--resume")
    assert done.exit_code == 2 and "holds a run of centernet_small, not of cornernet_small" in done.stderr


def test_other_classes_are_both_listed(scenes, tmp_path):
    (tmp_path / "data.json").write_text(json.dumps({"names": ["cat", "dog"]}))
    done = run("train", "cornernet_small", *data(scenes), "--output", tmp_path, "--resume")
    assert done.exit_code == 2
    assert "was trained on cat, dog, and the data have person" in done.stderr


def test_a_folder_in_use_is_refused(scenes, tmp_path, monkeypatch):
    with only_run(tmp_path):
        monkeypatch.setattr("keras_cornernet.experiment.folder_lock.threading.get_ident", lambda: -1)
        done = run("train", "cornernet_small", *data(scenes), "--output", tmp_path)
    assert done.exit_code == 2 and "is in use by another run" in done.stderr


def test_an_output_that_is_a_file_is_wrong_use(scenes, tmp_path):
    (tmp_path / "file").touch()
    done = run("train", "cornernet_small", *data(scenes), "--output", tmp_path / "file")
    assert done.exit_code == 2 and "--output must be a folder" in done.stderr


def test_crowds_alone_are_not_trained_on(scenes, tmp_path):
    content = json.loads((scenes / "annotations.json").read_text())
    for annotation in content["annotations"]:
        annotation["iscrowd"] = 1
    (tmp_path / "crowds.json").write_text(json.dumps(content))
    options = ("--annotations", tmp_path / "crowds.json", "--images", scenes / "images")
    done = run("train", "cornernet_small", *options, "--output", tmp_path / "run")
    assert done.exit_code == 2 and "no usable box is left" in done.stderr
    assert not list((tmp_path / "run").glob("*"))
