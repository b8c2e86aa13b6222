"""Where a file cannot be written whole there is one clear error, and no file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytest.importorskip("resource")

LIMITED = """
import os, resource, sys
sys.argv[0] = "keras-cornernet"  # by this name the package does not load Keras at once
from keras_cornernet import files
import numpy as np
from PIL import Image
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
"""
WRITERS = """
noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8))
suffixes = ("jpg", "png", "webp", "bmp", "tif", "gif", "ppm")
writers = {f"a.{suffix}": lambda p: files.write_image(p, noise) for suffix in suffixes}
writers["a.json"] = lambda p: files.write_json(p, list(range(5000)))
writers["a.txt"] = lambda p: files.write_text(p, "x" * 9000)
writers["a.bin"] = lambda p: files.write_bytes(p, bytes(9000))
for name, write in writers.items():
    try:
        write(name)
        print(name, "was written")
    except OSError as error:
        print(error)
print(os.listdir("."))
"""
VIDEO = """
from keras_cornernet.inference.video import video_writer
rng = np.random.default_rng(0)
try:
    with video_writer("a.mp4", 10) as write:
        for _ in range(10):
            write(Image.fromarray(rng.integers(0, 255, (96, 128, 3), np.uint8)))
    print("was written")
except OSError as error:
    print(error)
print(os.listdir("."))
"""


def run(program: str, folder: Path) -> list[str]:
    """The lines that a program prints in a process with a limit on the size of files."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENCV_LOG_LEVEL": "SILENT"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED + program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_does_not_fit_is_an_error_and_no_file(tmp_path):
    *errors, left = run(WRITERS, tmp_path)
    assert len(errors) == 10 and left == "[]"
    assert all("not written: 'a." in error for error in errors), errors


def test_a_video_that_does_not_fit_is_an_error_and_no_file(tmp_path):
    pytest.importorskip("cv2")
    error, left = run(VIDEO, tmp_path)[-2:]
    assert error.startswith("a.mp4: OpenCV") and left == "[]"
