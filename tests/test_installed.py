"""What a newcomer does first, with the installed package.

`.ci/distributions` copies this file away from the source tree, which it names in `KERAS_CORNERNET_TREE`, and
runs it with the wheels alone: neither the other tests nor their settings are there.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = os.environ.get("KERAS_CORNERNET_TREE")
pytestmark = pytest.mark.skipif(TREE is None, reason="run by .ci/distributions, for an installed wheel")
SCRIPTS = Path(sys.executable).parent


def command(folder: Path, *arguments: object) -> str:
    """What the installed command prints."""
    program = shutil.which("keras-cornernet", path=str(SCRIPTS))
    assert program is not None, f"no command in {SCRIPTS}"
    run = subprocess.run(
        [program, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_package_and_weights_are_the_installed_ones():
    import keras_cornernet_weights

    import keras_cornernet

    for package in (keras_cornernet, keras_cornernet_weights):
        folder = Path(package.__file__).resolve().parent
        assert not folder.is_relative_to(Path(TREE).resolve())
        assert importlib.metadata.version(package.__name__) == "0.1.0"
    assert keras_cornernet.__version__ == "0.1.0"
    assert (Path(keras_cornernet.__file__).parent / "py.typed").is_file()


def test_every_room_is_in_the_wheel():
    import keras_cornernet

    source = Path(TREE) / "keras_cornernet"
    installed = Path(keras_cornernet.__file__).parent
    names = {path.relative_to(source) for path in source.rglob("*.py")}
    assert names == {path.relative_to(installed) for path in installed.rglob("*.py")}


def test_the_description_has_no_relative_links():
    description = importlib.metadata.metadata("keras_cornernet")["Description"]
    assert "keras-cornernet" in description
    assert "](" not in description.replace("](http", "")


def test_the_command_lists_the_models(tmp_path):
    rows = json.loads(command(tmp_path, "models", "--json"))
    assert {"objects_as_points_photos", "hourglass_lspet"} <= {row["name"] for row in rows}


def test_make_data_train_evaluate_predict_export(tmp_path):
    command(tmp_path, "make-data", "--output", "data", "--count", 4)
    annotations = tmp_path / "data" / "annotations.json"
    assert annotations.is_file()
    data = ["--annotations", annotations, "--images", tmp_path / "data" / "images"]
    options = ["--epochs", 1, "--batch-size", 2, "--input-size", "64x64", "--output", "run"]
    command(tmp_path, "train", "objects_as_points_small", *data, *options)
    command(tmp_path, "evaluate", "run/last.keras", *data)
    command(tmp_path, "export", "cornernet_people", "--output", "exports", "--no-flip")
    image = next((tmp_path / "data" / "images").iterdir())
    command(tmp_path, "predict", "cornernet_people", image, "--output", "found")
    (found,) = json.loads((tmp_path / "found" / "predictions.json").read_text())[:1]
    assert found["score"] > 0.3


def test_trained_weights_open_on_this_keras():
    import keras_cornernet as kc

    for name in ("objects_as_points_photos", "cornernet_squeeze_bccd", "hourglass_lspet_large"):
        assert kc.from_preset(name).network.count_params() > 0
