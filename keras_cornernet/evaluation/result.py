"""What an evaluation returns, whatever the task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_cornernet.structures import Problem


@dataclass(frozen=True)
class EvaluationResult:
    """The numbers of an evaluation and what they were measured on.

    Attributes:
        metrics: all numbers by name, fit for json.
        headline: the few by which models are compared: AP, AP50 and AP75, or PCK; NaN where one could not be
            measured. The first decides which model of a run is the best.
        table: the numbers as text for people.
        predictions: what the model found: `Detections` by image id, or `PosePredictions`.
        problems: what was wrong with annotations or images and was left out.
        notes: what a reader of the numbers should know, such as how classes were matched.
    """

    metrics: Mapping[str, Any]
    headline: Mapping[str, float]
    table: str
    predictions: Any = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return self.table
