"""Presets: the one place that binds network, codec, loss, sizes and recipe."""

from keras_cornernet.presets.catalog import PRESETS, preset_named
from keras_cornernet.presets.models import (
    PRETRAINED,
    from_preset,
    is_pose,
    load_network,
    preset_of,
    recipe_of,
    save_model,
    trainer_of,
)
from keras_cornernet.presets.preset import PosePreset, Preset, Published

__all__ = [
    "PRESETS",
    "PRETRAINED",
    "PosePreset",
    "Preset",
    "Published",
    "from_preset",
    "is_pose",
    "load_network",
    "preset_named",
    "preset_of",
    "recipe_of",
    "save_model",
    "trainer_of",
]
