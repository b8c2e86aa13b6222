"""The numbers of a run, and the optimizer that they describe."""

import math
from dataclasses import dataclass, replace
from functools import partial

import keras

from keras_cornernet.presets import PRESETS
from keras_cornernet.training.optimizers import TorchRMSprop

# Torch's epsilon, which the authors trained with; Keras' own is ten times that.
OPTIMIZERS = {"adam": partial(keras.optimizers.Adam, epsilon=1e-8), "rmsprop": TorchRMSprop}


@dataclass(frozen=True)
class TrainingConfig:
    """The numbers of a run.

    Attributes:
        epochs, batch_size: as usual.
        steps: of the whole run, in place of `epochs`; the last epoch is finished. None: `epochs` count.
        optimizer: `"adam"` with Torch's epsilon of 1e-8, or `"rmsprop"` as Torch has it.
        learning_rate: at its highest, after the warm-up; it falls to a hundredth along a cosine.
        lr_decay_at: share of the run after which the learning rate is divided, once, by `lr_decay_factor`,
            instead of the cosine; there is no warm-up then. None: the cosine.
        lr_decay_factor: see `lr_decay_at`.
        warmup: share of the run in which the learning rate rises linearly.
        clip_norm: largest norm of a gradient step; None leaves it as long as it is.
        ema: momentum of the average of weights that is evaluated and saved; 0 for none. None lets the
            average span about a twentieth of the run.
        evaluate_every: epochs between evaluations on the validation set (the last is always evaluated).
        input_size: `(height, width)` to train and to test at instead of the preset's.
        rotations: the subjects have no up: they are shown turned any way, too.
        seed: of weights, order and augmentation.
    """

    epochs: int = 100
    steps: int | None = None
    batch_size: int = 8
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    lr_decay_at: float | None = None
    lr_decay_factor: float = 10.0
    warmup: float = 0.04
    clip_norm: float | None = 5.0
    ema: float | None = None
    evaluate_every: int = 5
    input_size: tuple[int, int] | None = None
    rotations: bool = False
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "steps", "batch_size", "evaluate_every"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.lr_decay_at is not None and not 0 < self.lr_decay_at < 1:
            raise ValueError(f"lr_decay_at must be None or between 0 and 1, not {self.lr_decay_at}")
        if not self.lr_decay_factor >= 1:
            raise ValueError(f"lr_decay_factor must be at least 1, not {self.lr_decay_factor}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be at least 0 and below 1, not {self.warmup}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {tuple(OPTIMIZERS)}, not {self.optimizer!r}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")

    def in_epochs(self, steps_per_epoch: int) -> "TrainingConfig":
        """The same config with `epochs` instead of `steps`."""
        if self.steps is None:
            return self
        return replace(self, epochs=math.ceil(self.steps / steps_per_epoch), steps=None)


def training_config(preset: str, **changes) -> TrainingConfig:
    """The config of a preset's paper, or the package's own where it has none, with some fields changed.

    Args:
        preset: a name; for the path of a file to go on from, the package's config.
        changes: fields of `TrainingConfig`. `epochs` take the place of the paper's `steps`.
    """
    known = dict(getattr(PRESETS.get(str(preset)), "training", {}))
    if "epochs" in changes:
        known.pop("steps", None)
    return TrainingConfig(**{**known, **changes})


def make_optimizer(config: TrainingConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The config's optimizer with its learning rates, clipping and averaged weights."""
    total = config.in_epochs(steps_per_epoch).epochs * steps_per_epoch
    ema = max(0.0, 1 - 20 / total) if config.ema is None else config.ema
    return OPTIMIZERS[config.optimizer](
        _learning_rates(config, total),
        global_clipnorm=config.clip_norm,
        use_ema=ema > 0,
        ema_momentum=ema,
        ema_overwrite_frequency=None,
    )


def _learning_rates(config: TrainingConfig, total: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Of a run of `total` steps."""
    if config.lr_decay_at is not None:
        rates = [config.learning_rate, config.learning_rate / config.lr_decay_factor]
        return keras.optimizers.schedules.PiecewiseConstantDecay([round(config.lr_decay_at * total)], rates)
    warm = math.ceil(config.warmup * total)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=config.learning_rate / 100,
        decay_steps=max(1, total - warm),
        alpha=0.01,
        warmup_target=config.learning_rate,
        warmup_steps=warm,
    )
