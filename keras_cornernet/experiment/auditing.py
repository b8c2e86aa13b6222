"""Probable mistakes in the labels of a data set, found by models that were trained on the other labels."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.data.joining import folds_of
from keras_cornernet.experiment.run import train
from keras_cornernet.presets import from_preset, training_config
from keras_cornernet.structures import OnProblem, Progress
from keras_cornernet.tasks import Auditor, task_of
from keras_cornernet.training import TrainingConfig

FINISHED = "finished.json"  # in the folder of a model that was trained to its end


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        dataset: that was audited.
        mistakes: the probable ones, most probable first, with `kind`, `item` (the index in `dataset`) and
            `score`; see `evaluation.box_mistakes` and `evaluation.joint_mistakes`.
        scores: of each model on the labels that it had not seen, by name.
    """

    dataset: Any
    mistakes: tuple[Any, ...]
    scores: tuple[dict[str, float], ...]

    def corrected(self, min_score: float) -> Any:
        """The data set as it would be if all suspicions from a score on were right."""
        chosen = [mistake for mistake in self.mistakes if mistake.score >= min_score]
        return _auditor(self.dataset).correct(self.dataset, chosen)


def audit(
    preset: str,
    dataset: Any,
    output: str | Path,
    config: TrainingConfig | None = None,
    *,
    folds: int = 4,
    weights: str | Path | None = None,
    verbose: str | int = "auto",
    on_problem: OnProblem | None = None,
    progress: Progress = list,
) -> Audit:
    """Compares each label with what a model says that was trained without it.

    The images are divided into folds. For each fold a model is trained on the others, and then asked. A model
    that never saw a wrong label has no reason to repeat it, so where label and model differ, and the model is
    mostly right when it is so sure, the label is probably wrong (as in confident learning, Northcutt et al.
    2021, arXiv 1911.00068).

    Args:
        preset: of the models, as for `train`. It must not have been trained on these labels.
        dataset: what a reader returned.
        output: folder for the training runs of the folds. Those that it holds are used, or continued.
        config: the settings of each run; None: `presets.training_config(preset)`. `minutes` is the time of
            all runs together.
        folds: number of models.
        weights: a file whose weights the networks start from, see `train`.
        verbose: of `keras.Model.fit`.
        on_problem: called for images that cannot be used.
        progress: wraps the items that a model is asked about.

    Raises:
        ValueError: `output` holds the audit of other labels or settings, the task has no audit, or as
            `train`.
    """
    started = time.monotonic()
    auditor = _auditor(dataset)
    config = config or training_config(preset)
    if config.minutes is not None:
        config = replace(config, minutes=config.minutes / folds)
    divided = folds_of(dataset, folds, config.seed)
    output = Path(output)
    _check_same(output, _identity(preset, dataset, config, folds, weights))
    answers: list[Any] = [None] * len(dataset)
    scores = []
    for number, (others, fold, indices) in enumerate(divided, start=1):
        folder = output / f"fold_{number}"
        if not (folder / FINISHED).is_file():
            train(
                preset,
                others,
                None,
                folder,
                config,
                weights=weights,
                resume=True,  # or begun, where there is nothing yet
                verbose=verbose,
                on_problem=on_problem,
                started=started,
            )
            files.write_json(folder / FINISHED, {"images": len(others)})
        result, given = auditor.ask(from_preset(folder / "last.keras"), fold, progress)
        scores.append(dict(result.headline))
        for index, answer in zip(indices, given, strict=True):
            answers[index] = answer
        started = time.monotonic()
    return Audit(dataset, tuple(auditor.find_mistakes(dataset, answers)), tuple(scores))


def audit_by_model(
    model: Any, dataset: Any, *, on_problem: OnProblem | None = None, progress: Progress = list
) -> Audit:
    """Compares labels with what one model says.

    Args:
        model: that was not trained on these labels. It knows all of their classes, or has the same joints.
        dataset, on_problem, progress: see `audit`.

    Raises:
        ValueError: the task has no audit, or the model does not know a class, or has other joints.
    """
    auditor = _auditor(dataset)
    result, answers = auditor.ask(model, dataset, progress)
    for problem in result.problems[len(dataset.problems) :]:
        if on_problem is not None:
            on_problem(problem)
    mistakes = auditor.find_mistakes(dataset, answers)
    return Audit(dataset, tuple(mistakes), (dict(result.headline),))


def _auditor(dataset: Any) -> Auditor:
    task = task_of(dataset)
    if task.auditor is None:
        raise ValueError(f"the labels of {task.name} cannot be audited")
    return task.auditor


def _identity(
    preset: str, dataset: Any, config: TrainingConfig, folds: int, weights: str | Path | None
) -> dict[str, Any]:
    """What two audits must have in common to share the models of their folds."""
    labels = task_of(dataset).to_coco(dataset, files.common_folder(dataset.paths))
    return {
        "preset": str(preset),
        "folds": folds,
        "weights": None if weights is None else str(weights),
        "labels": hashlib.sha256(json.dumps(labels).encode()).hexdigest(),
        "settings": json.loads(json.dumps(asdict(config))),
    }


def _check_same(output: Path, identity: dict[str, Any]) -> None:
    """Raises `ValueError` if the folder holds another audit; notes the identity in it."""
    stored = output / "audit.json"
    if stored.is_file():
        before = files.read_json(stored)
        if not isinstance(before, dict):
            raise ValueError(f"{stored}: expected an object, got a {type(before).__name__}")
        if different := [name for name, value in identity.items() if before.get(name) != value]:
            raise ValueError(
                f"{output} holds an audit with other {' and '.join(different)}: use another --output"
            )
    files.write_json(stored, identity, indent=1)
