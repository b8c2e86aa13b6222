"""Two runs do not share a folder, whatever became of an earlier one."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from keras_cornernet.experiment import folder_lock
from keras_cornernet.experiment.folder_lock import only_run

HOLD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("folder_lock", sys.argv[2])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with module.only_run(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_until_the_first_one_is_gone(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path), folder_lock.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="is in use by another run"), only_run(tmp_path):
            pass
        first.kill()
        first.wait()
    with only_run(tmp_path):
        assert (tmp_path / folder_lock.LOCK).exists()
    assert not list(tmp_path.iterdir())


def test_a_thread_may_ask_again_and_another_one_may_not(tmp_path):
    errors = []

    def ask():
        try:
            with only_run(tmp_path):
                pass
        except ValueError as error:
            errors.append(str(error))

    with only_run(tmp_path), only_run(Path(os.path.relpath(tmp_path))):
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    assert len(errors) == 1
    ask()
    assert len(errors) == 1


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path):
    with only_run(tmp_path / "runs" / "one"):
        pass
    assert not list(tmp_path.iterdir())
    with only_run(tmp_path / "runs" / "one"):
        (tmp_path / "runs" / "one" / "file").touch()
    assert (tmp_path / "runs" / "one" / "file").is_file()


def test_a_file_system_without_locks_has_none(tmp_path, monkeypatch):
    def none(descriptor):
        raise OSError(folder_lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock, "_lock", none)
    with only_run(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
