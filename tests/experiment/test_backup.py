"""One file holds the state of a run; a damaged one gives way to the one before it."""

import io
import json
import logging
import zipfile

import keras
import numpy as np
import pytest

from keras_cornernet.experiment.backup import BackupFile, RunState


def model(seed: int, units: int = 3, use_ema: bool = True) -> keras.Model:
    """A small compiled model whose optimizer has taken a step."""
    keras.utils.set_random_seed(seed)
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)])
    made.compile(keras.optimizers.Adam(0.1, use_ema=use_ema), "mse", run_eagerly=True)
    made.fit(np.ones((2, 2)), np.zeros((2, units)), verbose=0)
    return made


def state(epoch: int) -> RunState:
    rows = tuple({"epoch": i + 1, "loss": 1.0 / (i + 1)} for i in range(epoch))
    return RunState(epoch, 2.5 * epoch, ("cat", "dog"), rows, {"preset": "p", "epochs": 9})


def values(made: keras.Model) -> list[np.ndarray]:
    return [np.array(variable) for variable in (*made.variables, *made.optimizer.variables)]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def backup(tmp_path) -> BackupFile:
    """With the states after two epochs."""
    file = BackupFile(tmp_path)
    for epoch in (1, 2):
        file.write(model(epoch), state(epoch))
    return file


def test_what_was_written_comes_back(backup):
    other = model(7)
    assert backup.read() == state(2)
    backup.restore(other)
    assert same(values(other), values(model(2)))
    assert sorted(path.name for path in backup.folder.iterdir()) == ["latest.zip", "previous.zip"]


def test_a_folder_without_a_run_has_no_state(tmp_path):
    assert BackupFile(tmp_path).read() is None
    (tmp_path / "backup").mkdir()
    assert BackupFile(tmp_path).read() is None


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = content.index(b"variables/0") + 20
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def with_record(**changes):
    def change(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                text = old.read(name)
                if name == "run.json":
                    text = json.dumps({**json.loads(text), **changes}).encode()
                new.writestr(name, text)
        return out.getvalue()

    return change


DAMAGES = [
    cut,
    flipped,
    lambda content: b"",
    lambda content: b"\0" * len(content),
    with_record(rows=[]),
    with_record(rows=[1, 2]),
    with_record(rows=[{"epoch": 1}, {"epoch": 2, "loss": "a"}]),
    with_record(epoch="x"),
    with_record(epoch=10**12),
    with_record(format=99),
    with_record(plan=3),
    with_record(names=None),
    with_record(variables=[[[2, 3], "float32", ""]] * 3),
    with_record(variables=[[[-1], "no type", ""]]),
    with_record(variables=[[[2, 3], "float32"]]),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_gives_way_to_the_one_before_it(backup, damage, caplog):
    backup.latest.write_bytes(damage(backup.latest.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert backup.read() == state(1)
    assert "latest.zip: a damaged backup" in caplog.text and "the backup before it" in caplog.text
    assert backup.read() == state(1)
    other = model(7)
    backup.restore(other)
    assert same(values(other), values(model(1)))


def test_a_missing_newest_state_gives_way_too(backup):
    backup.latest.unlink()
    assert backup.read() == state(1)


def test_two_damaged_states_are_named(backup):
    for path in (backup.latest, backup.previous):
        path.write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"latest\.zip: a damaged backup .*no other"):
        backup.read()


def test_the_state_of_another_network_or_optimizer_is_not_taken(backup):
    with pytest.raises(ValueError, match="of another network or optimizer"):
        backup.restore(model(1, units=4))
    other = model(1)
    other.compile(keras.optimizers.SGD(), "mse")
    with pytest.raises(ValueError, match="of another network or optimizer"):
        backup.restore(other)


@pytest.mark.parametrize("before", [False, True])
def test_averages_may_be_new_or_gone(tmp_path, before):
    file = BackupFile(tmp_path)
    one, other = model(1, use_ema=before), model(2, use_ema=not before)
    file.write(one, state(1))
    file.restore(other)
    assert same(values(one)[:4], values(other)[:4])  # weights, seed and the number of steps
    if not before:
        averages = [np.array(v) for v in other.optimizer.variables if v.path.endswith("_average")]
        assert same(averages, [np.array(v) for v in one.trainable_variables])


def test_a_backup_of_an_earlier_version_is_named(tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "latest.weights.h5").touch()
    with pytest.raises(ValueError, match="of an earlier version"):
        BackupFile(tmp_path).read()
