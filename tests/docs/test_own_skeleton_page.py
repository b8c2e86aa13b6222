"""The labels that `docs/own_skeleton_to_phone.md` makes are read as an own skeleton."""

import re
from pathlib import Path

from command_line import run

import keras_cornernet as kc

PAGE = Path(__file__).parents[2] / "docs" / "own_skeleton_to_phone.md"


def test_the_script_makes_a_skeleton_of_seven_joints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part, seed in (("train", 1), ("val", 2)):
        assert run("make-data", "--output", f"signals/{part}", "--count", 3, "--seed", seed).exit_code == 0
    (script,) = re.findall(r"```python\n(# own.py\n.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(script, "own.py", "exec"), {})
    people = kc.read_people("signals/person_keypoints_train.json", "signals/train", "coco")
    sides = [f"{side}_{part}" for side in ("right", "left") for part in ("shoulder", "elbow", "hand")]
    assert people.skeleton.joints == ("head", *sides) and not people.problems and len(people) >= 2
    assert people.skeleton.flip_order == (0, 4, 5, 6, 1, 2, 3)
    done = run("check-data", "--data", "signals", "--preset", "hourglass_phone", "--output", "checked")
    assert done.exit_code == 0, done.stderr
