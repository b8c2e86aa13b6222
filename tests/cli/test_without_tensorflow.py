"""On JAX everything but exporting works where TensorFlow is not installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_cornernet.data.scenes import make_scenes

ROOT = Path(__file__).parents[2]

BLOCK = """
import importlib.abc, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""

DETECTOR = """
from keras_cornernet import presets
from keras_cornernet.codecs import CenterCodec
from keras_cornernet.inference import Detector
from keras_cornernet.inference.config import InferenceConfig
from keras_cornernet.models import ObjectsAsPoints
from keras_cornernet.structures import Categories

network = ObjectsAsPoints(1, stacks=1, channels=(8, 8), num_blocks=(1, 1), stem=(4, 8), head_channels=8)
settings = InferenceConfig(input_size=(64, 64), flip=False)
presets.save_model(Detector(network, CenterCodec(1), Categories(("person",), (1,)), settings), FILE)
"""

POSE = """
from keras_cornernet import presets
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import StackedHourglass
from keras_cornernet.skeletons import LSP

network = StackedHourglass(14, stacks=1, channels=(8, 8), num_blocks=(1, 1), stem=(4, 4), stem_kernel_size=3)
settings = PoseInferenceConfig(input_size=(32, 32), flip=False)
presets.save_model(PoseEstimator(network, KeypointCodec(), LSP, settings), FILE)
"""

COMMANDS = """
from keras_cornernet.cli.app import app

DATA = ["--annotations", SCENES + "/annotations.json", "--images", SCENES + "/images"]
IMAGE = SCENES + "/images/000000.jpg"
RUN = OUTPUT + "/" + PIPELINE
TRAINED = RUN + "/best.keras"
MORE = [*DATA, "--val-annotations", DATA[1], "--pipeline", PIPELINE, "--batch-size", "2", "--output", RUN]
for arguments in (
    ["train", FILE, *MORE, "--epochs", "2"],
    ["train", FILE, *MORE, "--epochs", "3", "--resume"],
    ["evaluate", TRAINED, *DATA],
    ["predict", TRAINED, IMAGE, "--output", RUN + "/found"],
):
    app(arguments, standalone_mode=False)
assert "tensorflow" not in sys.modules
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", ["host", "device"])
@pytest.mark.parametrize("make", [DETECTOR, POSE], ids=["boxes", "joints"])
def test_training_evaluation_and_prediction(make, pipeline, tmp_path):
    scenes = make_scenes(tmp_path / "scenes", 5, seed=3, size=(64, 96)).parent
    names = {
        "FILE": str(tmp_path / "tiny.keras"),
        "SCENES": str(scenes),
        "OUTPUT": str(tmp_path),
        "PIPELINE": pipeline,
    }
    program = "\n".join([BLOCK, *(f"{name} = {value!r}" for name, value in names.items()), make, COMMANDS])
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("done\n")
    rows = (tmp_path / pipeline / "results.csv").read_text().splitlines()
    assert len(rows) == 4  # a heading and three epochs
