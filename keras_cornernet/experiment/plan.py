"""The numbers of a run, and the optimizer that they describe."""

import math
from dataclasses import dataclass

import keras

from keras_cornernet.training.optimizers import TorchRMSprop

OPTIMIZERS = ("adam", "rmsprop")


@dataclass(frozen=True)
class TrainingPlan:
    """The numbers of a run.

    Attributes:
        epochs, batch_size: as usual.
        optimizer: `"adam"`, or `"rmsprop"` as Torch has it.
        learning_rate: at its highest, after the warm-up; it falls to a hundredth along a cosine.
        warmup: share of the run in which the learning rate rises linearly.
        clip_norm: largest norm of a gradient step.
        ema: momentum of the average of weights that is evaluated and saved; 0 for none. None lets the
            average span about a twentieth of the run.
        evaluate_every: epochs between evaluations on the validation set (the last is always evaluated).
        input_size: `(height, width)` to train and to test at instead of the preset's.
        turns: the subjects have no up: they are shown turned any way, too.
        seed: of weights, order and augmentation.
    """

    epochs: int = 100
    batch_size: int = 8
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    warmup: float = 0.04
    clip_norm: float = 5.0
    ema: float | None = None
    evaluate_every: int = 5
    input_size: tuple[int, int] | None = None
    turns: bool = False
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size", "evaluate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be at least 0 and below 1, not {self.warmup}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {OPTIMIZERS}, not {self.optimizer!r}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")


def make_optimizer(plan: TrainingPlan, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The plan's optimizer with warm-up, cosine decay, clipping and averaged weights."""
    total = plan.epochs * steps_per_epoch
    warm = math.ceil(plan.warmup * total)
    ema = max(0.0, 1 - 20 / total) if plan.ema is None else plan.ema
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=plan.learning_rate / 100,
        decay_steps=max(1, total - warm),
        alpha=0.01,
        warmup_target=plan.learning_rate,
        warmup_steps=warm,
    )
    optimizer = {"adam": keras.optimizers.Adam, "rmsprop": TorchRMSprop}[plan.optimizer]
    return optimizer(
        schedule,
        global_clipnorm=plan.clip_norm,
        use_ema=ema > 0,
        ema_momentum=ema,
        ema_overwrite_frequency=None,
    )
