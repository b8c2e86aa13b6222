"""The command line with pose networks, on tiny untrained models and a few small drawn scenes."""

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from command_line import data, load_once, run
from PIL import Image
from scipy.io import savemat

from keras_cornernet import presets
from keras_cornernet.cli.data_sets import DataSets
from keras_cornernet.cli.evaluate import evaluate_files
from keras_cornernet.codecs import CornerCodec, KeypointCodec
from keras_cornernet.data.readers import read_coco_people
from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig
from keras_cornernet.models import CornerNet, StackedHourglass
from keras_cornernet.skeletons import LSP, MPII, Skeleton
from keras_cornernet.structures import Categories

COUNT = 6
BROKEN, MISSING, RESIZED = "000002.jpg", "000004.jpg", "000003.jpg"


def save_pose_model(skeleton: Skeleton, path: Path) -> Path:
    network = StackedHourglass(
        len(skeleton.joints), stacks=1, channels=(8, 8), num_blocks=(1, 1), stem=(4, 4), stem_kernel_size=3
    )
    settings = PoseInferenceConfig(input_size=(32, 32), flip=False)
    return presets.save_model(PoseEstimator(network, KeypointCodec(), skeleton, settings), path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """An untrained pose network of the scenes' 14 joints as a file."""
    return save_pose_model(LSP, tmp_path_factory.mktemp("model") / "tiny.keras")


@pytest.fixture(scope="module")
def finder(tmp_path_factory) -> Path:
    """An untrained detector of people as a file."""
    sizes = {"channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8), "pool_channels": 4, "head_channels": 8}
    network = CornerNet(1, stacks=1, head_kernel_size=1, **sizes)
    codec = CornerCodec(1, top_k=10, num_detections=20, embedding_threshold=10.0)
    settings = InferenceConfig(input_size=(32, 32), flip=False, max_detections=3)
    detector = Detector(network, codec, Categories(("person",), (1,)), settings)
    return presets.save_model(detector, tmp_path_factory.mktemp("finder") / "finder.keras")


@pytest.fixture(autouse=True, scope="module")
def loaded_once():
    yield from load_once()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """A folder with `annotations.json` and `images/`."""
    return make_scenes(tmp_path_factory.mktemp("scenes"), COUNT, seed=3, size=(64, 96)).parent


@pytest.fixture
def faulty(scenes, tmp_path) -> Path:
    """The scenes with one image missing, one broken and one resized."""
    folder = tmp_path / "faulty"
    shutil.copytree(scenes, folder)
    (folder / "images" / BROKEN).write_text("not an image")
    (folder / "images" / MISSING).unlink()
    Image.new("RGB", (48, 32)).save(folder / "images" / RESIZED)
    return folder


def people_of(folder: Path) -> tuple:
    return read_coco_people(folder / "annotations.json", folder / "images").people


# predict


def test_predict_takes_each_image_as_one_person(tiny, scenes, tmp_path):
    answer = run("predict", tiny, scenes / "images", "--output", tmp_path / "out", "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["failed"] == []
    results = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert told["predictions"] == len(results)
    assert [result["image_id"] for result in results] == list(range(1, COUNT + 1))
    assert {"image_id", "category_id", "keypoints", "score"} == set(results[0])
    assert len(results[0]["keypoints"]) == 3 * len(LSP.joints)
    images = json.loads((tmp_path / "out" / "images.json").read_text())
    assert [entry["file_name"] for entry in images] == [f"{i:06d}.jpg" for i in range(COUNT)]
    with Image.open(tmp_path / "out" / "000000.jpg") as picture:
        assert picture.size == (96, 64)


def test_predict_poses_whom_the_detector_finds(tiny, finder, scenes, tmp_path):
    arguments = ("predict", tiny, scenes / "images", "--detector", finder, "--output")
    answer = run(*arguments, tmp_path / "all", "--min-score", 0)
    assert answer.exit_code == 0, answer.output
    results = json.loads((tmp_path / "all" / "predictions.json").read_text())
    assert 0 < len(results) <= 3 * COUNT
    assert f"{COUNT} images, {len(results)} people" in answer.stdout
    answer = run(*arguments, tmp_path / "of", "--min-score", 0, "--classes", "person")
    assert f"{len(results)} people" in answer.stdout
    answer = run(*arguments, tmp_path / "none", "--classes", "cow")
    assert answer.exit_code == 2 and "cow" in answer.stderr
    answer = run(*arguments, tmp_path / "sure", "--min-score", 1)
    assert answer.exit_code == 0, answer.output
    assert json.loads((tmp_path / "sure" / "predictions.json").read_text()) == []
    assert len(json.loads((tmp_path / "sure" / "images.json").read_text())) == COUNT


def test_predict_names_a_broken_image_and_goes_on(tiny, faulty, tmp_path):
    answer = run("predict", tiny, faulty / "images", "gone.png", "--output", tmp_path / "out")
    assert answer.exit_code == 1
    for name in (BROKEN, "gone.png"):
        assert name in answer.stderr
    assert len(json.loads((tmp_path / "out" / "images.json").read_text())) == COUNT - 2


def test_predict_refuses_models_of_the_wrong_kind(tiny, finder, scenes, tmp_path):
    output = ("--output", tmp_path / "out")
    answer = run("predict", finder, scenes / "images", "--detector", finder, *output)
    assert answer.exit_code == 2
    assert "is a detector itself" in answer.stderr
    answer = run("predict", tiny, scenes / "images", "--detector", tiny, *output)
    assert answer.exit_code == 2
    assert "is a pose network, which finds nobody" in " ".join(answer.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_pose_preset_without_weights_does_not_predict(scenes, tmp_path):
    answer = run("predict", "hourglass_8stack", scenes / "images", "--output", tmp_path / "out")
    assert answer.exit_code == 2
    assert "hourglass_8stack has no trained weights" in answer.stderr


# evaluate


def test_evaluate_prints_the_table_and_writes_the_numbers(tiny, scenes, tmp_path):
    answer = run("evaluate", tiny, *data(scenes), "--json", tmp_path / "m.json")
    assert answer.exit_code == 0, answer.output
    assert "PCK@0.2" in answer.stdout
    assert "right_ankle" in answer.stdout
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert 0 <= metrics["PCK@0.2"] <= 1
    assert set(metrics["per_joint"]) <= set(LSP.joints)
    assert "AP" in metrics


def test_evaluate_names_what_it_left_out(tiny, faulty):
    answer = run("evaluate", tiny, *data(faulty), "--flip")
    assert answer.exit_code == 1
    assert f"{BROKEN}: not an image" in answer.stderr
    assert f"'{MISSING}'" in answer.stderr
    assert f"{RESIZED}: the image is 48x32 (width x height), its annotations state 96x64" in answer.stderr
    (faulty / "images" / BROKEN).unlink()
    assert run("evaluate", tiny, *data(faulty)).exit_code == 1  # an image that is missing is enough


def test_evaluate_without_any_image_says_so(tiny, faulty):
    for path in (faulty / "images").glob("*.jpg"):
        path.write_text("no")
    answer = run("evaluate", tiny, *data(faulty))
    assert answer.exit_code == 1
    assert "none of the images" in answer.stderr


def test_evaluate_lists_joints_that_differ(scenes, tmp_path):
    other = save_pose_model(MPII, tmp_path / "mpii.keras")
    answer = run("evaluate", other, *data(scenes))
    assert answer.exit_code == 2
    assert ", ".join(MPII.joints) in answer.stderr
    assert ", ".join(LSP.joints) in answer.stderr


@pytest.mark.parametrize("command", ["evaluate", "train", "check-data"])
def test_an_unknown_format_lists_those_that_exist(command, tiny, scenes, tmp_path):
    model = ["--preset", "hourglass_phone"] if command == "check-data" else [tiny]
    output = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    answer = run(command, *model, *data(scenes), "--format", "yaml", *output)
    assert answer.exit_code == 2
    assert "coco, lsp, mpii, flic" in answer.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["evaluate", "train", "check-data"])
def test_formats_of_poses_are_not_for_detectors(command, finder, scenes, tmp_path):
    model = ["--preset", "cornernet_small"] if command == "check-data" else [finder]
    output = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    answer = run(command, *model, *data(scenes), "--format", "mpii", *output)
    assert answer.exit_code == 2
    assert "mpii is a format of pose" in " ".join(answer.stderr.split())


# train


@pytest.mark.slow
def test_train_leaves_the_best_model(tiny, faulty, scenes, tmp_path):
    output = tmp_path / "run"
    shutil.copytree(scenes, tmp_path / "val")
    Image.new("RGB", (48, 32)).save(tmp_path / "val" / "images" / "000001.jpg")
    sets = [
        *data(faulty),
        "--val-annotations",
        tmp_path / "val" / "annotations.json",
        "--val-images",
        tmp_path / "val" / "images",
    ]
    numbers = ("--format", "coco", "--epochs", 1, "--batch-size", 4, "--output", output)
    answer = run("train", tiny, *sets, *numbers)
    assert answer.exit_code == 1, answer.output  # since some images could not be used:
    assert f"failed: {faulty}/images/{RESIZED}: the image is 48x32" in answer.stderr
    assert f"failed: {tmp_path}/val/images/000001.jpg: the image is 48x32" in answer.stderr
    assert BROKEN in answer.stderr
    assert MISSING in answer.stderr
    assert "best PCK@0.2" in answer.stdout
    assert "1 epochs" in answer.stdout
    for name in ("results.csv", "curves.png", "predictions.jpg", "best.keras", "last.keras", "plan.json"):
        assert (output / name).is_file()
    assert "PCK@0.2" in (output / "results.csv").read_text().splitlines()[0]
    trained = presets.from_preset(output / "best.keras")
    assert trained.skeleton == LSP
    assert trained.settings == PoseInferenceConfig(input_size=(32, 32), flip=False)


@pytest.mark.slow
def test_joints_without_a_torso_are_trained_and_measured(scenes, tmp_path):
    told = json.loads((scenes / "annotations.json").read_text())
    told["categories"][0] |= {"keypoints": list("abcdefghijklmn"), "skeleton": []}
    (tmp_path / "hands.json").write_text(json.dumps(told))
    network = save_pose_model(Skeleton("letters", tuple("abcdefghijklmn"), (), ()), tmp_path / "hands.keras")
    files = ("--annotations", tmp_path / "hands.json", "--images", scenes / "images")
    numbers = ("--epochs", 1, "--batch-size", 4, "--output", tmp_path / "run")
    answer = run("train", network, *files, "--val-annotations", tmp_path / "hands.json", *numbers)
    assert answer.exit_code == 0, answer.output
    assert "best PCK@0.2 of box" in answer.stdout
    answer = run("evaluate", tmp_path / "run" / "best.keras", *files)
    assert answer.exit_code == 0, answer.output
    assert "PCK@0.2 of box" in answer.stdout


# parts of a file


def mpii_json(folder: Path) -> Path:
    """Two people in pytorch-pose's form: one to train on, at image left, and one to validate."""
    (folder / "images").mkdir()
    Image.new("RGB", (90, 60)).save(folder / "images" / "a.png")
    rng, people = np.random.default_rng(0), []
    for held_out, x in enumerate((20, 60)):
        xy = rng.uniform((x, 20), (x + 20, 40), (16, 2))
        joints = np.hstack([xy, np.ones((16, 1))]).tolist()
        person = {"img_paths": "a.png", "annolist_index": 1, "joint_self": joints, "isValidation": held_out}
        people.append({**person, "objpos": [x, 30], "scale_provided": 0.2})
    (folder / "mpii.json").write_text(json.dumps(people))
    return folder / "mpii.json"


def test_evaluate_measures_the_validation_part(tmp_path):
    model, annotations = save_pose_model(MPII, tmp_path / "m.keras"), mpii_json(tmp_path)
    places = {}
    for split in (None, "train", "all"):
        sets = DataSets(
            annotations=annotations,
            images=tmp_path / "images",
            annotation_format="mpii",
            options={"split": split},
        )
        result = evaluate_files(str(model), sets)
        places[split] = [round(float(person.center[0])) for person in result.predictions.dataset.people]
    assert places == {None: [59], "train": [19], "all": [19, 59]}
    files = ("--annotations", annotations, "--images", tmp_path / "images", "--format", "mpii")
    assert run("evaluate", model, *files, "--split", "all", "--raw").exit_code == 0
    savemat(tmp_path / "gt.mat", {"headboxes_src": np.array([[0, 0], [30, 40]], float)[..., None]})
    answer = run(
        "evaluate", model, *files, "--head-boxes", tmp_path / "gt.mat", "--json", tmp_path / "m.json"
    )
    assert answer.exit_code == 0, answer.output
    assert "PCKh@0.5 weighted16" in json.loads((tmp_path / "m.json").read_text())
    answer = run("evaluate", model, *files, "--split", "test")
    assert answer.exit_code == 2
    assert "marks train, val, all, not 'test'" in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--split", "val"), "split is an option of the formats lsp and mpii"),
        (("--adjusted",), "adjusted is an option of the format mpii"),
        (("--head-boxes", "gt.mat"), "head_boxes is an option of the format mpii"),
    ],
)
def test_parts_of_a_format_without_parts(tiny, scenes, option, words):
    answer = run("evaluate", tiny, *data(scenes), *option)
    assert answer.exit_code == 2
    assert words in " ".join(answer.stderr.split())


# check-data


def test_check_data_counts_and_draws(scenes, tmp_path):
    arguments = ("check-data", *data(scenes), "--preset", "hourglass_phone", "--pictures", 2)
    answer = run(*arguments, "--output", tmp_path, "--json")
    assert answer.exit_code == 0, answer.output
    counts = json.loads(answer.stdout)["counts"]
    people = people_of(scenes)
    assert counts["people"] == len(people)
    assert counts["joints"] == sum(int((person.visibility > 0).sum()) for person in people)
    assert set(counts["annotated_per_joint"]) == set(LSP.joints)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".jpg", ".jpg", ".json"]
    with Image.open(next(tmp_path.glob("*.jpg"))) as picture:
        heat = np.asarray(picture)[:, picture.width // 2 :].astype(int)
    assert (heat[..., 0] - heat[..., 2] > 150).any()  # the warm middle of a bump
    told = run(*arguments, "--output", tmp_path)
    assert "joints per person" in told.stdout


def test_check_data_names_every_fault(faulty, tmp_path):
    answer = run(
        "check-data", *data(faulty), "--preset", "hourglass_phone", "--output", tmp_path / "out", "--json"
    )
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    assert told["counts"]["problems"] == 3
    words = " ".join(told["problems"])
    assert BROKEN in words and MISSING in words and RESIZED in words
    assert not any(BROKEN[:-4] in picture for picture in told["pictures"])
    assert json.loads((tmp_path / "out" / "report.json").read_text())["problems"] == told["problems"]


def test_check_data_of_nothing_but_broken_images(faulty, tmp_path):
    for path in (faulty / "images").glob("*.jpg"):
        path.write_text("no")
    arguments = ("--preset", "hourglass_phone", "--output", tmp_path / "out", "--json")
    answer = run("check-data", *data(faulty), *arguments)
    assert answer.exit_code == 1, answer.output
    assert json.loads(answer.stdout)["pictures"] == []


def test_the_demo_poses_whom_it_found(tiny, finder, tmp_path, monkeypatch):
    from keras_cornernet.cli import demo as demonstration

    drawn = partial(demonstration.run_demo, model=str(finder))
    monkeypatch.setattr(demonstration, "run_demo", drawn)
    answer = run("demo", "--count", 2, "--pose", tiny, "--drawn-only", "--output", tmp_path)
    assert answer.exit_code == 0, answer.output
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert 0 <= metrics["matched"] <= metrics["people"]
    assert f"PCK@0.2 {metrics['PCK@0.2']:.3f} over {metrics['people']} people" in answer.stdout
    for entry in json.loads((tmp_path / "poses.json").read_text()):
        assert len(entry["keypoints"]) == 3 * len(LSP.joints)
    assert len(list((tmp_path / "pictures").iterdir())) == 2

    answer = run("demo", "--count", 1, "--no-pose", "--drawn-only", "--output", tmp_path / "unposed")
    assert answer.exit_code == 0, answer.output
    assert "AP" in answer.stdout and "PCK" not in answer.stdout
    assert not (tmp_path / "unposed" / "poses.json").exists()
