"""A run that is killed and resumed ends as if nothing had happened, to the bit."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killed_runs import KILLS, PLACES

HERE = Path(__file__).parent
FILES = ("results.csv", "backup/latest.zip", "predictions.jpg", "curves.png")


def run(folder: Path, mode: str, backend: str) -> list[int]:
    """The exit codes of the processes that were killed."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_COMPILATION_CACHE_DIR": str(folder.parent / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, str(HERE / "killed_runs.py"), str(folder), mode]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [int(code) for code in done.stdout.split()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that was not killed, by backend."""
    folders: dict[str, Path] = {}

    def find(backend: str) -> Path:
        if backend not in folders:
            folder = tmp_path_factory.mktemp(backend) / "whole"
            assert run(folder, "whole", backend) == []
            folders[backend] = folder
        return folders[backend]

    return find


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs are forks")
@pytest.mark.parametrize(
    ("backend", "mode", "kills"),
    [("tensorflow", "places", len(PLACES)), ("tensorflow", "1", KILLS), ("jax", "places", len(PLACES))],
)
def test_killed_runs_end_as_if_nothing_had_happened(backend, mode, kills, whole):
    pytest.importorskip(backend)
    expected = whole(backend)
    folder = expected.parent / mode  # they start from one file, whose path is in the backup
    assert run(folder, mode, backend) == [-signal.SIGKILL] * kills
    for name in FILES:
        assert (folder / name).read_bytes() == (expected / name).read_bytes(), name
    for place in (folder, folder / "backup"):  # nothing is left of the killed ones
        assert not [path.name for path in place.iterdir() if path.name.startswith(".")]
