"""Ray Data on two workers: the answers of one process, whatever happens to a worker."""

import json
import os
import signal

import numpy as np
import pytest
from exportable import detector, estimator, picture
from PIL import Image

from keras_cornernet import save_model
from keras_cornernet.experiment.ray_data import RayPredictor, predict_with_ray

COUNT = 24


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(COUNT):
        Image.fromarray(picture(40, 56, number)).save(folder / f"{number:02}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return sorted(folder.iterdir())


def answers(model, paths):
    rows = {}
    for path in paths:
        (found,) = model.predict(path, min_score=0)
        rows[str(path)] = [{k: v for k, v in row.items() if k != "image_id"} for row in found.to_coco(0)]
    return rows


def test_batches_keep_their_rows(photos, tmp_path):
    model = detector()
    path = save_model(model, tmp_path / "model.keras")
    batch = {"path": np.array([str(p) for p in photos], object), "number": np.arange(len(photos))}
    found = RayPredictor(str(path))(batch)
    assert found["number"].tolist() == list(range(COUNT + 1)) and set(found) == {
        *("path", "number", "predictions", "error")
    }
    alone = answers(model, photos[:-1])
    told = dict(zip(found["path"], map(json.loads, found["predictions"]), strict=True))
    assert {path: told[path] for path in alone} == alone and any(alone.values())
    assert [bool(error) for error in found["error"]] == [False] * COUNT + [True]
    assert told[str(photos[-1])] == [] and "broken.png" in found["error"][-1]
    assert RayPredictor(str(path))({"path": np.array([], object)})["error"].tolist() == []


def test_people_are_one_an_image(photos, tmp_path):
    path = save_model(estimator(), tmp_path / "pose.keras")
    found = RayPredictor(str(path))({"path": np.array([str(photos[0])], object)})
    (row,) = json.loads(found["predictions"][0])
    assert len(row["keypoints"]) == 9


def test_without_ray_the_message_says_what_to_type(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[ray\]'"):
        predict_with_ray("model.keras", [], "out")


class Mortal(RayPredictor):
    """Is killed once, by its seventh image."""

    def _predict(self, path):
        mark = os.environ.get("KILLED_ONCE", "")
        if mark and path.endswith("07.png") and not os.path.exists(mark):
            open(mark, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._predict(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray itself
def test_two_workers_answer_alike_and_one_that_is_killed_loses_nothing(photos, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    model = detector()
    path = save_model(model, tmp_path / "model.keras")
    mark = tmp_path / "killed"
    here = {"env_vars": {"KILLED_ONCE": str(mark), "PYTHONPATH": os.pathsep.join(__import__("sys").path)}}
    monkeypatch.setattr("keras_cornernet.experiment.ray_data.RayPredictor", Mortal)
    ray.init(num_cpus=2, include_dashboard=False, runtime_env=here, logging_level="ERROR")
    try:
        predict_with_ray(str(path), photos, tmp_path / "found", workers=2, batch_size=4)
    finally:
        ray.shutdown()
    assert mark.exists()
    lines = [line for file in (tmp_path / "found").iterdir() for line in file.read_text().splitlines()]
    rows = [json.loads(line) for line in lines]
    assert sorted(row["path"] for row in rows) == [str(path) for path in photos]
    alone = answers(model, photos[:-1])
    assert {row["path"]: json.loads(row["predictions"]) for row in rows if not row["error"]} == alone
