"""Mistakes in the labels of drawn scenes, found by commands."""

import json

import numpy as np
import pytest
from command_line import data, load_once, run
from PIL import Image

from keras_cornernet.data.scenes import make_scenes

loaded_once = pytest.fixture(scope="module", autouse=True)(load_once)
COUNT = 12


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    make_scenes(folder, COUNT, seed=77, max_people=2, heights=(0.5, 0.9))
    return folder


@pytest.fixture
def labels(scenes):
    """The content of the label file."""
    return json.loads((scenes / "annotations.json").read_text())


def audited(content, scenes, output, *options):
    """The result of the command on these labels, and its list."""
    path = output.parent / "labels.json"
    path.write_text(json.dumps(content))
    done = run(
        *("audit", "--annotations", path, "--images", scenes / "images", "--output", output, "--json"),
        *options,
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), json.loads((output / "mistakes.json").read_text())["mistakes"]


def test_planted_mistakes_of_boxes_are_the_first(scenes, labels, tmp_path):
    names = {image["id"]: image["file_name"] for image in labels["images"]}
    missing, shifted = labels["annotations"].pop(3), labels["annotations"][6]
    x, y, width, height = shifted["bbox"]
    shifted["bbox"] = [x + 0.35 * width, y + 0.1 * height, width, height]
    result, found = audited(
        labels, scenes, tmp_path / "audit", "--model", "cornernet_people", "--correct-above", "0.5"
    )
    planted = {("missing box", names[missing["image_id"]]), ("shifted box", names[shifted["image_id"]])}
    assert {(row["kind"], row["image"]) for row in found[:2]} == planted, found
    assert all(row["score"] < 0.5 for row in found[2:]), found
    assert result["probable"] == {"missing box": 1, "wrong class": 0, "shifted box": 1, "extra box": 0}
    assert result["corrections"] == 2
    corrected = json.loads((tmp_path / "audit/corrected.json").read_text())
    name_of = {image["id"]: image["file_name"] for image in corrected["images"]}
    there = [
        e["bbox"] for e in corrected["annotations"] if name_of[e["image_id"]] == names[shifted["image_id"]]
    ]
    off = np.abs(np.array(there) - [x, y, width, height]).max(axis=1)
    assert off.min() < 0.12 * height
    assert len(corrected["annotations"]) == len(labels["annotations"]) + 1
    with Image.open(tmp_path / "audit/worst.jpg") as sheet:
        assert sheet.width == 1800
    assert (tmp_path / "audit/pictures/001_missing_box.jpg").is_file() or (
        tmp_path / "audit/pictures/001_shifted_box.jpg"
    ).is_file()


def test_planted_mistakes_of_joints_are_found(scenes, labels, tmp_path):
    names = labels["categories"][0]["keypoints"]
    lefts = [names.index(name) for name in names if name.startswith("left_")]
    rights = [names.index(names[left].replace("left_", "right_")) for left in lefts]
    points = [np.reshape(entry["keypoints"], (-1, 3)) for entry in labels["annotations"]]
    shoulders = names.index("left_shoulder"), names.index("right_shoulder")
    # Of people seen from the side, left and right are near each other.
    turned = int(np.argmax([abs(p[shoulders[0], 0] - p[shoulders[1], 0]) for p in points]))
    points[turned][lefts + rights] = points[turned][rights + lefts]
    labels["annotations"][turned]["keypoints"] = points[turned].ravel().tolist()
    result, found = audited(labels, scenes, tmp_path / "audit", "--model", "hourglass_people")
    swapped = [row for row in found if row["kind"] == "swapped left and right"]
    # The network takes one more person for turned round, who stands behind another.
    row = next(row for row in swapped[:2] if row["person"] == turned)
    assert row["score"] > 0.3
    assert row["suggested"]["left_wrist"] == row["labelled"]["right_wrist"]
    assert result["noun"] == "person" and result["audited"] == len(labels["annotations"])


@pytest.mark.slow
def test_models_of_the_folds_are_trained_and_kept(scenes, labels, tmp_path):
    options = ("--preset", "objects_as_points_small", "--folds", 2, "--epochs", 1, "--input-size", "64x64")
    result, _ = audited(labels, scenes, tmp_path / "audit", *options)
    assert len(result["scores"]) == 2 and set(result["scores"][0]) == {"AP", "AP50", "AP75"}
    models = sorted((tmp_path / "audit").glob("fold_*/last.keras"))
    assert len(models) == 2
    before = [model.stat().st_mtime_ns for model in models]
    again, _ = audited(labels, scenes, tmp_path / "audit", *options)
    assert again["scores"] == result["scores"]
    assert [model.stat().st_mtime_ns for model in models] == before
    labels["annotations"].pop()
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    done = run(
        *("audit", "--annotations", tmp_path / "labels.json", "--images", scenes / "images"),
        *("--output", tmp_path / "audit", *options),
    )
    assert done.exit_code == 2 and "holds an audit with other labels" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "cornernet_people", "--epochs", 1), "model: it is not trained"),
        (("--model", "cornernet_bccd"), "the model's classes"),
        (("--folds", 100), "images are too few for 100 folds"),
        (("--model", "cornernet_people", "--correct-above", 0), "correct_above must be above 0"),
    ],
)
def test_wrong_use_is_named(scenes, tmp_path, options, words):
    done = run("audit", *data(scenes), "--output", tmp_path / "audit", *options)
    assert done.exit_code == 2 and words in done.stderr
    assert not (tmp_path / "audit" / "mistakes.json").exists()
