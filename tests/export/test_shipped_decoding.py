"""The plain decoding of raw maps, in Python, JavaScript and Kotlin, against Keras on the same maps."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from kotlin_programs import compile_kotlin, run_kotlin

from keras_cornernet.export import decoding
from keras_cornernet.export.decoding.boxes import decode_boxes
from keras_cornernet.export.decoding.poses import decode_pose

FIXTURES = Path(__file__).parents[1] / "fixtures" / "decoding"
SOURCES = Path(decoding.__file__).parent
VECTORS = json.loads((FIXTURES / "vectors.json").read_text())
SIZE, CASES = tuple(VECTORS["input_size"]), VECTORS["cases"]


def check(name, found):
    expected = CASES[name]["expected"]
    assert len(expected["scores"]) >= 3
    for key, tolerance in (("boxes", 0.02), ("keypoints", 0.02), ("scores", 2e-4), ("labels", 0)):
        if key in expected:
            np.testing.assert_allclose(found[key], expected[key], atol=tolerance, rtol=0)


def in_python(name):
    case = CASES[name]
    maps = {key: np.array(values, np.float32) for key, values in case["maps"].items()}
    if case["settings"]["kind"] == "keypoints":
        return dict(zip(("keypoints", "scores"), decode_pose(maps, case["settings"], SIZE), strict=True))
    return dict(zip(("boxes", "scores", "labels"), decode_boxes(maps, case["settings"], SIZE), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_python(name):
    check(name, in_python(name))


def test_the_vectors_are_what_keras_answers(monkeypatch):
    monkeypatch.syspath_prepend(str(FIXTURES))
    from make_vectors import vectors

    written = json.loads(json.dumps(vectors()))
    assert written["cases"].keys() == CASES.keys()
    for name, case in written["cases"].items():
        assert case["settings"] == CASES[name]["settings"]
        assert case["maps"] == CASES[name]["maps"]
        check(name, case["expected"])


def test_javascript():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    done = subprocess.run(
        [node, FIXTURES / "decode.mjs", SOURCES],
        input=json.dumps(VECTORS),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in CASES:
        check(name, found[name])


@pytest.mark.slow
def test_kotlin(tmp_path):
    sources = [SOURCES / "boxes.kt", SOURCES / "poses.kt", FIXTURES / "Main.kt"]
    jar = compile_kotlin(sources, tmp_path / "decoding.jar")
    lines = run_kotlin(jar, "keras_cornernet.MainKt", "".join(map(as_text, CASES.values()))).splitlines()
    for (name, case), line in zip(CASES.items(), lines, strict=True):
        width = 3 if case["settings"]["kind"] == "keypoints" else 6
        rows = np.array(line.split(), np.float64).reshape(-1, width)
        if width == 3:
            check(name, {"keypoints": rows[:, :2], "scores": rows[:, 2]})
        else:
            check(name, {"boxes": rows[:, :4], "scores": rows[:, 4], "labels": rows[:, 5]})


def as_text(case):
    """A case as lines, see `Main.kt`."""
    settings = {
        **case["settings"],
        "heads": ",".join(case["settings"]["heads"]),
        "size": "x".join(map(str, SIZE)),
    }
    lines = [" ".join(f"{key}={value}" for key, value in settings.items()), str(len(case["maps"]))]
    for name, values in case["maps"].items():
        values = np.array(values)
        lines += [" ".join(map(str, (name, *values.shape))), " ".join(map(str, values.ravel()))]
    return "\n".join(lines) + "\n"
