"""The score from which on boxes of a class are shown: kept in the model, and followed wherever it is used."""

import numpy as np
import pytest
from exportable import detector, picture

from keras_cornernet import export, from_preset, save_model
from keras_cornernet.experiment import keep_min_scores
from keras_cornernet.export.describing import change_description
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories

IMAGE = picture(48, 64)


def halved(model):
    """Scores by which each class loses the lower half of its boxes."""
    (found,) = model.predict(IMAGE, min_score=0)
    labels = range(len(model.categories.names))
    return tuple(float(np.median([0.3, *found.scores[found.labels == label]])) for label in labels)


def expected(model, scores):
    (found,) = model.predict(IMAGE, min_score=0)
    return [(d.label, d.score) for d in found if d.score >= scores[d.label]]


def shown(results):
    return [(d.label, d.score) for d in results[0]]


def test_without_a_score_of_its_own_a_class_is_shown_from_its_kept_one():
    model = detector()
    scores = halved(model)
    chosen = model.with_settings(min_scores=scores)
    assert shown(chosen.predict(IMAGE)) == expected(model, scores)
    assert 0 < len(chosen.predict(IMAGE)[0]) < len(model.predict(IMAGE, min_score=0)[0])
    (everything,) = chosen.predict(IMAGE, min_score=0)
    assert everything == model.predict(IMAGE, min_score=0)[0]
    assert everything.shown() == chosen.predict(IMAGE)[0]
    assert np.asarray(everything.plot()).tobytes() == np.asarray(chosen.predict(IMAGE)[0].plot(0)).tobytes()


def test_a_file_keeps_them(tmp_path):
    model = detector()
    path = save_model(model, tmp_path / "model.keras")
    scores = halved(model)
    keep_min_scores(path, scores)
    opened = from_preset(path)
    assert opened.settings.min_scores == pytest.approx(scores)
    assert shown(opened.predict(IMAGE)) == expected(model, opened.settings.min_scores)


def test_other_classes_start_without_them(tmp_path):
    model = detector()
    path = save_model(model.with_settings(min_scores=halved(model)), tmp_path / "model.keras")
    names = [f"new {i}" for i in range(len(model.categories.names))]
    assert from_preset(path, categories=names).settings.min_scores is None
    assert from_preset(path, num_classes=len(names) + 2).settings.min_scores is None
    assert from_preset(path, categories=model.categories).settings.min_scores is not None


def test_one_for_each_class():
    count = len(detector().categories.names)
    with pytest.raises(ValueError, match=f"one number for each of {count} classes, not {count + 1}"):
        detector().with_settings(min_scores=(0.5,) * (count + 1))
    with pytest.raises(ValueError, match=r"min_scores\[0\] must be finite and at least 0"):
        InferenceConfig(min_scores=(float("nan"),))
    with pytest.raises(ValueError, match="one for each of 1 categories"):
        Detections(
            np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), Categories(("a",), (1,)), min_scores=(0.1, 0.2)
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.tflite", "model.onnx", "model.xml", "model"])
def test_exported_files_follow_them_and_can_be_changed(name, tmp_path):
    if name.endswith("onnx"):
        pytest.importorskip("tf2onnx")
    if name.endswith("xml"):
        pytest.importorskip("openvino")
    model: Detector = detector()
    scores = halved(model)
    path = model.with_settings(min_scores=scores).export(tmp_path / name).path
    before = export.load(path)
    (found,) = before.predict(IMAGE, min_score=0)
    assert before.description.scores == pytest.approx(scores)
    assert len(before.predict(IMAGE)[0]) == sum(d.score >= scores[d.label] for d in found)
    higher = tuple((1 + score) / 2 for score in scores)
    keep_min_scores(path, higher)
    after = export.load(path)
    assert after.description == before.description._replace(scores=higher, score=min(higher))
    assert len(after.predict(IMAGE)[0]) == sum(d.score >= higher[d.label] for d in found)
    assert after.predict(IMAGE, min_score=0)[0] == found
    with pytest.raises(ValueError, match="scores must hold one number for each"):
        change_description(path, scores=(0.5,) * 99)
