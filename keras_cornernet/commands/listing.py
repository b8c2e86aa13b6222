"""What presets there are."""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import h5py

from keras_cornernet.presets import PRESETS, PosePreset, Preset, find_weights


class Size(NamedTuple):
    """Trainable parameters, and 1e9 multiply-adds of one image of the preset's input size."""

    parameters: int
    gmac: float


# Of networks as they are without weights: detectors for COCO's 80 classes, pose for the preset's joints. Kept
# here because building all of them takes a minute; `models.cost.multiply_adds` counts the second column.
SIZES = {
    "cornernet_hourglass104": Size(201_035_212, 343.2),
    "cornernet_hourglass52": Size(100_330_278, 223.6),
    "cornernet_saccade": Size(116_969_339, 96.06),
    "cornernet_squeeze": Size(31_771_852, 51.23),
    "centernet_hourglass52": Size(104_844_152, 297.4),
    "centernet_hourglass104": Size(210_062_960, 417.1),
    "objects_as_points_hourglass104": Size(191_284_008, 263.4),
    "cornernet_small": Size(2_796_216, 1.478),
    "cornernet_squeeze_small": Size(924_936, 1.033),
    "centernet_small": Size(3_017_482, 1.971),
    "objects_as_points_small": Size(2_741_124, 1.357),
    "cornernet_bccd": Size(2_796_216, 2.027),
    "cornernet_squeeze_bccd": Size(924_936, 0.5903),
    "cornernet_people": Size(2_796_216, 0.8445),
    "hourglass_1stack": Size(3_426_448, 5.15),
    "hourglass_2stack": Size(6_570_400, 8.335),
    "hourglass_4stack": Size(12_858_304, 14.7),
    "hourglass_8stack": Size(25_434_112, 27.44),
    "hourglass_legacy2": Size(26_353_824, 26.2),
    "hourglass_phone": Size(1_680_412, 0.2453),
    "hourglass_lspet": Size(1_680_412, 0.2453),
    "hourglass_people": Size(1_680_412, 0.2453),
}


class PresetInfo(NamedTuple):
    """One preset; the fields are plain, fit for json.

    Attributes:
        name: of the preset.
        input_size: `[height, width]` in training.
        parameters: trainable ones, of the weights that ship; else of a detector for 80 classes.
        gmac: 1e9 multiply-adds of one image of that size, heads of the last stack only.
        weights: whether `keras_cornernet_weights` holds trained weights.
        published_ap: what the paper reports, in percent; not measured here.
        source: on which images, and where it is written.
        checkpoint: the authors' file that `convert` turns into this network.
        summary: one line.
    """

    name: str
    input_size: list[int]
    parameters: int | None
    gmac: float | None
    weights: bool
    published_ap: float | None
    source: str | None
    checkpoint: str | None
    summary: str


def models() -> list[PresetInfo]:
    """The presets and what is known of them; no network is built."""
    return [_listed(name, preset) for name, preset in PRESETS.items()]


def _listed(name: str, preset: Preset | PosePreset) -> PresetInfo:
    path = find_weights(preset.weights) if preset.weights else None
    size = SIZES.get(name)
    published = getattr(preset, "published", None)
    return PresetInfo(
        name,
        list(preset.input_size),
        parameters_in(path) if path else size and size.parameters,
        size and size.gmac,
        preset.weights is not None,
        published and published.ap,
        published and published.source,
        published and published.checkpoint,
        preset.summary,
    )


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
