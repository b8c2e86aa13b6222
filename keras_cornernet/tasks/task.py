"""What a task is: all that differs between finding boxes and reading poses, in one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from PIL import Image

from keras_cornernet.evaluation import EvaluationResult, OperatingPoint
from keras_cornernet.structures import Progress

if TYPE_CHECKING:
    from keras_cornernet.models.network import Network
    from keras_cornernet.presets import Family, Preset


@dataclass(frozen=True)
class Prediction:
    """How a model predicts on files.

    Attributes:
        model: has `stream`.
        stream_options: further arguments of `stream`, for what is worth showing.
        all_options: the same, for all that the model finds.
        save_options: further arguments of the results' `save`.
    """

    model: Any
    stream_options: Mapping[str, Any] = field(default_factory=dict)
    all_options: Mapping[str, Any] = field(default_factory=dict)
    save_options: Mapping[str, Any] = field(default_factory=dict)


class Auditor(Protocol):
    """How the labels of a task are audited, see `experiment.audit`.

    Attributes:
        preset: whose networks the models of the folds are.
        kinds: of mistakes.
    """

    preset: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]

    def ask(self, model: Any, dataset: Any, progress: Progress) -> tuple[EvaluationResult, Sequence[Any]]:
        """Measures a model, and gives what it says of each item of a data set; None for nothing."""

    def find_mistakes(self, dataset: Any, answers: Sequence[Any]) -> Sequence[Any]:
        """The suspicions, each with `kind`, `item` and `score`, most probable first."""

    def correct(self, dataset: Any, mistakes: Sequence[Any]) -> Any:
        """The data set as it would be if these suspicions were right."""

    def describe(self, dataset: Any, mistake: Any) -> dict[str, Any]:
        """What a suspicion is about, by name and fit for json, without its kind, image and score."""

    def draw(self, dataset: Any, mistake: Any) -> tuple[Image.Image, Image.Image]:
        """The place of a suspicion, as it is labelled and as it should be."""


class Task(Protocol):
    """One task. Everything else of the package asks `task_of` for it and calls these.

    Attributes:
        name: as exported files state it, and as readers are listed under it.
        noun: what results are counted in.
        dataset: the class of its data sets, with `names`, `problems`, `paths`, `select`.
        loader: the class that makes training examples of such a data set.
        exported: the class of its models in exported files.
        readers: for each format of annotation files, the function that reads it.
        writers: for each format of annotation files, the function that writes it.
        default_preset: whose input size and targets `check-data` draws.
        auditor: of its labels, or None.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    dataset: ClassVar[Any]
    loader: ClassVar[Any]
    exported: ClassVar[Any]
    readers: ClassVar[Mapping[str, Any]]
    writers: ClassVar[Mapping[str, Any]]
    default_preset: ClassVar[str]
    auditor: ClassVar[Auditor | None]

    @property
    def families(self) -> Mapping[type[Network], Family]:
        """Its networks or their base classes, each with what it is used with, see `presets.family_of`."""

    def to_coco(self, dataset: Any, root: str | Path) -> dict[str, Any]:
        """The content of a COCO file with the annotations; its file names are relative to `root`."""

    def to_results(self, dataset: Any, result: EvaluationResult) -> list[dict[str, Any]]:
        """What an evaluation found in COCO's result form, with the ids of the data set."""

    def summarize(self, dataset: Any) -> dict[str, Any]:
        """Counts of a data set by name, fit for json."""

    def draw_targets(self, dataset: Any, index: int, preset: Preset) -> Image.Image:
        """One annotated example, beside the targets that a network is trained with."""

    def draw_predictions(self, model: Any, result: Any, count: int) -> Sequence[Image.Image]:
        """Pictures of the first results of an `EvaluationResult`."""

    def prediction(self, model: Any, *, detector: Any | None, min_score: float | None) -> Prediction:
        """How the command `predict` uses a model.

        Raises:
            ValueError: an argument does not apply to the task.
        """

    def operating_point(
        self, model: Any, dataset: Any, result: EvaluationResult, min_precision: float | None = None
    ) -> OperatingPoint | None:
        """For each class of a model the score from which on its objects are worth showing.

        Args:
            model: that was measured.
            dataset: on which.
            result: what its `evaluate` returned.
            min_precision: see `evaluation.fit_operating_point`.

        Returns:
            None where the task knows no such scores.
        """

    def with_names_of(self, dataset: Any, other: Any) -> Any:
        """A data set with the classes or joints of another, in its order, as far as it has them."""

    def with_detector(self, detector: Any) -> Mapping[str, Any]:
        """Arguments of a model's `evaluate` that measure it on what a detector finds.

        Raises:
            ValueError: the task has no use for a detector, or it is none.
        """

    def export_images(self, model: Any, count: int) -> Sequence[np.ndarray]:
        """Drawn images on which an exported file can be compared with its model."""

    def annotated_images(self, model: Any, dataset: Any) -> Sequence[np.ndarray]:
        """The images of a data set as an exported file is given them, one for each example."""
