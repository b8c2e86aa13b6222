"""What is found goes to files with the ids of the data set, and can be measured later."""

import json

import pytest
from command_line import data, load_once, run

from keras_cornernet.data.scenes import make_scenes

loaded_once = pytest.fixture(scope="module", autouse=True)(load_once)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    make_scenes(folder, 4, seed=5, size=(160, 240))
    content = json.loads((folder / "annotations.json").read_text())
    for entry in content["images"]:  # ids of their own
        entry["id"] += 500
    for entry in content["annotations"]:
        entry["image_id"] += 500
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


def test_saved_results_are_measured_alike(scenes, tmp_path):
    measured, saved = tmp_path / "ap.json", tmp_path / "results.json"
    done = run("evaluate", "cornernet_people", *data(scenes), "--json", measured, "--save-results", saved)
    assert done.exit_code == 0, done.output
    rows = json.loads(saved.read_text())
    assert {row["image_id"] for row in rows} <= set(range(500, 510)) and len(rows) > 10
    again = tmp_path / "again.json"
    annotations = ("--annotations", scenes / "annotations.json")
    done = run("evaluate", "--results", saved, *annotations, "--json", again)
    assert done.exit_code == 0, done.output
    before, after = (json.loads(path.read_text()) for path in (measured, again))
    assert after["AP"] == pytest.approx(before["AP"], abs=1e-6) and before["AP"] > 0.3


def test_joints_are_saved_too(scenes, tmp_path):
    saved = tmp_path / "results.json"
    done = run("evaluate", "hourglass_people", *data(scenes), "--save-results", saved)
    assert done.exit_code == 0, done.output
    rows = json.loads(saved.read_text())
    content = json.loads((scenes / "annotations.json").read_text())
    assert len(rows) == len(content["annotations"])
    assert {len(row["keypoints"]) for row in rows} == {3 * len(content["categories"][0]["keypoints"])}


def test_predictions_have_the_ids_of_the_data(scenes, tmp_path):
    (tmp_path / "stranger.jpg").write_bytes(next((scenes / "images").iterdir()).read_bytes())
    annotations = ("--annotations", scenes / "annotations.json")
    done = run(
        *("predict", "cornernet_people", scenes / "images", tmp_path / "stranger.jpg", *annotations),
        *("--output", tmp_path / "out", "--no-pictures"),
    )
    assert done.exit_code == 1 and "stranger.jpg: not among the images of" in done.stderr
    images = json.loads((tmp_path / "out/images.json").read_text())
    content = json.loads((scenes / "annotations.json").read_text())
    assert {i["file_name"]: i["id"] for i in images} == {i["file_name"]: i["id"] for i in content["images"]}
    done = run("evaluate", "--results", tmp_path / "out/predictions.json", *annotations)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "model: expected MODEL, or --results FILE"),
        (("cornernet_people", "--results", "x.json"), "results: expected --results FILE and --annotations"),
        (("--results", "x.json"), "results: expected --results FILE and --annotations"),
        (("--results", "x.json", "--annotations", "y.json"), "y.json: no such file"),
    ],
)
def test_wrong_use_is_named(arguments, words):
    done = run("evaluate", *arguments)
    assert done.exit_code == 2 and words in done.stderr
