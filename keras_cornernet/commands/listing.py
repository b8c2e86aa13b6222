"""What presets there are."""

import io
import math
import zipfile
from pathlib import Path
from typing import NamedTuple

import h5py

from keras_cornernet.models import CornerNet
from keras_cornernet.models.network import Network
from keras_cornernet.presets import PRESETS, PRETRAINED, PosePreset, Preset

CLASSES = 80  # of networks without weights, as COCO has
# Of networks too large to build them for the count.
PARAMETERS = {
    "cornernet_hourglass104": 201_035_212,
    "cornernet_hourglass52": 100_330_278,
    "hourglass_1stack": 3_426_448,
    "hourglass_2stack": 6_570_400,
    "hourglass_4stack": 12_858_304,
    "hourglass_8stack": 25_434_112,
    "hourglass_legacy2": 26_353_824,
}


class Listed(NamedTuple):
    """One preset; the fields are plain, fit for json.

    Attributes:
        name: of the preset.
        input_size: `[height, width]` in training.
        parameters: trainable ones; of presets without weights for 80 classes.
        weights: whether trained weights ship with the package.
        summary: one line.
    """

    name: str
    input_size: list[int]
    parameters: int | None
    weights: bool
    summary: str


def models() -> list[Listed]:
    """The presets and what is known of them."""
    rows = []
    for name, preset in PRESETS.items():
        path = PRETRAINED / preset.weights if preset.weights else None
        ships = path is not None and path.is_file()
        if ships:
            parameters = parameters_in(path)
        elif path is None:
            parameters = PARAMETERS.get(name) or _trainable(_built(preset))
        else:
            parameters = None
        rows.append(Listed(name, list(preset.input_size), parameters, ships, preset.summary))
    return rows


def _built(preset: Preset | PosePreset) -> Network:
    if isinstance(preset, PosePreset):
        return preset.network(len(preset.skeleton.joints), **preset.arguments)
    return CornerNet(CLASSES, **preset.arguments)


def _trainable(network: Network) -> int:
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


def parameters_in(path: str | Path) -> int:
    """The number of trainable parameters in a `.keras` file, without building the network."""
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    total = 0

    def add(_, group):
        nonlocal total
        if isinstance(group, h5py.Group):
            arrays = [group[key] for key in sorted(group) if isinstance(group[key], h5py.Dataset)]
            # The only layers with four arrays are batch normalizations: two of them are statistics.
            total += sum(array.size for array in (arrays[:2] if len(arrays) == 4 else arrays))

    with h5py.File(weights) as file:
        file.visititems(add)
    return total
