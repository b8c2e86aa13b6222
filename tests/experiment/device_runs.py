"""Trains on one and on two virtual devices, stops and resumes. Used by test_devices.py.

Usage: device_runs.py FOLDER RUN.., with RUN one of one, two, stopped, resumed. Prints a json object: for each
run the losses of its epochs, and of `two` and `resumed` the largest difference of a weight from that of
`one` and `two`. TensorFlow has one `MirroredStrategy` a process.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import keras
import numpy as np

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

import killed_runs

from keras_cornernet.experiment import train
from keras_cornernet.inference.model import Model
from keras_cornernet.presets import from_preset

ONE = replace(killed_runs.CONFIG, epochs=3, batch_size=4, learning_rate=1e-4, evaluate_every=3)
TWO = replace(ONE, devices=2)


class Stop(keras.callbacks.Callback):
    """Ends the process in the second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            os._exit(9)


def run(name, folder):
    """One run; returns the losses and the weights."""
    dataset = killed_runs.squares(folder)
    output = folder / ("stopped" if name == "resumed" else name)
    if name == "stopped":
        fit = Model.fit
        Model.fit = lambda self, *a, callbacks, **k: fit(self, *a, callbacks=[*callbacks, Stop()], **k)
    config = ONE if name == "one" else TWO
    start = folder / "start.keras"
    done = train(str(start), dataset, dataset, output, config, resume=name == "resumed", verbose=0)
    network = from_preset(output / "last.keras").network
    return [row["loss"] for row in done.table.rows], network.get_weights()


def main():
    folder, names, answer = Path(sys.argv[1]), sys.argv[2:], {}
    if not (folder / "start.keras").exists():
        killed_runs.start(folder)
    for name in names:
        losses, weights = run(name, folder)
        answer[name] = {"losses": losses}
        before = {"two": "one", "resumed": "two"}.get(name)
        if before is not None:
            others = from_preset(folder / before / "last.keras").network.get_weights()
            pairs = zip(weights, others, strict=True)
            answer[name]["difference"] = max(float(np.abs(a - b).max()) for a, b in pairs)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
