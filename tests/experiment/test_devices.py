"""Training on several devices: as on one, and resumed as if nothing had happened."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_cornernet.backend import device_names
from keras_cornernet.devices import several_devices
from keras_cornernet.training import TrainingConfig

SCRIPT = Path(__file__).parent / "device_runs.py"


def run(folder, *names, exit_code=0):
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, *names],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": keras.backend.backend()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) if exit_code == 0 else None


@pytest.mark.slow
def test_two_devices_train_as_one_and_resume_bitwise(tmp_path):
    trained = run(tmp_path, "one", "two")
    # On TensorFlow sums are rounded otherwise, and Adam divides gradients by their size, so that the rounding
    # of the smallest grows from step to step; `tests/training/test_trainer.py` compares single steps.
    is_jax = keras.backend.backend() == "jax"
    one, two = trained["one"]["losses"], trained["two"]["losses"]
    assert two[0] == pytest.approx(one[0], rel=1e-5)
    assert two == pytest.approx(one, rel=1e-5 if is_jax else 5e-3)
    assert trained["two"]["difference"] < (1e-5 if is_jax else 5e-3)
    run(tmp_path, "stopped", exit_code=9)
    resumed = run(tmp_path, "resumed")
    assert resumed["resumed"] == {"losses": trained["two"]["losses"], "difference": 0.0}


def test_more_devices_than_there_are():
    count = len(device_names())
    with (
        pytest.raises(ValueError, match=f"devices: {count + 1} were asked for, and there are {count}"),
        several_devices(count + 1, 64),
    ):
        pass


def test_one_device_or_all_of_one_change_nothing():
    for count in (1, "all"):
        with several_devices(count, 1):
            assert keras.distribution.distribution() is None


@pytest.mark.parametrize("devices", [0, -1, 1.5, "two", None])
def test_wrong_numbers_of_devices(devices):
    with pytest.raises(ValueError, match="devices must be"):
        TrainingConfig(devices=devices)


def test_images_on_one_device_are_of_no_use_to_several():
    with pytest.raises(ValueError, match="pipeline='device' keeps all images on one device"):
        TrainingConfig(devices=2, pipeline="device")
