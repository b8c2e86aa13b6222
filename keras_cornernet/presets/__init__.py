"""Presets: the one place that binds network, codec, loss, sizes and augmentation."""

from keras_cornernet.presets.catalog import PRESETS, preset_named
from keras_cornernet.presets.families import FAMILIES, Family, family_of
from keras_cornernet.presets.folders import save_to_preset
from keras_cornernet.presets.loading import (
    build_model,
    from_preset,
    load_network,
    network_type,
    provenance_of,
    save_model,
    weights_file,
)
from keras_cornernet.presets.preset import Preset, Published
from keras_cornernet.presets.starting import start_from
from keras_cornernet.presets.training import (
    augmentation_named,
    default_augmentation,
    default_input_size,
    make_trainer,
    preset_of,
    training_config,
)
from keras_cornernet.presets.weights import find_weights, weights_path

__all__ = [
    "FAMILIES",
    "PRESETS",
    "Family",
    "Preset",
    "Published",
    "augmentation_named",
    "build_model",
    "default_augmentation",
    "default_input_size",
    "family_of",
    "find_weights",
    "from_preset",
    "load_network",
    "make_trainer",
    "network_type",
    "preset_named",
    "preset_of",
    "provenance_of",
    "save_model",
    "save_to_preset",
    "start_from",
    "training_config",
    "weights_file",
    "weights_path",
]
