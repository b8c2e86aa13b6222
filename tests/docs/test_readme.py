"""The Python blocks of README.md run, one after the other, on small drawn data.

To be quick, the presets get narrow networks with small inputs, training lasts one epoch, and a tiny untrained
detector replaces the trained one.
"""

import re
from dataclasses import replace
from pathlib import Path

import exportable
import keras
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from keras_cornernet import presets
from keras_cornernet.data.scenes import draw_scene, make_scenes
from keras_cornernet.structures import Categories

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
SIZES = {"cornernet_small": (32, 48), "hourglass_phone": (32, 32)}
NARROW = {
    "cornernet_small": {**exportable.SIZES, **exportable.HEADS},
    "hourglass_phone": {**exportable.SIZES, "stem": (4, 4), "stem_kernel_size": 3},
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="data is read through tf.data"),
]


def write_data(folder: Path) -> None:
    """The files that README names: COCO data in `train` and `val`, LSP data in `train`, and a photo."""
    for part in ("train", "val"):
        make_scenes(folder, 2, seed=1, size=(48, 64)).rename(folder / f"{part}.json")
        (folder / "images").rename(folder / part)
    Image.fromarray(draw_scene(3, (48, 64))[0]).save(folder / "photo.jpg")
    (folder / "train" / "images").mkdir()
    for number in (1, 2):
        Image.fromarray(draw_scene(number, (48, 64))[0]).save(
            folder / "train" / "images" / f"im{number:05}.jpg"
        )
    joints = np.random.default_rng(0).uniform(10, 40, (14, 3, 2))
    joints[:, 2] = 1  # annotated
    savemat(folder / "train" / "joints.mat", {"joints": joints})


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Changes into a folder with the data, and makes the presets small."""
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, size in SIZES.items():
        preset = presets.PRESETS[name]
        settings = replace(preset.settings, input_size=size)
        small = replace(preset, arguments=NARROW[name], input_size=size, settings=settings)
        monkeypatch.setitem(presets.PRESETS, name, small)
    trained = exportable.detector()
    trained.categories = Categories(("person", "dog"), (1, 2))
    trained.save(tmp_path / "trained.keras")
    monkeypatch.setattr("keras_cornernet.presets.loading.weights_path", lambda _: tmp_path / "trained.keras")
    return tmp_path


def test_python_blocks_run(prepared):
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(re.sub(r"epochs=\d+", "epochs=1", block), names)
    assert len(BLOCKS) == 2
    assert {"photo_found.jpg", "photo_posed.jpg", "mine.keras"} <= {path.name for path in prepared.iterdir()}
