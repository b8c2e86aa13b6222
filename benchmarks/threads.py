"""Exported files asked by several threads: `python benchmarks/threads.py [MODEL] [--threads N]`.

Divides the images per second that a file answers to N threads as it is, by those behind a lock, where each
call waits for the one before; and the same for one thread, whom nothing must cost. Checks that all answers
are those of one thread. As TFLite and OpenVINO where these are installed. Free processor cores are needed to
see a difference.
"""

import argparse
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tensorflow_side import tf  # noqa: F401
from timing import Spread, interleave, ratio

from keras_cornernet.export import to_openvino, to_tflite
from keras_cornernet.export.runtimes import open_runtime
from keras_cornernet.presets import from_preset

FORMS = {"TFLite": (to_tflite, ".tflite"), "OpenVINO": (to_openvino, ".xml")}
Run = Callable[[np.ndarray], dict[str, np.ndarray]]


def behind_a_lock(run: Run) -> Run:
    """`run`, one call at a time."""
    lock = threading.Lock()

    def locked(images: np.ndarray) -> dict[str, np.ndarray]:
        with lock:
            return run(images)

    return locked


def measure(run: Run, images: list[np.ndarray], threads: int, rounds: int) -> Spread:
    """How many times as fast as behind the lock the images are answered."""
    expected = [run(image) for image in images]

    def all_of(run: Run) -> None:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(run, images))
        for answers, others in zip(found, expected, strict=True):
            for name, values in answers.items():
                np.testing.assert_array_equal(values, others[name])

    sides = {"lock": behind_a_lock(run), "pool": run}
    results = interleave({name: lambda side=side: all_of(side) for name, side in sides.items()}, rounds)
    return ratio(results, "lock", "pool")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", default="hourglass_people", metavar="MODEL")
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    model, rng = from_preset(options.model), np.random.default_rng(0)
    print("| form | threads | times as fast as behind a lock | quartiles | min | max |\n|---|" + "---:|" * 5)
    with tempfile.TemporaryDirectory() as folder:
        for form, (write, suffix) in FORMS.items():
            try:
                runtime = open_runtime(write(model, Path(folder) / f"model{suffix}").path)
            except ImportError as error:
                print(f"| {form} | {error} |")
                continue
            size = runtime.description.image_size
            images = [rng.integers(0, 256, (1, *size, 3), dtype=np.uint8) for _ in range(16)]
            for threads in (1, options.threads):
                spread = measure(runtime.run, images, threads, options.rounds)
                lower, upper = spread.quartiles
                numbers = f"{spread.median:.2f} | {lower:.2f} .. {upper:.2f} | {spread.low:.2f}"
                print(f"| {form} | {threads} | {numbers} | {spread.high:.2f} |", flush=True)


if __name__ == "__main__":
    main()
