"""Commands on many images: results as they come, stopped runs that go on, work in several processes."""

import json
from itertools import islice

import pytest
from command_line import data, load_once, run

from keras_cornernet.data.scenes import make_scenes
from keras_cornernet.inference import Detector, PoseEstimator

loaded_once = pytest.fixture(scope="module", autouse=True)(load_once)
COUNT = 7


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    make_scenes(folder, COUNT, seed=5, size=(96, 128))
    return folder


def read(path):
    return json.loads(path.read_text())


class Stopped(RuntimeError):
    pass


@pytest.fixture
def stop_after(monkeypatch):
    """Lets models answer for so many images, and then fail as if the process was killed."""

    def stop(kind, name, number):
        original, calls = getattr(kind, name), iter(range(number))

        def counted(self, *args, **options):
            if next(calls, None) is None:
                raise Stopped
            return original(self, *args, **options)

        monkeypatch.setattr(kind, name, counted)

    stop.undo = monkeypatch.undo
    return stop


@pytest.fixture
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_cornernet.inference.evaluating.BLOCK", 3)
        yield


def same_tables(one, other, names=("images.json", "predictions.json")):
    for name in names:
        assert read(one / name) == read(other / name)
        assert read(one / name)


def test_predict_goes_on_where_it_was_stopped(scenes, tmp_path, stop_after):
    command = ("predict", "cornernet_people", scenes / "images", "--output")
    assert run(*command, tmp_path / "whole").exit_code == 0
    stop_after(Detector, "stream", 4)
    assert run(*command, tmp_path / "parts").exit_code == 1
    assert not (tmp_path / "parts" / "predictions.json").exists()
    assert len((tmp_path / "parts" / "predictions.jsonl").read_text().splitlines()) == 1 + 4
    stop_after.undo()
    stop_after(Detector, "stream", COUNT - 4)  # not one image twice
    done = run(*command, tmp_path / "parts", "--resume")
    assert done.exit_code == 0, done.output
    assert f"{COUNT} images (4 of an earlier run)" in done.stdout
    same_tables(tmp_path / "whole", tmp_path / "parts")
    assert {p.name for p in (tmp_path / "whole").iterdir()} == {
        p.name for p in (tmp_path / "parts").iterdir()
    }


def test_results_of_another_model_are_not_gone_on_with(scenes, tmp_path):
    command = ("predict", "cornernet_people", scenes / "images", "--output", tmp_path, "--no-pictures")
    assert run(*command).exit_code == 0
    done = run(*command, "--resume", "--min-score", "0.5")
    assert done.exit_code == 2 and "the results are of options" in done.stderr
    assert run(*command, "--min-score", "0.5").exit_code == 0  # without --resume it begins anew


def test_shards_of_predict_make_the_whole(scenes, tmp_path):
    command = ("predict", "cornernet_people", scenes / "images", "--no-pictures", "--output")
    assert run(*command, tmp_path / "whole").exit_code == 0
    for shard in ("1/3", "2/3", "3/3"):
        assert run(*command, tmp_path / "shared", "--shard", shard).exit_code == 0
    parts = [read(tmp_path / "shared" / f"images-{i}-of-3.json") for i in (1, 2, 3)]
    images = {entry["id"]: entry["path"] for part in parts for entry in part}
    assert len(images) == sum(map(len, parts)) == COUNT
    names = {entry["id"]: entry["path"] for entry in read(tmp_path / "whole" / "images.json")}
    assert set(images.values()) == set(names.values())

    def by_path(rows, names):
        return sorted((names[row["image_id"]], row["score"], row["bbox"]) for row in rows)

    rows = [row for i in (1, 2, 3) for row in read(tmp_path / "shared" / f"predictions-{i}-of-3.json")]
    assert by_path(rows, images) == by_path(read(tmp_path / "whole" / "predictions.json"), names)


@pytest.mark.parametrize("wrong", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3", "1/99999999999"])
def test_a_shard_is_one_of_several(scenes, tmp_path, wrong):
    done = run(
        "predict", "cornernet_people", scenes / "images", "--output", tmp_path / "out", "--shard", wrong
    )
    assert done.exit_code == 2 and "expected I/N" in done.stderr
    assert not (tmp_path / "out").exists()


def test_label_goes_on_and_shares(scenes, tmp_path, stop_after):
    command = ("label", "cornernet_people", scenes / "images", "--score", "0.3", "--output")
    assert run(*command, tmp_path / "whole.json").exit_code == 0
    stop_after(Detector, "stream", 3)
    assert run(*command, tmp_path / "parts.json").exit_code == 1
    stop_after.undo()
    assert run(*command, tmp_path / "parts.json", "--resume").exit_code == 0
    whole = read(tmp_path / "whole.json")
    assert whole == read(tmp_path / "parts.json") and whole["annotations"]
    for shard in ("1/2", "2/2"):
        assert run(*command, tmp_path / "shared.json", "--shard", shard).exit_code == 0
    shares = [read(tmp_path / f"shared-{i}-of-2.json") for i in (1, 2)]
    assert sum(len(share["annotations"]) for share in shares) == len(whole["annotations"])


@pytest.mark.parametrize(
    ("model", "kind", "method", "number"),
    [("cornernet_people", Detector, "stream", 4), ("hourglass_people", PoseEstimator, "read_dataset", 1)],
)
def test_evaluate_goes_on_with_the_same_numbers(
    scenes, tmp_path, stop_after, small_blocks, model, kind, method, number
):
    command = ("evaluate", model, *data(scenes))
    files = {
        name: (tmp_path / f"{name}.json", tmp_path / f"{name}_found.json") for name in ("whole", "parts")
    }

    def measure(name, *more):
        json_file, saved = files[name]
        return run(*command, "--json", json_file, "--save-results", saved, *more)

    assert run(*command, "--json", tmp_path / "plain.json").exit_code == 0
    assert measure("whole").exit_code == 0
    stop_after(kind, method, number)
    assert measure("parts").exit_code == 1
    stop_after.undo()
    done = measure("parts", "--resume")
    assert done.exit_code == 0, done.output
    assert read(files["parts"][0]) == read(files["whole"][0]) == read(tmp_path / "plain.json")
    assert read(files["parts"][1]) == read(files["whole"][1])


def test_shards_of_an_evaluation_are_measured_together(scenes, tmp_path):
    command = ("evaluate", "cornernet_people", *data(scenes))
    assert run(*command, "--json", tmp_path / "whole.json").exit_code == 0
    saved = tmp_path / "found.json"
    for shard in ("1/2", "2/2"):
        assert run(*command, "--save-results", saved, "--shard", shard).exit_code == 0
    results = [("--results", tmp_path / f"found-{i}-of-2.json") for i in (1, 2)]
    annotations = ("--annotations", scenes / "annotations.json")
    done = run("evaluate", *results[0], *results[1], *annotations, "--json", tmp_path / "joined.json")
    assert done.exit_code == 0, done.output
    assert read(tmp_path / "joined.json")["AP"] == pytest.approx(
        read(tmp_path / "whole.json")["AP"], abs=1e-6
    )
    done = run(*command, "--shard", "1/2")
    assert done.exit_code == 2 and "need --save-results" in done.stderr


def test_results_do_not_pile_up_in_memory(scenes, tmp_path, monkeypatch):
    """What is found on an image is gone from memory when the next one is read."""
    import gc
    import weakref

    alive, original = [], Detector.stream

    def watched(self, *args, **options):
        gc.collect()
        alive.append(sum(reference() is not None for reference in references))
        for found in original(self, *args, **options):
            references.append(weakref.ref(found))
            yield found

    references: list = []
    monkeypatch.setattr(Detector, "stream", watched)
    done = run("predict", "cornernet_people", scenes / "images", "--output", tmp_path / "out")
    assert done.exit_code == 0 and len(list(islice(references, 99))) == COUNT
    assert max(alive) <= 1


def test_videos_in_a_folder_are_found(tmp_path):
    cv2 = pytest.importorskip("cv2")
    import numpy as np

    folder = tmp_path / "clips"
    folder.mkdir()
    writer = cv2.VideoWriter(str(folder / "a.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 48))
    for shade in (0, 60, 120):
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    done = run("predict", "cornernet_people", folder, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jsonl", "a.mp4"]
