"""The runtime in Kotlin, on a JVM, against Python's answers."""

import json
from pathlib import Path

import numpy as np
import pytest
from following_cases import RUNTIME, as_text, check_answers, stored
from kotlin_programs import compile_kotlin, run_kotlin

from keras_cornernet import export
from keras_cornernet.export.description import Description

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
SOURCES = sorted((RUNTIME / "kotlin").glob("*.kt"))


@pytest.fixture(scope="module")
def jar(tmp_path_factory):
    programs = sorted(HERE.glob("*.kt"))
    return compile_kotlin([*SOURCES, *programs], tmp_path_factory.mktemp("kotlin") / "runtime.jar")


def test_it_follows_as_python_does(jar):
    lines = run_kotlin(jar, "FollowKt", as_text(stored())).splitlines()
    found = []
    for points, scores, square, detections, boxes in map(json.loads, lines):
        pose = points and {"points": np.reshape(points, (-1, 2)), "scores": scores, "square": square}
        named = [dict(zip(("box", "score", "name"), box, strict=True)) for box in boxes]
        found.append({"pose": pose, "detections": detections, "boxes": named})
    check_answers(found)


def test_it_reads_the_description_of_a_file(jar, tmp_path):
    file = RUNTIME.parent / "hourglass_lspet_int8.tflite"
    assert Description.from_json(run_kotlin(jar, "DescribeKt", str(file))) == export.load(file).description
    other = tmp_path / "other.tflite"
    other.write_bytes(b"something else")
    assert run_kotlin(jar, "DescribeKt", str(other)).strip() == "not a TFLite file"
