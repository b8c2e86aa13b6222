"""What a training run starts from: a network for the data, and batches of them."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from keras_cornernet.data.checking import raise_if_empty
from keras_cornernet.data.pipeline import make_dataset
from keras_cornernet.inference.model import Model
from keras_cornernet.presets import augmentation_named, default_input_size, from_preset, start_from
from keras_cornernet.presets.families import Augmentation
from keras_cornernet.structures import OnProblem
from keras_cornernet.tasks import Task, task_of
from keras_cornernet.training import TrainingConfig, rematerialize
from keras_cornernet.training.freezing import freeze

LEAST_STEPS = 200  # an epoch of a run that ends by time has at least so many steps on the device


@contextmanager
def precision(config: TrainingConfig) -> Iterator[None]:
    """Within the block, networks are built with the precision of a run."""
    before = keras.config.dtype_policy()
    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def prepared(
    preset: str,
    train_dataset: Any,
    config: TrainingConfig,
    *,
    weights: str | Path | None = None,
    trained: bool = True,
    on_problem: OnProblem | None = None,
) -> tuple[Model, Any]:
    """The model to train, not compiled yet, and the batches it reads.

    Args:
        preset, train_dataset, config, weights, trained, on_problem: see `train`.

    Raises:
        ValueError: the model is for another task, or cannot take an input size; or nothing is annotated.
    """
    raise_if_empty(train_dataset, "the training set")
    keras.utils.set_random_seed(config.seed)
    model = _model_for(preset, train_dataset, task_of(train_dataset), trained=trained)
    if getattr(model.settings, "min_scores", None) is not None:  # they were those of other weights
        model = model.with_settings(min_scores=None)
    kinds = sorted({person.category for person in getattr(train_dataset, "people", ()) if person.category})
    if kinds:  # whose objects of a detector the network will read
        model = model.with_settings(label=kinds[0] if len(kinds) == 1 else tuple(kinds))
    if weights is not None:
        start_from(model.network, weights)
    freeze(model.network, config.freeze)
    rematerialize(model.network, config.rematerialize)
    input_size = default_input_size(model)
    if config.input_size is not None:
        input_size = config.input_size
        model = model.with_settings(input_size=input_size)
    sizes = config.train_sizes or (input_size,)
    for size in (input_size, *sizes):
        model.network.check_input_size(size)
    augmentation = augmentation_named(model, config.augmentation)
    dataset = make_dataset(
        train_dataset,
        sizes,
        batch_size=config.batch_size,
        augmentation=with_rotations(augmentation) if config.rotations else augmentation,
        shuffle=True,
        seed=config.seed,
        on_problem=on_problem,
        pipeline=config.pipeline if config.devices == 1 else "host",
        steps_per_launch=config.steps_per_launch,
        passes=1
        if config.minutes is None
        else math.ceil(LEAST_STEPS * config.batch_size / len(train_dataset)),
    )
    return model, dataset


def _model_for(preset: str, dataset: Any, task: Task, *, trained: bool) -> Model:
    """A model with the classes or joints of the data."""
    own = task_of(preset)
    if own is not task:
        raise ValueError(f"{preset} is for {own.name}, and the data set is for {task.name}")
    labels_field = next(iter(task.families.values())).model.labels_field
    return from_preset(preset, trained=trained, **{labels_field: getattr(dataset, labels_field)})


def check_same_names(train_dataset: Any, val_dataset: Any) -> None:
    """Raises `ValueError` where two data sets have other classes or joints, or in another order."""
    ours, theirs = tuple(train_dataset.names), tuple(val_dataset.names)
    if ours == theirs:
        return
    if sorted(ours) == sorted(theirs):
        position = next(i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
        raise ValueError(
            "the training and validation sets list the same names in another order: "
            f"{ours[position]!r} is number {position + 1} in one and "
            f"{theirs.index(ours[position]) + 1} in the other"
        )
    only = [", ".join(n for n in a if n not in b) or "none" for a, b in ((ours, theirs), (theirs, ours))]
    raise ValueError(
        "the training and validation sets have different names: "
        f"only in training {only[0]}; only in validation {only[1]}"
    )


def check_resumed(output: str | Path, before: Sequence[str], names: Sequence[str]) -> None:
    """Raises `ValueError` where a run is resumed with other classes or joints, or in another order."""
    if list(before) != list(names):
        raise ValueError(
            f"{output} was trained on {', '.join(before)}, and the data have {', '.join(names)}: use another "
            "--output"
        )


def with_rotations(augmentation: Augmentation) -> Augmentation:
    """The same augmentation with rotations, for subjects without an upright orientation.

    Raises:
        ValueError: this augmentation has none.
    """
    if not hasattr(augmentation, "rotated"):
        raise ValueError(
            f"rotations: {type(augmentation).__name__} never rotates an image; cornernet_small, "
            "cornernet_squeeze_small and centernet_small have an augmentation that can"
        )
    rotated: Augmentation = augmentation.rotated()
    return rotated
