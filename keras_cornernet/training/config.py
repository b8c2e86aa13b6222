"""The settings of a training run, and the optimizer that they describe."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import keras

from keras_cornernet.checks import check_choice, check_flag, check_number, check_size
from keras_cornernet.training.optimizers import (
    GrowingAverageAdam,
    GrowingAverageAdamW,
    GrowingAverageTorchRMSprop,
    TorchRMSprop,
)

# PyTorch's epsilon, with which the authors trained; that of Keras is ten times as large.
OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": partial(keras.optimizers.Adam, epsilon=1e-8),
    "adamw": partial(keras.optimizers.AdamW, epsilon=1e-8),
    "rmsprop": TorchRMSprop,
}
# The same for runs whose length in steps is not known.
OPTIMIZERS_BY_TIME: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": partial(GrowingAverageAdam, epsilon=1e-8),
    "adamw": partial(GrowingAverageAdamW, epsilon=1e-8),
    "rmsprop": GrowingAverageTorchRMSprop,
}
DEFAULT_DECAY = 0.02  # of the weights, where none is given
PIPELINES = ("auto", "host", "device")


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of a training run.

    Attributes:
        epochs: passes over the data; not used where `steps` is given.
        batch_size: images per step.
        steps: optimizer steps of the whole run, in place of `epochs`; the last epoch is completed.
        minutes: ends the run by time instead, reading of the data included; learning rate, augmentation and
            measurements follow the fraction of the time that is gone. Compiling does not count in that
            fraction.
        optimizer: `"adam"` or `"adamw"` with PyTorch's epsilon of 1e-8, or `"rmsprop"` as PyTorch defines it.
        weight_decay: of `"adamw"`: each step takes this fraction, times the learning rate, off all kernels,
            not off biases and normalization; None takes 0.02.
        learning_rate: the peak, reached after the warm-up; it then follows a cosine down to a hundredth.
        lr_decay_at: fraction of the run after which the learning rate is divided once by
            `lr_decay_factor`; replaces both cosine and warm-up. None: the cosine.
        lr_decay_factor: see `lr_decay_at`.
        warmup: fraction of the run in which the learning rate rises linearly.
        clip_norm: largest global norm of the gradients; None does not clip.
        ema: momentum of the moving average of the weights, which is what is evaluated and saved; 0 for none.
            None lets the average span about a twentieth of the run.
        accumulate: batches whose gradients are averaged in one optimizer step, for larger batches than memory
            holds; the statistics of normalization are those of a batch.
        freeze: fraction of the weights, counted from the images on, that are not trained, see
            `training.freezing.freeze`.
        early_stopping: the run ends after so many measurements without a better one; None never ends it.
        min_precision: of a detector: for each class the model keeps the lowest score with this precision on
            the validation set, in place of that with the best F1, see `evaluation.fit_operating_point`.
        evaluate_every: epochs between evaluations on the validation set; the last epoch is always evaluated.
        input_size: `(height, width)` for training and inference, instead of the preset's.
        augmentation: `"default"` for the preset's, or `"photos"` for a stronger one for photographs.
        train_sizes: several `(height, width)` that training shows, one a batch, instead of `input_size`.
        rotations: augment with rotations too, for subjects without an upright orientation.
        mixed_precision: compute in bfloat16; weights, losses and targets stay in float32.
        rematerialize: compute the inner maps of residuals again in the backward pass, where memory is short,
            see `training.rematerialize`.
        pipeline: where batches are made: `"host"`, `"device"`, or `"auto"`, see `make_dataset`.
        steps_per_launch: of `pipeline="device"`, see `DeviceDataset`.
        devices: that share each batch; `"all"` takes all GPUs. See `devices.several_devices`.
        synchronized: BatchNorm has the statistics of the whole batch, not those of each device.
        seed: of the initial weights, the order of the images and the augmentation.

    Raises:
        ValueError: a value is out of its range; the message names it.
    """

    epochs: int = 100
    steps: int | None = None
    batch_size: int = 8
    minutes: float | None = None
    optimizer: str = "adam"
    weight_decay: float | None = None
    learning_rate: float = 1e-3
    lr_decay_at: float | None = None
    lr_decay_factor: float = 10.0
    warmup: float = 0.04
    clip_norm: float | None = 5.0
    ema: float | None = None
    accumulate: int = 1
    freeze: float = 0.0
    early_stopping: int | None = None
    min_precision: float | None = None
    evaluate_every: int = 5
    input_size: tuple[int, int] | None = None
    augmentation: str = "default"
    train_sizes: tuple[tuple[int, int], ...] = ()
    rotations: bool = False
    mixed_precision: bool = False
    rematerialize: bool = False
    pipeline: str = "auto"
    steps_per_launch: int | None = None
    devices: int | str = 1
    synchronized: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "evaluate_every", "accumulate"):
            check_number(name, getattr(self, name), at_least=1, whole=True)
        for name in ("rotations", "mixed_precision", "rematerialize", "synchronized"):
            check_flag(name, getattr(self, name))
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_number("learning_rate", self.learning_rate, above=0)
        if self.min_precision is not None:
            check_number("min_precision", self.min_precision, above=0, at_most=1)
        check_number("lr_decay_factor", self.lr_decay_factor, at_least=1)
        check_number("warmup", self.warmup, at_least=0, below=1)
        check_number("seed", self.seed, at_least=0, whole=True)
        check_number("freeze", self.freeze, at_least=0, below=1)
        if self.devices != "all":
            check_number("devices", self.devices, at_least=1, whole=True)
        if self.devices != 1 and self.pipeline == "device":
            raise ValueError("pipeline='device' keeps all images on one device: use 'host' with several")
        if self.early_stopping is not None:
            check_number("early_stopping", self.early_stopping, at_least=1, whole=True)
        if self.steps is not None:
            check_number("steps", self.steps, at_least=1, whole=True)
        if self.lr_decay_at is not None:
            check_number("lr_decay_at", self.lr_decay_at, above=0, below=1)
        if self.clip_norm is not None:
            check_number("clip_norm", self.clip_norm, above=0)
        if self.ema is not None:
            check_number("ema", self.ema, at_least=0, below=1)
        if self.input_size is not None:
            check_size("input_size", self.input_size)
        if not isinstance(self.train_sizes, tuple):
            raise ValueError(f"train_sizes must be a tuple of sizes, not {self.train_sizes!r}")
        for i, size in enumerate(self.train_sizes):
            check_size(f"train_sizes[{i}]", size)
        check_choice("pipeline", self.pipeline, PIPELINES)
        if self.minutes is not None:
            check_number("minutes", self.minutes, above=0)
        if self.steps_per_launch is not None:
            check_number("steps_per_launch", self.steps_per_launch, at_least=1, whole=True)
        if self.weight_decay is not None:
            check_number("weight_decay", self.weight_decay, at_least=0)
            if self.optimizer != "adamw":
                raise ValueError(f"weight_decay needs optimizer='adamw', not {self.optimizer!r}")

    def in_epochs(self, steps_per_epoch: int) -> "TrainingConfig":
        """The same settings with `epochs` instead of `steps`."""
        if self.steps is None:
            return self
        return replace(self, epochs=math.ceil(self.steps * self.accumulate / steps_per_epoch), steps=None)


def config_from_json(stored: Mapping[str, Any]) -> TrainingConfig:
    """The settings that `dataclasses.asdict` gave, after json made lists of their tuples.

    Raises:
        ValueError: a field is not known, or a value is out of its range; the message names it.
    """
    known = [field.name for field in fields(TrainingConfig)]
    if strange := [name for name in stored if name not in known]:
        raise ValueError(f"{strange[0]!r} is not a setting of a run; they are {', '.join(known)}")

    def with_tuples(value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    values = {name: with_tuples(value) for name, value in stored.items()}
    if isinstance(values.get("train_sizes"), tuple):
        values["train_sizes"] = tuple(map(with_tuples, values["train_sizes"]))
    return TrainingConfig(**values)


def make_optimizer(
    config: TrainingConfig, steps_per_epoch: int, variables: Sequence[Any] = ()
) -> keras.optimizers.Optimizer:
    """The optimizer with its learning-rate schedule, clipping and moving average of the weights.

    Args:
        config: the settings. In a run by `minutes` the learning rate starts as that of `rate_at(config, 0)`
            and must be set, see `TimeLimit`.
        steps_per_epoch: batches in a pass over the data.
        variables: those that are trained, for `weight_decay`, which leaves out all but kernels.
    """
    by_time = config.minutes is not None
    # In batches, also where several make one step: Keras' schedules and averages count them.
    total = config.in_epochs(steps_per_epoch).epochs * steps_per_epoch
    ema = max(0.0, 1 - 20 / total) if config.ema is None else config.ema
    table = OPTIMIZERS
    if by_time and config.ema is None:
        table, ema = OPTIMIZERS_BY_TIME, 0.5  # any but 0
    decay = {} if config.optimizer != "adamw" else {"weight_decay": config.weight_decay or DEFAULT_DECAY}
    if config.weight_decay == 0:
        decay = {"weight_decay": 0.0}
    optimizer = table[config.optimizer](
        rate_at(config, 0.0) if by_time else _learning_rates(config, total),
        global_clipnorm=config.clip_norm,
        use_ema=ema > 0,
        ema_momentum=ema,
        ema_overwrite_frequency=None,
        gradient_accumulation_steps=config.accumulate if config.accumulate > 1 else None,
        **decay,
    )
    if decay:
        optimizer.exclude_from_weight_decay(var_list=[v for v in variables if len(v.shape) < 2])
    return optimizer


def rate_at(config: TrainingConfig, fraction: float) -> float:
    """The learning rate when a fraction of the run is over; that of the schedule by steps."""
    peak, warmup = config.learning_rate, config.warmup
    if config.lr_decay_at is not None:
        return peak if fraction <= config.lr_decay_at else peak / config.lr_decay_factor
    if fraction < warmup:
        return peak * (0.01 + 0.99 * fraction / warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (fraction - warmup) / (1 - warmup)))))


def _learning_rates(config: TrainingConfig, total: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """The schedule for a run of `total` steps."""
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
