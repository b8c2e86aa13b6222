"""Trains in child processes that are killed, and resumes until the run is complete. Used by test_kills.py.

Usage: killed_runs.py FOLDER whole|places|SEED, which prints the exit codes of the killed ones. The libraries
are imported once: each run is a fork of this process, which never computes anything itself.
"""

import os
import random
import signal
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.experiment import train
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.inference.model import Model
from keras_cornernet.models import CornerNet
from keras_cornernet.presets import save_model
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample
from keras_cornernet.training import TrainingConfig

EPOCHS = 10
KILLS = 20
LONGEST = 1.5  # seconds from the beginning of the training to the kill
SIZE = (32, 32)
CATEGORIES = Categories(("square",), (1,))
CONFIG = TrainingConfig(epochs=EPOCHS, batch_size=2, evaluate_every=2, input_size=SIZE, pipeline="host")


def squares(folder: Path) -> DetectionDataset:
    """Four images of a bright square each."""
    samples = []
    for i in range(4):
        image = np.full((*SIZE, 3), 30, np.uint8)
        image[4 + i : 20 + i, 8 - i : 24 - i] = 220
        path = folder / f"{i}.png"
        Image.fromarray(image).save(path)
        box = np.array([[8 - i, 4 + i, 24 - i, 20 + i]], np.float32)
        samples.append(Sample(str(path), i, SIZE, Boxes(box, np.zeros(1, np.int32), np.zeros(1, bool))))
    return DetectionDataset(tuple(samples), CATEGORIES)


def start(folder: Path) -> Path:
    """The file of a small detector."""
    keras.utils.set_random_seed(0)
    tiny = {"pool_channels": 4, "head_channels": 4, "head_kernel_size": 1}
    network = CornerNet(1, stacks=1, channels=(4, 4), num_blocks=(1, 1), stem=(4, 4), **tiny)
    settings = InferenceConfig(input_size=SIZE, flip=False)
    codec = CornerCodec(1, top_k=4, num_detections=4)
    return save_model(Detector(network, codec, CATEGORIES, settings), folder / "start.keras")


def forked(function) -> int:
    """Runs a function in a child process; returns the child's id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        function()
        code = 0
    except BaseException as error:
        print("child:", repr(error), file=sys.stderr, flush=True)
    os._exit(code)


def status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(folder: Path) -> None:
    """Begins or resumes the run in a folder."""
    if keras.backend.backend() == "tensorflow":  # tracing takes longer than these few steps
        compiled = Model.compile
        Model.compile = lambda model, optimizer: compiled(model, optimizer, run_eagerly=True)
    dataset = squares(folder.parent)
    train(str(folder.parent / "start.keras"), dataset, dataset, folder, CONFIG, resume=True, verbose=0)


def kill_at(place: str, epoch: int) -> None:
    """Makes this process end at one place of the backup after so many epochs."""
    counts: dict[str, int] = {}

    def at(owner, name, here, *, after=False):
        real = getattr(owner, name)

        def wrapped(*arguments, **options):
            if not here(*arguments, **options):
                return real(*arguments, **options)
            done = real(*arguments, **options) if after else None
            counts[name] = counts.get(name, 0) + 1
            if counts[name] == epoch:
                os.kill(os.getpid(), signal.SIGKILL)
            return done if after else real(*arguments, **options)

        setattr(owner, name, wrapped)

    latest = "latest.zip"
    if place == "folder made":
        at(tempfile, "mkdtemp", lambda *_, prefix=None, **__: latest in str(prefix), after=True)
    if place == "half written":
        at(zipfile.ZipFile, "writestr", lambda _, info, __: "variables/9" in str(info), after=True)
    if place == "before it is on the disk":
        at(zipfile.ZipFile, "close", lambda archive: archive.mode == "w" and latest in str(archive.filename))
    if place == "before the old one moves":
        at(os, "replace", lambda source, target: "previous.zip" in str(target))
    if place == "between the names":
        at(os, "replace", lambda source, target: "previous.zip" in str(target), after=True)
    if place == "new one in place":
        at(os, "replace", lambda source, target: latest in str(target), after=True)


PLACES = (
    "folder made",
    "half written",
    "before it is on the disk",
    "before the old one moves",
    "between the names",
    "new one in place",
)


def killed_at_places(folder: Path) -> list[int]:
    """Kills the run at each place, one epoch later each time; returns the exit codes."""
    codes = []
    for place in PLACES:

        def child(place=place):
            kill_at(place, 3)
            run(folder)

        codes.append(status(forked(child)))
    return codes


def killed_at_random(folder: Path, seed: int) -> list[int]:
    """Kills the run at random moments from the beginning of its training on; returns the exit codes."""
    rng, codes = random.Random(seed), []
    for _ in range(KILLS):
        marker = folder.parent / "began"
        marker.unlink(missing_ok=True)

        def child(marker=marker):
            begin = keras.Model.fit

            def fit(*arguments, **options):
                marker.touch()
                return begin(*arguments, **options)

            keras.Model.fit = fit
            run(folder)

        process = forked(child)
        while not marker.exists() and os.waitpid(process, os.WNOHANG) == (0, 0):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, LONGEST))
        os.kill(process, signal.SIGKILL)
        codes.append(status(process))
    return codes


def main() -> None:
    folder, mode = Path(sys.argv[1]), sys.argv[2]
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not (folder.parent / "start.keras").exists():
        assert status(forked(lambda: start(folder.parent))) == 0
    if mode == "places":
        print(*killed_at_places(folder))
    elif mode != "whole":
        print(*killed_at_random(folder, int(mode)))
    sys.exit(status(forked(lambda: run(folder))))


if __name__ == "__main__":
    main()
