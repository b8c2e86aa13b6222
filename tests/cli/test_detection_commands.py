"""The command line, on a tiny untrained model and a few small drawn scenes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import data, load_once, run
from PIL import Image

from keras_cornernet import presets
from keras_cornernet.cli.demo import run_demo
from keras_cornernet.cli.models import count_parameters
from keras_cornernet.cli.predicting import picture_names
from keras_cornernet.codecs import CornerCodec
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.evaluation import match_categories
from keras_cornernet.inference import Detector
from keras_cornernet.inference.config import InferenceConfig
from keras_cornernet.models import CornerNet
from keras_cornernet.structures import Categories

ROOT = Path(__file__).parents[2]
COUNT = 8
RESIZED = "000004.jpg: the image is 48x32 (width x height), its annotations state 96x64"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """An untrained detector of people as a file."""
    network = CornerNet(
        1,
        stacks=1,
        channels=(8, 8),
        num_blocks=(1, 1),
        stem=(4, 8),
        pool_channels=4,
        head_channels=8,
        head_kernel_size=1,
    )
    codec = CornerCodec(1, top_k=10, num_detections=20)
    settings = InferenceConfig(input_size=(64, 64), flip=False)
    detector = Detector(network, codec, Categories(("person",), (1,)), settings)
    return presets.save_model(detector, tmp_path_factory.mktemp("model") / "tiny.keras")


@pytest.fixture(autouse=True, scope="module")
def loaded_once():
    yield from load_once()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """A folder with `annotations.json` and `images/`."""
    return make_scenes(tmp_path_factory.mktemp("scenes"), COUNT, seed=3, size=(64, 96)).parent


@pytest.fixture
def faulty(scenes, tmp_path) -> Path:
    """The scenes with one image missing, one broken, one resized, and one box of negative width."""
    folder = tmp_path / "faulty"
    shutil.copytree(scenes, folder)
    (folder / "images" / "000002.jpg").write_text("not an image")
    (folder / "images" / "000005.jpg").unlink()
    Image.new("RGB", (48, 32)).save(folder / "images" / "000004.jpg")
    content = json.loads((folder / "annotations.json").read_text())
    box = content["annotations"][0]["bbox"]
    box[2] = -box[2]
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


def in_process_of_its_own(*arguments, options=()) -> subprocess.CompletedProcess:
    command = [sys.executable, *options, "-m", "keras_cornernet", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["predict", "-h"]])
def test_help_answers_at_once(arguments):
    answer = in_process_of_its_own(*arguments, options=["-X", "importtime"])
    assert answer.returncode == 0
    assert "Usage" in answer.stdout
    loaded = {line.split("|")[-1].strip() for line in answer.stderr.splitlines()}
    assert "keras_cornernet.cli" in loaded
    assert not {"keras", "tensorflow", "jax", "numpy", "PIL"} & loaded


def test_every_command_has_a_help_text():
    answer = run("--help")
    commands = ("demo", "models", "predict", "evaluate", "train", "check-data", "convert", "make-data")
    for command in (*commands, "export", "benchmark"):
        assert command in answer.stdout
        assert run(command, "--help").exit_code == 0


def test_the_version_is_printed():
    assert run("--version").stdout.strip()[0].isdigit()


def test_a_wrong_command_leaves_with_2():
    assert run("frobnicate").exit_code == 2
    assert run("predict").exit_code == 2


def test_a_missing_backend_is_a_plain_message(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    answer = run("models")
    assert answer.exit_code == 2
    assert "keras_cornernet runs on 'tensorflow' or 'jax'" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_models_lists_the_presets():
    answer = run("models", "--json")
    rows = json.loads(answer.stdout)
    assert [row["name"] for row in rows] == list(presets.PRESETS)
    assert rows[0]["parameters"] == 201_035_212
    assert (rows[0]["gmac"], rows[0]["published_ap"]) == (343.2, 40.6)
    assert rows[0]["checkpoint"].endswith("CornerNet_500000.pkl") and "test-dev" in rows[0]["source"]
    small = rows[list(presets.PRESETS).index("cornernet_small")]
    assert small["parameters"] > 1e6 and small["published_ap"] is None
    assert all(row["parameters"] and row["gmac"] for row in rows)
    table = run("models")
    assert table.exit_code == 0
    assert all(name in table.stdout for name in presets.PRESETS)


def test_parameters_are_counted_without_building(tiny):
    network = presets.load_network(tiny)
    assert count_parameters(tiny) == sum(int(np.prod(w.shape)) for w in network.trainable_weights)


def test_predict_writes_pictures_and_coco_results(tiny, scenes, tmp_path):
    answer = run("predict", tiny, scenes / "images", "--output", tmp_path / "out", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["failed"] == []
    images = json.loads((tmp_path / "out" / "images.json").read_text())
    assert [entry["id"] for entry in images] == list(range(1, COUNT + 1))
    assert images[0]["file_name"] == "000000.jpg"
    results = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert (told["images"], told["predictions"]) == (COUNT, len(results))
    lines = (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()[1:]
    assert [row for line in lines for row in json.loads(line)["predictions"]] == results
    assert {"image_id", "category_id", "bbox", "score"} == set(results[0])
    with Image.open(tmp_path / "out" / "000000.jpg") as picture:
        assert picture.size == (96, 64)


def test_predict_leaves_out_boxes_below_the_score(tiny, scenes, tmp_path):
    answer = run("predict", tiny, scenes / "images" / "000000.jpg", "--min-score", 1, "--output", tmp_path)
    assert answer.exit_code == 0
    assert json.loads((tmp_path / "predictions.json").read_text()) == []


def test_predict_names_broken_images_and_goes_on(tiny, faulty, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    answer = run("predict", tiny, faulty / "images", "gone.png", empty, "--output", tmp_path / "out")
    assert answer.exit_code == 1
    for name in ("000002.jpg", "gone.png", "empty"):
        assert name in answer.stderr
    assert len(json.loads((tmp_path / "out" / "images.json").read_text())) == COUNT - 2


def test_predict_names_what_is_no_image_file_and_goes_on(tiny, scenes, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(scenes / "images" / "000000.jpg", folder / "a.jfif")
    (folder / "eps.jpg").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n{} loop\n"
    )
    (folder / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    answer = run("predict", tiny, folder, "--output", tmp_path / "out")
    assert answer.exit_code == 1, answer.output
    assert answer.stdout.startswith("1 images") and (tmp_path / "out" / "a.jfif").is_file()
    assert "eps.jpg: not an image that can be read" in answer.stderr
    assert "loop.jpg: Too many levels of symbolic links" in answer.stderr
    assert "pipe.jpg: not a file but a named pipe" in answer.stderr


def test_predict_keeps_sources_of_one_name_apart(tiny, scenes, tmp_path):
    for folder, name in (("a", "x.jpg"), ("b", "x.jpg"), ("c", "X.JPG")):
        (tmp_path / folder).mkdir()
        shutil.copy(scenes / "images" / "000000.jpg", tmp_path / folder / name)
    sources = [tmp_path / folder for folder in "abc"]
    assert run("predict", tiny, *sources, "--output", tmp_path / "out").exit_code == 0
    pictures = [entry["picture"] for entry in json.loads((tmp_path / "out" / "images.json").read_text())]
    assert pictures == ["x.jpg", "x_2.jpg", "X_3.JPG"]
    assert all((tmp_path / "out" / name).is_file() for name in pictures)


def test_predict_refuses_to_overwrite_its_sources(tiny, scenes):
    before = (scenes / "images" / "000000.jpg").read_bytes()
    answer = run("predict", tiny, scenes / "images", "--output", scenes / "images")
    assert answer.exit_code == 2
    assert "would overwrite" in answer.stderr
    assert (scenes / "images" / "000000.jpg").read_bytes() == before


def test_pictures_without_a_known_suffix_become_jpeg():
    assert picture_names([Path("scan"), Path("a.b"), Path("scan.jpg")]) == [
        "scan.jpg",
        "a.b.jpg",
        "scan_2.jpg",
    ]


@pytest.mark.parametrize("command", ["predict", "train", "evaluate"])
def test_an_unknown_model_lists_those_that_exist(command, scenes, tmp_path):
    more = [scenes / "images"] if command == "predict" else data(scenes)
    output = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    answer = run(command, "cornernet_huge", *more, *output)
    assert answer.exit_code == 2
    assert "cornernet_small" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "out").exists()


def test_a_preset_without_weights_does_not_predict(scenes, tmp_path):
    answer = run("predict", "cornernet_small", scenes / "images", "--output", tmp_path / "out")
    assert answer.exit_code == 2
    assert "no trained weights" in answer.stderr


def test_a_file_that_is_no_model_is_told_plainly(scenes, tmp_path):
    (tmp_path / "broken.keras").write_text("no")
    answer = run("predict", tmp_path / "broken.keras", scenes / "images")
    assert answer.exit_code == 2
    assert "broken.keras" in answer.stderr


def test_evaluate_prints_the_table_and_writes_the_numbers(tiny, scenes, tmp_path):
    answer = run("evaluate", tiny, *data(scenes), "--json", tmp_path / "m.json")
    assert answer.exit_code == 0, answer.output
    assert "Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] =" in answer.stdout
    keys = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert [key for key in metrics if key not in ("per_class", "operating_point")] == keys
    assert all(
        row["min_score"] is None or 0 <= row["min_score"] <= 1 for row in metrics["operating_point"].values()
    )


def test_evaluate_names_images_and_boxes_that_it_left_out(tiny, faulty):
    answer = run("evaluate", tiny, *data(faulty))
    assert answer.exit_code == 1
    assert f"failed: {faulty}/annotations.json: image id 6 ('000005.jpg')" in answer.stderr
    assert "000002.jpg: not an image" in answer.stderr
    assert RESIZED in answer.stderr
    assert f"left out: {faulty}/annotations.json: annotation id 1" in answer.stderr


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_annotations_without_a_usable_box_are_named_at_once(command, tiny, scenes, tmp_path):
    content = json.loads((scenes / "annotations.json").read_text())
    for annotation in content["annotations"]:
        annotation["image_id"] = f"image {annotation['image_id']}"
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    output = ("--output", tmp_path / "run") if command == "train" else ()
    answer = run(command, tiny, "--annotations", path, "--images", scenes / "images", *output)
    count = len(content["annotations"])
    assert answer.exit_code == 2
    assert (
        f"{path}: no usable box is left: {count} of its entries cannot be used; the first: " in answer.stderr
    )
    assert "the image id 'image 1' is not among the images" in answer.stderr
    assert not (tmp_path / "run").exists()


def test_evaluate_names_the_key_that_is_missing(tiny, scenes, tmp_path):
    (tmp_path / "no.json").write_text('{"images": []}')
    answer = run("evaluate", tiny, "--annotations", tmp_path / "no.json", "--images", scenes / "images")
    assert answer.exit_code == 2
    assert "'annotations'" in answer.stderr


def test_classes_are_matched_by_name_then_by_number():
    dataset = Categories(("cat", "Dog", "cow"), (3, 5, 7))
    by_name, notes = match_categories(Categories(("dog", "CAT", "boat"), (1, 2, 3)), dataset)
    assert by_name.names == ("Dog", "cat", "boat")
    assert notes == ("the model does not know the classes cow",)
    in_order, notes = match_categories(Categories(("class_0", "class_1", "class_2"), (1, 2, 3)), dataset)
    assert in_order.names == dataset.names
    assert "class_1 = Dog" in notes[0]
    by_id, notes = match_categories(Categories(("hound", "ox"), (5, 7)), dataset)
    assert by_id.names == ("Dog", "cow")
    assert "hound = Dog" in notes[0]
    with pytest.raises(ValueError, match=r"hound, ox.*cat, Dog, cow"):
        match_categories(Categories(("hound", "ox"), (1, 2)), dataset)


@pytest.mark.slow
def test_train_leaves_a_run_that_can_be_resumed(tiny, faulty, scenes, tmp_path):
    output = tmp_path / "run"
    sets = [
        *data(faulty),
        "--val-annotations",
        scenes / "annotations.json",
        "--val-images",
        scenes / "images",
    ]
    first = run("train", tiny, *sets, "--epochs", 2, "--batch-size", 3, "--output", output)
    assert first.exit_code == 1, first.output  # since three images could not be used:
    assert f"failed: {faulty}/images/{RESIZED}" in first.stderr
    assert "000005.jpg" in first.stderr
    assert "000002.jpg" in first.stderr
    for name in ("results.csv", "curves.png", "predictions.jpg", "best.keras", "last.keras", "plan.json"):
        assert (output / name).is_file()
    assert run("predict", output / "best.keras", "gone.jpg", "--output", tmp_path / "p").exit_code == 1

    again = run("train", tiny, *sets, "--output", output)
    assert again.exit_code == 2
    assert "--resume" in again.stderr

    rows = (output / "results.csv").read_text().splitlines()
    more = run("train", tiny, *data(faulty), "--epochs", 3, "--output", output, "--resume")
    assert more.exit_code == 1
    assert (output / "results.csv").read_text().splitlines()[:3] == rows
    assert json.loads((output / "plan.json").read_text())["batch_size"] == 3
    assert "3 epochs" in more.stdout

    known = json.loads((output / "data.json").read_text())
    (output / "data.json").write_text(json.dumps({**known, "names": ["horse"]}))
    other = run("train", tiny, *data(faulty), "--epochs", 4, "--output", output, "--resume")
    assert other.exit_code == 2
    assert "was trained on horse, and the data have person: use another --output" in other.stderr


def test_train_alone_switches_onednn_on(monkeypatch, tmp_path):
    for command, expected in (("evaluate", None), ("train", "1")):
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
        run(command, "gone.keras", "--annotations", "gone.json", "--images", tmp_path)
        assert os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None) == expected


def test_train_checks_its_paths_first(tiny, scenes, tmp_path):
    answer = run("train", tiny, "--annotations", "gone.json", "--images", scenes / "images")
    assert answer.exit_code == 2
    assert "gone.json" in answer.stderr
    answer = run("train", tiny, *data(scenes), "--val-images", scenes)
    assert answer.exit_code == 2
    assert "val_annotations" in answer.stderr
    assert run("train", tiny, *data(scenes), "--input-size", "64").exit_code == 2


def test_check_data_counts_and_draws(scenes, tmp_path):
    answer = run("check-data", *data(scenes), "--output", tmp_path, "--pictures", 2)
    assert answer.exit_code == 0, answer.output
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".jpg", ".jpg", ".json"]
    assert "boxes per class" in answer.stdout
    with Image.open(next(tmp_path.glob("*.jpg"))) as picture:
        heat = np.asarray(picture)[:, 800:].astype(int)
    assert (heat[..., 0] - heat[..., 2] > 150).any()  # the warm middle of a bump


def test_check_data_names_every_fault(faulty, tmp_path):
    answer = run("check-data", *data(faulty), "--output", tmp_path / "out", "--json")
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    assert told["counts"]["problems"] == 4
    words = " ".join(told["problems"])
    assert all(word in words for word in ("000002.jpg", "000005.jpg", RESIZED, "negative width"))
    assert not any("000002" in picture or "000004" in picture for picture in told["pictures"])
    assert json.loads((tmp_path / "out" / "report.json").read_text())["problems"] == told["problems"]


def test_convert_tells_plainly_that_a_file_is_no_checkpoint(tmp_path):
    (tmp_path / "net.pth").write_text("no")
    answer = run("convert", tmp_path / "net.pth", "--output", tmp_path / "net.keras")
    assert answer.exit_code == 2
    assert "net.pth" in answer.stderr
    assert not (tmp_path / "net.keras").exists()


def test_make_data_draws_the_same_scenes_again_and_spares_other_data(tmp_path):
    arguments = ("make-data", "--output", tmp_path, "--count", 2, "--seed", 5, "--size", "48x64")
    assert run(*arguments).exit_code == 0
    first = (tmp_path / "annotations.json").read_bytes()
    assert run(*arguments).exit_code == 0
    assert (tmp_path / "annotations.json").read_bytes() == first
    with Image.open(tmp_path / "images" / "000001.jpg") as image:
        assert image.size == (64, 48)
    (tmp_path / "annotations.json").write_text('{"info": {"description": "mine"}}')
    assert run(*arguments).exit_code == 2
    assert "mine" in (tmp_path / "annotations.json").read_text()


def test_the_demo_measures_and_draws(tiny, tmp_path):
    result = run_demo(tmp_path, count=2, model=str(tiny), pose_model=None)
    assert len(result.pictures) == 2
    for path in (*result.pictures, result.sheet, result.predictions, result.annotations):
        assert Path(path).is_file()
    assert json.loads((tmp_path / "metrics.json").read_text())["AP"] == result.metrics["AP"]


def test_ctrl_c_and_a_full_disk_are_told_plainly(monkeypatch, tmp_path):
    from keras_cornernet.data import scenes

    def stop(*_, **__):
        raise KeyboardInterrupt

    def fill(*_, **__):
        raise OSError(28, "No space left on device", "here.jpg")

    arguments = ("make-data", "--output", tmp_path / "d", "--count", 1, "--seed", 1)
    monkeypatch.setattr(scenes, "make_scenes", stop)
    assert run(*arguments).exit_code == 130
    monkeypatch.setattr(scenes, "make_scenes", fill)
    answer = run(*arguments)
    assert answer.exit_code == 1
    assert "No space left on device: 'here.jpg'" in answer.stderr


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    from keras_cornernet import files

    def fill(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"disk is full.*model\.keras"):
        files.write_with(tmp_path / "model.keras", fill)
    assert list(tmp_path.iterdir()) == []


def folder_of_scenes(root, parts, seed=0):
    """A data set of drawn scenes in COCO's layout."""
    for i, (part, count) in enumerate(parts.items()):
        annotations = make_scenes(root / f"made_{part}", count, seed=seed + i, size=(64, 96))
        shutil.move(annotations.parent / "images", root / part)
        shutil.move(annotations, root / f"instances_{part}.json")
    return root


@pytest.mark.slow
def test_several_folders_train_one_model(tiny, tmp_path):
    one = folder_of_scenes(tmp_path / "one", {"train": 4, "val": 2})
    two = folder_of_scenes(tmp_path / "two", {"train": 4}, seed=9)
    sets = ("--data", one, "--data", two, "--data-weight", 1, "--data-weight", 0.5)
    fast = ("--epochs", 1, "--batch-size", 2)
    first = run("train", tiny, *sets, *fast, "--output", tmp_path / "run")
    assert first.exit_code == 0, first.output
    described = json.loads((tmp_path / "run" / "data.json").read_text())
    assert described["data"] == [str(one), str(two)]
    assert described["data_weights"] == [1.0, 0.5]
    table = (tmp_path / "run" / "results.csv").read_text()
    assert "AP50" in table
    other = run("train", tiny, "--data", one, "--epochs", 2, "--output", tmp_path / "run", "--resume")
    assert other.exit_code == 2
    assert "was trained with data" in other.output
    for command in (
        ("evaluate", tmp_path / "run" / "last.keras"),
        ("check-data", "--output", tmp_path / "look"),
    ):
        answer = run(*command, "--data", one)
        assert answer.exit_code == 0, answer.output


@pytest.mark.slow
def test_a_part_of_the_images_is_set_aside(tiny, scenes, tmp_path):
    output = tmp_path / "run"
    options = ("--val-fraction", 0.25, "--weights", tiny, "--classes", "person")
    answer = run("train", tiny, *data(scenes), *options, "--epochs", 1, "--batch-size", 2, "--output", output)
    assert answer.exit_code == 0, answer.output
    aside = (output / "val_images.txt").read_text().split()
    assert len(aside) == round(0.25 * COUNT)
    assert all(Path(path).is_file() for path in aside)


def test_what_names_no_data_is_refused(tiny, scenes, tmp_path):
    for options, words in (
        ((), "expected --data PATH, or --annotations FILE"),
        (("--data", scenes, *data(scenes)), "give either --data, or --annotations"),
        (("--data", tmp_path / "gone"), "there is no folder"),
        (("--data", tmp_path), "of no known layout"),
        ((*data(scenes), "--classes", "cow"), "classes: cow occurs in none of the data sets"),
    ):
        for command in (("train", tiny, "--output", tmp_path / "run"), ("evaluate", tiny)):
            answer = run(*command, *options)
            assert answer.exit_code == 2, answer.output
            assert words in " ".join(answer.output.split())


def test_predict_keeps_the_classes_that_are_wanted(tiny, scenes, tmp_path):
    answer = run(
        "predict", tiny, scenes / "images", "--classes", "Person", "--output", tmp_path / "all", "--json"
    )
    assert answer.exit_code == 0 and json.loads(answer.stdout)["predictions"]
    answer = run("predict", tiny, scenes / "images", "--classes", "dog", "--output", tmp_path / "none")
    assert answer.exit_code == 2 and "classes: there is none called 'dog', only person" in answer.stderr
    assert not list((tmp_path / "none").glob("*"))
