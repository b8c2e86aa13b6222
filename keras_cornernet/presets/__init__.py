"""Presets: the one place that binds network, codec, loss, sizes and recipe."""

from keras_cornernet.presets.catalog import PRESETS, preset_named
from keras_cornernet.presets.models import (
    default_augmentation,
    from_preset,
    is_pose,
    load_network,
    make_trainer,
    preset_of,
    save_model,
)
from keras_cornernet.presets.preset import PosePreset, Preset, Published
from keras_cornernet.presets.weights import find_weights, weights_path

__all__ = [
    "PRESETS",
    "PosePreset",
    "Preset",
    "Published",
    "default_augmentation",
    "find_weights",
    "from_preset",
    "is_pose",
    "load_network",
    "make_trainer",
    "preset_named",
    "preset_of",
    "save_model",
    "weights_path",
]
