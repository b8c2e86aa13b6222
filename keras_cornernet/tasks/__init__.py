"""Tasks: the one place that asks whether something is about boxes or about poses.

A further task is one object with the attributes of `Task`, given to `register`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_cornernet.data.pipeline import LOADERS, make_dataset
from keras_cornernet.data.readers import READERS
from keras_cornernet.export import load
from keras_cornernet.export.exported import EXPORTED
from keras_cornernet.export.runtimes import is_exported, open_runtime
from keras_cornernet.tasks.detection import DetectionTask
from keras_cornernet.tasks.pose import PoseTask
from keras_cornernet.tasks.task import Auditor, Prediction, Task

__all__ = ["TASKS", "Auditor", "Prediction", "Task", "load_model", "make_dataset", "register", "task_of"]

TASKS: dict[str, Task] = {task.name: task for task in (DetectionTask(), PoseTask())}


def register(task: Task) -> None:
    """Makes a task known to the commands, to `make_dataset`, `from_preset`, `train` and `export.load`."""
    from keras_cornernet.presets import FAMILIES

    TASKS[task.name] = task
    FAMILIES.update(task.families)
    LOADERS[task.dataset] = task.loader
    READERS[task.name] = task.readers
    if task.exported is not None:
        EXPORTED[task.name] = task.exported


def task_of(thing: Any) -> Task:
    """The task that something belongs to.

    Args:
        thing: a preset or its name; the path of a `.keras` or exported file; a model; or a data set.

    Raises:
        ValueError: there is no such preset or file, or it belongs to no task.
    """
    if isinstance(thing, str | Path):
        if is_exported(thing):
            return TASKS[open_runtime(thing).description.task]
        from keras_cornernet.presets import network_type

        return _task_with_network(network_type(thing))
    name = getattr(thing, "task", None)
    if name in TASKS:
        return TASKS[name]
    for task in TASKS.values():
        if isinstance(thing, task.dataset):
            return task
    from keras_cornernet.presets import Preset

    if isinstance(thing, Preset):
        return _task_with_network(thing.network)
    raise ValueError(f"{type(thing).__name__} is no preset, model, file or data set of the package")


def _task_with_network(network: type) -> Task:
    return next(task for task in TASKS.values() if issubclass(network, tuple(task.families)))


def load_model(name_or_path: str | Path, *, trust: bool = False) -> Any:
    """Loads a preset with trained weights, a `.keras` file or an exported file.

    Args:
        name_or_path: of the preset or of the file.
        trust: of a SavedModel, see `export.load`.

    Raises:
        ValueError: there is no such model, or it is a preset without trained weights; the message lists those
            that have some.
    """
    if is_exported(name_or_path):
        return load(name_or_path, trust=trust)
    from keras_cornernet.presets import PRESETS, from_preset

    preset = PRESETS.get(str(name_or_path))
    if preset is not None and preset.weights is None and not Path(name_or_path).is_file():
        trained = _names_with_weights()
        raise ValueError(
            f"{name_or_path} has no trained weights: train it first, or take one of {', '.join(trained)}"
        )
    return from_preset(name_or_path)


def _names_with_weights() -> Sequence[str]:
    from keras_cornernet.presets import PRESETS

    return [name for name, preset in PRESETS.items() if preset.weights]
