"""A request to stop is never lost, and nothing is half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# By this name the package knows a command, and does not load Keras at once.
LISTENING = """
import contextlib, gc, os, signal, sys, time
sys.argv[0] = "keras-cornernet"
from keras_cornernet import files, interruption
interruption.listen()
"""
IN_A_STEP = """
with interruption.whole_step():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)
    print("whole", flush=True)
print("on", flush=True)
"""
AT_ONCE = """
os.kill(os.getpid(), signal.SIGINT)
time.sleep(1)
print("on", flush=True)
"""
IN_THE_COLLECTOR = """
def callback(phase, info):
    gc.callbacks.clear()
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000): pass

gc.callbacks.append(callback)
gc.collect()
print("dropped", flush=True)
files.write_text("a.txt", "x")
print("on", flush=True)
"""
WHILE_WRITING = """
files.write_text("a.txt", "old")
with files.write_aside("a.txt") as aside:
    aside.write_text("half")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)
"""
IN_THE_LAST_STEP_OF_WRITING = """
replace = os.replace
def slow(*names):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.01)
    replace(*names)
os.replace = slow
files.write_text("a.txt", "new")
"""


@pytest.mark.parametrize(
    ("program", "code", "printed", "written"),
    [
        (IN_A_STEP, 143, "whole\n", {}),
        (AT_ONCE, 130, "", {}),
        (IN_THE_COLLECTOR, 143, "dropped\n", {}),
        (WHILE_WRITING, 143, "", {"a.txt": "old"}),
        (IN_THE_LAST_STEP_OF_WRITING, 143, "", {"a.txt": "new"}),
    ],
)
def test_a_request_is_obeyed_at_the_next_safe_place(program, code, printed, written, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LISTENING + program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, printed), done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == written


COMMAND = """
import gc, os, signal, sys
sys.argv[0] = "keras-cornernet"
from keras_cornernet.cli import main, models

def callback(phase, info):
    gc.callbacks.clear()
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000): pass

def listed(*arguments, **options):
    gc.callbacks.append(callback)
    gc.collect()
    if sys.argv[1] == "error":
        raise RuntimeError("made of it")
    return ()

models.list_presets = listed
sys.argv[1:] = ["models"]
main()
"""


@pytest.mark.parametrize("then", ["error", "end"])
def test_a_command_that_lost_its_request_ends_with_the_code_of_it(then):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = COMMAND.replace("sys.argv[1] ==", f"{then!r} ==")
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 143, done.stderr
    assert done.stderr.endswith("stopped; nothing is half-written\n")
