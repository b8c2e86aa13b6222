"""Exports whose files of labels are damaged at random: read, or refused with a message that names a file."""

import copy
import json
import random

import pytest
from test_tools_exports import CASES, cache  # noqa: F401  (a fixture)

from keras_cornernet.data.readers import read_dataset

ROUNDS = 8
VALUES = (None, -1, 1e30, "x", [], {}, True, "", 10**30, [None], {"a": 1})
BYTES = (b"\0", b",,,", b"nan", b"1e400", b"-5", b"{", b'"', b"\xff\xfe", b": - [", b"\n\n", b"\r")


def mutated(value, rng):
    """The content of a json file with another value, or one less, somewhere in it."""
    if isinstance(value, dict | list) and value:
        key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        kind = rng.random()
        if kind < 0.2:
            del value[key]
        else:
            value[key] = mutated(None if kind < 0.5 else value[key], rng)
        return value
    return copy.deepcopy(rng.choice(VALUES))


def damaged(content, rng):
    """The bytes of a file, some changed, lost, doubled or new."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 5)):
        i = rng.randrange(len(content)) if content else 0
        kind = rng.randrange(4)
        if kind == 0:
            content[i : i + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del content[i : i + rng.randint(1, 20)]
        else:
            content[i:i] = rng.choice(BYTES) if kind == 2 else content[max(0, i - 10) : i]
    return bytes(content)


@pytest.mark.parametrize(("form", "export"), CASES, ids=[export.__name__ for _, export in CASES])
def test_nothing_else_is_raised(tmp_path, form, export):
    rng = random.Random(export.__name__)
    for number in range(ROUNDS):
        root = tmp_path / str(number)
        export(root)
        file = rng.choice(sorted(p for p in root.rglob("*") if p.is_file() and p.suffix != ".png"))
        if file.suffix == ".json" and rng.random() < 0.7:
            content = mutated(mutated(json.loads(file.read_bytes()), rng), rng)
            file.write_text(json.dumps(content))
        else:
            file.write_bytes(damaged(file.read_bytes(), rng))
        try:
            dataset = read_dataset(root)
        except (ValueError, OSError) as error:
            assert str(root) in str(error), error
        else:
            for problem in dataset.problems:
                assert problem.path and problem.reason


@pytest.mark.parametrize("supercategory", [{}, [], 3, None])
def test_a_supercategory_that_is_no_text(tmp_path, supercategory):
    export = dict((e.__name__, e) for _, e in CASES)["coco_in_one_file"]
    export(tmp_path)
    path = tmp_path / "annotations/instances_default.json"
    content = json.loads(path.read_text())
    content["categories"][0]["supercategory"] = supercategory
    path.write_text(json.dumps(content))
    assert read_dataset(tmp_path).annotation_count == 3


def test_a_csv_file_with_a_line_end_in_a_field(tmp_path):
    export = dict((e.__name__, e) for _, e in CASES)["retinanet_csv"]
    export(tmp_path)
    path = tmp_path / "annotations.csv"
    path.write_bytes(path.read_bytes() + b'\n"a.png\x00,1,2')
    read_dataset(tmp_path)
