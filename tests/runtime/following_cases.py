"""The stored frames of a person, and the comparison of what a runtime makes of them with Python's."""

import json
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "saved_models" / "runtime"
STORED = ROOT / "tests" / "fixtures" / "following.json"
FIELDS = (
    *("min_score", "min_joint_score", "padding", "joint_padding", "shrink"),
    *("min_cutoff", "beta", "speed_cutoff", "max_speed"),
)


@cache
def stored():
    """All of the file, see `tests/fixtures/make_following.py`."""
    return json.loads(STORED.read_text())


def check_answers(found):
    """Compares with Python's answers: the same detections, and points to a thousandth of a pixel."""
    expected = stored()["answers"]
    assert [row["detections"] for row in found] == [row["detections"] for row in expected]
    assert [row["pose"] is None for row in found] == [row["pose"] is None for row in expected]
    for mine, python in zip(found, expected, strict=True):
        for name in ("points", "scores", "square") if python["pose"] else ():
            np.testing.assert_allclose(mine["pose"][name], python["pose"][name], atol=1e-3, rtol=0)
        assert [box["name"] for box in mine["boxes"]] == [box["name"] for box in python["boxes"]]
        for part in ("box", "score"):
            sides = ([box[part] for box in row["boxes"]] for row in (mine, python))
            np.testing.assert_allclose(*sides, atol=1e-3, rtol=0)


def as_text(case):
    """The frames as numbers in the order in which `Follow.kt` reads them."""
    detector, frames = case["detector"], case["frames"]
    assert detector["names"] == ["dog", "person"] and case["pose_input"] == [128, 128]
    settings = [case["settings"][name] for name in FIELDS]
    sizes = [*case["size"], *detector["image_size"], *detector["scores"], *settings, case["outside"]]
    first = frames[0]
    rows = [sizes, [len(first["scores"]), len(first["detector"]["scores"]), len(frames)]]
    for frame in frames:
        found = frame["detector"]
        parts = (frame["keypoints"], frame["scores"], found["boxes"], found["scores"], found["labels"])
        rows.append([frame["seconds"], *(value for part in parts for value in flat(part))])
        rows.append([found["num_detections"]])
    return "\n".join(" ".join("NaN" if v is None else str(v) for v in row) for row in rows)


def flat(values):
    """Numbers of nested lists, one after the other."""
    return [v for row in values for v in flat(row)] if isinstance(values, list) else [values]
