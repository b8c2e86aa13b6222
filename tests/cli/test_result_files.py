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


def test_people_found_by_another_detector(scenes, tmp_path):
    """Its COCO results, its YOLO files and our own detector give the same people."""
    sources = (scenes / "images", "--annotations", scenes / "annotations.json", "--no-pictures")
    run("predict", "cornernet_people", *sources, "--output", tmp_path / "boxes")
    found = {}
    rows = json.loads((tmp_path / "boxes/predictions.json").read_text())
    images = {image["id"]: image for image in json.loads((tmp_path / "boxes/images.json").read_text())}
    (tmp_path / "labels").mkdir()
    for id_, image in images.items():
        lines = []
        for row in (row for row in rows if row["image_id"] == id_):
            x, y, w, h = row["bbox"]
            numbers = ((x + w / 2) / 240, (y + h / 2) / 160, w / 240, h / 160, row["score"])
            lines.append(" ".join(["0", *(f"{number:.8f}" for number in numbers)]))
        (tmp_path / "labels" / image["file_name"]).with_suffix(".txt").write_text("\n".join(lines))
    for name, options in (
        ("own", ("--detector", "cornernet_people")),
        ("coco", ("--boxes", tmp_path / "boxes/predictions.json")),
        ("yolo", ("--boxes", tmp_path / "labels")),
    ):
        done = run("predict", "hourglass_people", *sources, *options, "--output", tmp_path / name)
        assert done.exit_code == 0, done.output
        found[name] = json.loads((tmp_path / name / "predictions.json").read_text())
    assert len(found["own"]) == len(found["coco"]) == len(found["yolo"]) > 0
    for own, *others in zip(*found.values(), strict=True):
        for other in others:
            assert other["image_id"] == own["image_id"]
            off = max(abs(a - b) for a, b in zip(own["keypoints"], other["keypoints"], strict=True))
            assert off < 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cornernet_people", "--boxes", "x.json"), "boxes: they are of pose networks"),
        (("hourglass_people", "--boxes", "x.json"), "x.json: no such file"),
        (("hourglass_people", "--boxes", "bad.json"), "bad.json: [0] has no image_id"),
        (("hourglass_people", "--boxes", "ids.json"), "give --annotations too"),
    ],
)
def test_boxes_that_cannot_be_read_are_named(scenes, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text('[{"bbox": [1, 2, 3]}]')
    (tmp_path / "ids.json").write_text('[{"image_id": 3, "bbox": [1, 2, 3, 4]}]')
    model, *options = arguments
    done = run("predict", model, scenes / "images", *options)
    assert done.exit_code == 2 and words in done.stderr


def test_protocols_by_options(scenes, tmp_path):
    def ap(*options):
        done = run("evaluate", *data(scenes), "--json", tmp_path / "ap.json", "--no-flip", *options)
        assert done.exit_code == 0, done.output
        return json.loads((tmp_path / "ap.json").read_text())

    plain = ap("cornernet_people")
    assert ap("cornernet_people", "--max-detections", 1)["AR100"] < plain["AR100"]
    assert ap("cornernet_people", "--suppression", "none")["AP"] < plain["AP"]
    flipped = ap("cornernet_people", "--flip")
    assert ap("cornernet_people", "--paper")["AP"] not in (plain["AP"], flipped["AP"])
    several = ap("cornernet_people", "--scales", "1,1.25")
    assert several["AP"] != plain["AP"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("cornernet_people", "--scales", "1;2"), "scales: expected numbers with commas between them"),
        (("cornernet_people", "--scales", "0"), "scales"),
        (("cornernet_people", "--suppression", "soft"), "method must be one of"),
        (("hourglass_people", "--max-detections", 3), "max_detections: of detectors in Keras"),
        (("hourglass_people", "--paper"), "paper: no test with several scales is known"),
    ],
)
def test_protocols_out_of_range_are_named(scenes, options, words):
    done = run("evaluate", *options, *data(scenes))
    assert done.exit_code == 2 and words in done.stderr
