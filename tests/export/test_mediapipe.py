"""Detectors that MediaPipe opens.

MediaPipe brings an OpenCV of its own, so it has an environment of its own:

    python -m venv mediapipe && mediapipe/bin/pip install mediapipe
    MEDIAPIPE_PYTHON=mediapipe/bin/python python -m pytest -m slow tests/export/test_mediapipe.py
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from exportable import ALL, centripetal_detector, detector, estimator, picture, point_detector

from keras_cornernet import export
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.export.flatbuffer import custom_operators, parsed
from keras_cornernet.export.mediapipe import set_alike, unsuppressed
from keras_cornernet.export.tflite_metadata import NAME, files_of
from keras_cornernet.models import CenterNet
from keras_cornernet.ops.suppression import soft_nms
from keras_cornernet.presets import from_preset

pytest.importorskip("ai_edge_litert.interpreter")
IMAGES = [picture(32, 48, seed) for seed in range(3)]
KINDS = {
    "corners": lambda: detector(merge_exponent=10.0),
    "triplets": lambda: detector(CenterNet),
    "centers": point_detector,
    "centripetal": centripetal_detector,
}
SLOW = pytest.mark.slow


@pytest.mark.parametrize("kind", ["corners", *(pytest.param(kind, marks=SLOW) for kind in list(KINDS)[1:])])
def test_one_graph_answers_as_keras_set_alike(kind, tmp_path):
    model = KINDS[kind]()
    path = export.to_tflite(model, tmp_path / "a.tflite", consumer="mediapipe").path
    assert len(parsed(path.read_bytes()).subgraphs) == 1
    assert custom_operators(path.read_bytes()) == set()
    exported = export.load(path)
    for image in IMAGES:
        ours, theirs = exported.predict(image, **ALL)[0], set_alike(model).predict(image, **ALL)[0]
        # The untrained triplets confirm no box. Below 0.001 suppression in Keras drops whatever overlaps.
        ours, theirs = ours.with_min_score(0.001), theirs.with_min_score(0.001)
        assert len(ours) == len(theirs)
        assert len(ours) > 0 or kind == "triplets"
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-2)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
        assert ours.labels.tolist() == theirs.labels.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_suppression_without_a_loop_is_hard_suppression(seed):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (1, 80, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(10, 40, corner.shape)], -1).astype(np.float32)
    scores = -np.sort(-rng.uniform(0.01, 1, (1, 80))).astype(np.float32)
    labels = rng.integers(0, 2, (1, 80)).astype(np.int32)
    kept = np.flatnonzero(np.asarray(unsuppressed(boxes, scores, labels, 0.4))[0])
    expected = soft_nms(boxes, scores, labels, method="hard", iou_threshold=0.4, max_detections=80)
    assert 5 < len(kept) < 70
    assert kept.tolist() == np.asarray(expected.index)[0][np.asarray(expected.scores)[0] >= 0].tolist()


def test_metadata_and_labels_stay_when_the_description_changes(tmp_path):
    path = export.to_tflite(
        point_detector(), tmp_path / "a.tflite", consumer="mediapipe", self_test=False
    ).path
    export.change_description(path, score=0.7)
    assert files_of(path.read_bytes()) == {"labels.txt": "cat\ndog\n"}
    names = [bytes(entry.name).decode() for entry in parsed(path.read_bytes()).metadata]
    assert sorted(names) == [NAME, "keras_cornernet"]
    told = export.load(path).description
    assert (told.score, told.fit, told.consumer) == (0.7, "stretch", "mediapipe")


def test_pictures_are_stretched_as_mediapipe_does(tmp_path):
    model = point_detector(flip=False)
    path = export.to_tflite(model, tmp_path / "a.tflite", consumer="mediapipe", self_test=False).path
    flat = np.repeat(IMAGES[0], 2, axis=1)  # twice as wide
    wide, usual = (export.load(path).predict(image, **ALL)[0] for image in (flat, IMAGES[0]))
    np.testing.assert_allclose(wide.boxes[0], usual.boxes[0] * [2, 1, 2, 1], atol=3)


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (estimator, {}, "only detectors are exported for MediaPipe"),
        (point_detector, {"raw": True}, "choose one of raw and consumer"),
        (point_detector, {"image_size": (64, 64)}, "image_size must be None"),
    ],
)
def test_what_cannot_be_is_told(make, options, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        export.to_tflite(make(), tmp_path / "a.tflite", consumer="mediapipe", **options)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """A function that asks MediaPipe for what is on images."""
    python = os.environ.get("MEDIAPIPE_PYTHON")
    if not python:
        pytest.skip(
            "MEDIAPIPE_PYTHON is not set: it names the python of an environment with mediapipe, see above"
        )
    folder = tmp_path_factory.mktemp("asked")

    def asked(path, images):
        np.savez(folder / "images.npz", *images)
        script = Path(__file__).with_name("mediapipe_detector.py")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [python, script, path, folder / "images.npz"],
            capture_output=True,
            text=True,
            timeout=300,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return asked


def fraction_alike(found, expected, min_score=0.3):
    """Of what either shows, the fraction that the other has with an overlap of 0.9 and nearly the score."""
    alike = []
    theirs = [(np.array(row[:4]), row[4], row[5]) for row in found]
    ours = list(zip(expected.boxes, expected.scores, expected.names, strict=True))
    for one, other in ((ours, theirs), (theirs, ours)):
        for box, score, name in one:
            if score >= min_score:
                near = [s for b, s, n in other if n == name and overlap(box, b) >= 0.9]
                alike.append(bool(near) and min(abs(s - score) for s in near) < 0.05)
    return float(np.mean(alike)) if alike else 1.0, len(alike)


def overlap(a, b):
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = max(width, 0) * max(height, 0)
    return common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["cornernet_people", "objects_as_points_photos"])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_mediapipe_finds_what_keras_finds(preset, precision, ask, tmp_path):
    model = from_preset(preset)
    size = model.settings.input_size
    samples = [draw_scene(seed, size, max_people=2)[0] for seed in range(20)]
    path = export.to_tflite(
        model, tmp_path / "a.tflite", consumer="mediapipe", precision=precision, samples=samples
    ).path
    exported = export.load(path)
    # Of the input's size, and of others, which MediaPipe stretches.
    images = samples[:6], [draw_scene(seed, (300, 500), max_people=2)[0] for seed in range(6)]
    for shown in images:
        # MediaPipe gives whole pixels, and resamples with other rounding, which 8 bits enlarge.
        assert all_alike(ask(path, shown), exported, shown) >= (1 if precision == "float32" else 0.8)
    alike = all_alike(ask(path, images[0]), set_alike(model), images[0])
    assert alike >= (1 if precision == "float32" else 0.6)


def all_alike(found, model, images):
    results = zip(found, model.predict(list(images), min_score=0), strict=True)
    alike = [fraction_alike(*pair) for pair in results]
    assert sum(count for _, count in alike) >= 8
    return sum(fraction * count for fraction, count in alike) / sum(count for _, count in alike)
