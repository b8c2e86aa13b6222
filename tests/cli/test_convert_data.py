"""Data sets in other forms."""

import json

import numpy as np
import pytest
from command_line import run

from keras_cornernet.data.readers import read_dataset
from keras_cornernet.data.scenes import make_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    for part, seed in (("train", 1), ("val", 2)):
        make_scenes(folder / "made" / part, 3, seed=seed, size=(96, 128))
        (folder / part).mkdir()
        for image in sorted((folder / "made" / part / "images").iterdir()):
            image.rename(folder / part / image.name)
        labels = (folder / "made" / part / "annotations.json").read_text()
        (folder / f"person_keypoints_{part}.json").write_text(labels)
    return folder


@pytest.mark.parametrize("form", ["coco", "yolo", "voc"])
def test_boxes_stay_what_they_are(scenes, tmp_path, form):
    done = run(
        "convert-data", scenes, "--to", form, "--output", tmp_path / "new", "--json", "--task", "detection"
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    for part in ("train", "val"):
        before, after = (read_dataset(folder, "detection", part) for folder in (scenes, tmp_path / "new"))
        assert told["counts"][part] == before.annotation_count == after.annotation_count
        assert after.names == before.names and not after.problems and len(after) == len(before)
        for a, b in zip(before.samples, after.samples, strict=True):
            # VOC's corners are whole numbers; YOLO's lie within the image.
            height, width = a.size
            inside = a.boxes.xyxy.clip(0, [width, height] * 2)
            np.testing.assert_allclose(b.boxes.xyxy, inside, atol={"voc": 0.51, "yolo": 1e-3}.get(form, 0.01))


@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_joints_stay_what_they_are(scenes, tmp_path, form):
    done = run("convert-data", scenes, "--to", form, "--output", tmp_path / "new", "--task", "pose")
    assert done.exit_code == 0, done.output
    before, after = (read_dataset(folder, "pose", "val") for folder in (scenes, tmp_path / "new"))
    assert after.skeleton.joints == before.skeleton.joints
    assert after.skeleton.flip_pairs == before.skeleton.flip_pairs
    for a, b in zip(before.people, after.people, strict=True):
        np.testing.assert_array_equal(a.visibility, b.visibility)
        np.testing.assert_allclose(a.keypoints, b.keypoints, atol=0.01)


def test_images_of_one_name_are_kept_apart(tmp_path):
    for part in ("train", "val"):
        make_scenes(tmp_path / part, 2, seed=1, size=(64, 96))
        (tmp_path / part / "annotations.json").rename(tmp_path / part / "_annotations.coco.json")
        for image in (tmp_path / part / "images").iterdir():
            image.rename(tmp_path / part / image.name)
    assert run("convert-data", tmp_path, "--to", "voc", "--output", tmp_path / "new").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "new/JPEGImages").iterdir())
    assert names == [f"{part}_00000{i}.jpg" for part in ("train", "val") for i in (0, 1)]
    assert len(read_dataset(tmp_path / "new", part="val")) == 2


def test_wrong_use_is_named_and_leaves_nothing(scenes, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a").write_text("")
    for arguments, words in (
        (("--to", "voc", "--output", tmp_path / "full"), "is there already and is not empty"),
        (("--to", "csv"), "format must be one of"),
        (("--to", "voc", "--task", "pose"), "format must be one of"),
        (("--to", "voc", "--task", "dots"), "task must be one of"),
    ):
        arguments = (*arguments, *(() if "--output" in arguments else ("--output", tmp_path / "new")))
        done = run("convert-data", scenes, *arguments)
        assert done.exit_code == 2 and words in done.stderr, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]
