"""The published networks at full size: `python benchmarks/full_size.py [NAME ...]`.

Writes, for each network in turn, a checkpoint as the authors' code writes it, with random weights, converts
it with `keras-cornernet convert` and runs `keras-cornernet predict` on one drawn scene, each in a process
of its own. Prints the seconds and the peak memory of each process, which include the start of Python and
TensorFlow. Needs the extra `torch` and temporarily 2 GB of disk. Random heads find arbitrary boxes:
CornerNet-Saccade may process all of its thirty crops, the worst case.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

REPOSITORIES = {
    "cornernet_hourglass104": "princeton-vl/CornerNet",
    "cornernet_hourglass52": "princeton-vl/CornerNet",
    "cornernet_saccade": "princeton-vl/CornerNet-Lite (Saccade)",
    "cornernet_squeeze": "princeton-vl/CornerNet-Lite (Squeeze)",
    "centernet_hourglass52": "Duankaiwen/CenterNet",
    "centernet_hourglass104": "Duankaiwen/CenterNet",
    "hourglass_8stack": "princeton-vl/pytorch_stacked_hourglass",
}

WRITE = """
import sys, torch
from keras_cornernet import conversion, presets
network = presets.from_preset(sys.argv[1]).network
state = conversion.to_torch_state_dict(network, sys.argv[2])
torch.save({f"module.{name}": torch.from_numpy(array.copy()) for name, array in state.items()}, sys.argv[3])
"""


class Cost(NamedTuple):
    """What one process took: seconds by the clock, and the peak of its memory in MB."""

    seconds: float
    megabytes: float


def run(*command: str) -> Cost:
    """Runs one process; if it fails, prints its output and exits."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, *command], stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)}\n{output.read()}")
    return Cost(seconds, used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))


def measure(name: str, folder: Path, scene: Path) -> tuple[Cost, Cost]:
    """The costs of conversion and prediction of one network."""
    theirs, ours = folder / "theirs.pkl", folder / f"{name}.keras"
    run("-c", WRITE, name, REPOSITORIES[name], str(theirs))
    program = ("-m", "keras_cornernet")
    converted = run(*program, "convert", str(theirs), "--output", str(ours))
    theirs.unlink()
    predicted = run(*program, "predict", str(ours), str(scene), "--output", str(folder / name))
    ours.unlink()
    return converted, predicted


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of " + ", ".join(REPOSITORIES))
    options = parser.parse_args()
    names = options.names or list(REPOSITORIES)
    if unknown := set(names) - set(REPOSITORIES):
        parser.error(f"NAME must be one of {', '.join(REPOSITORIES)}, not {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("-m", "keras_cornernet", "make-data", "--count", "1", "--output", str(folder / "scenes"))
        (scene,) = (folder / "scenes" / "images").iterdir()
        print(f"{'':24s}{'convert s':>10s}{'MB':>8s}{'predict s':>12s}{'MB':>8s}")
        for name in names:
            converted, predicted = measure(name, folder, scene)
            print(
                f"{name:24s}{converted.seconds:10.1f}{converted.megabytes:8.0f}"
                f"{predicted.seconds:12.1f}{predicted.megabytes:8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
