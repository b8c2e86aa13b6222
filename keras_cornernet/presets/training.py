"""How a model is trained: the trainer, the augmentation and the settings that go with it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_cornernet.inference.model import Model
from keras_cornernet.presets.catalog import PRESETS
from keras_cornernet.presets.families import Augmentation, Loss, family_of
from keras_cornernet.presets.metadata import write_metadata
from keras_cornernet.presets.preset import Preset
from keras_cornernet.training import Trainer
from keras_cornernet.training.config import TrainingConfig


def make_trainer(model: Model, loss: Loss | None = None) -> Trainer:
    """The Keras model whose `compile` and `fit` train this model's network in place.

    Its `save`, and so `keras.callbacks.ModelCheckpoint`, writes what `save_model` writes: the network, with
    the model's codec, settings and labels as they are now in its `metadata`.

    Args:
        model: what `from_preset` returned.
        loss: by default that of the preset that the model started from, else its paper's.

    Example:
        >>> detector = keras_cornernet.from_preset("cornernet_small", categories=["cat", "dog"])
        >>> trainer = keras_cornernet.make_trainer(detector)
        >>> trainer.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0))
    """
    preset, family = preset_of(model), family_of(type(model.network))
    if loss is None:
        loss = preset.loss if preset else family.loss
    model.network.metadata = write_metadata(model)
    return Trainer(model.network, model.codec, loss, family.metric)


def default_augmentation(model: Model) -> Augmentation:
    """The augmentation of the preset that a model started from, else its paper's."""
    preset = preset_of(model)
    return preset.augmentation if preset else family_of(type(model.network)).augmentation


def augmentation_named(model: Model, name: str) -> Augmentation:
    """`"default"` (see `default_augmentation`), or one of `model.augmentations`.

    Raises:
        ValueError: there is none of that name.
    """
    if name == "default":
        return default_augmentation(model)
    if name not in model.augmentations:
        names = ", ".join(repr(known) for known in ("default", *model.augmentations))
        raise ValueError(f"augmentation must be one of {names}, or in Python an object or None, not {name!r}")
    named: Augmentation = model.augmentations[name]
    return named


def default_input_size(model: Model) -> tuple[int, int]:
    """The `(height, width)` at which a model is trained unless another is asked for."""
    preset = preset_of(model)
    size: tuple[int, int] | None = model.settings.input_size or (preset.input_size if preset else None)
    return size or (511, 511)


def preset_of(model: Model) -> Preset | None:
    """The preset that a model started from, if its file names one that exists."""
    return PRESETS.get(str((model.network.metadata or {}).get("preset")))


def training_config(preset: str | Path, **changes: Any) -> TrainingConfig:
    """The training settings of a preset with some fields changed.

    Args:
        preset: a name; the path of a file takes the package's defaults.
        changes: fields of `TrainingConfig`; `epochs` replaces the paper's `steps`.
    """
    known = PRESETS[str(preset)].training if str(preset) in PRESETS else TrainingConfig()
    if "epochs" in changes:
        changes = {"steps": None, **changes}
    return replace(known, **changes)
