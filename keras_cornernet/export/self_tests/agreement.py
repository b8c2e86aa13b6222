"""Whether answers are those that a self-test expects."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.export.self_tests.content import Case, SelfTest
from keras_cornernet.export.self_tests.planted import Plain

ABOVE = 0.5  # boxes and joints are compared that score at least this fraction of the picture's best


class Found(NamedTuple):
    """How far answers are from those that are expected.

    Attributes:
        compared: boxes or joints of all pictures.
        fraction: of them within the tolerance.
        largest_distance: over the picture's longer side; infinite where a box is missing or too many.
        largest_score: difference over the picture's best score.
        right: whether the answers are right.
        right_by_case: the same for each picture.
    """

    compared: int
    fraction: float
    largest_distance: float
    largest_score: float
    right: bool
    right_by_case: tuple[bool, ...]


def agreement(exported: Any, test: SelfTest, answer: Callable[[np.ndarray], Plain]) -> Found:
    """Compares answers with the expected ones.

    Args:
        exported: the opened file.
        test: its self-test.
        answer: from a picture to the answers in its pixels.

    Raises:
        ValueError: `answer` returns something else than the answers of this file's task.
    """
    pairs = [differences(exported, case, answer(case.picture)) for case in test.cases]
    within = [ratios(case, rows) <= 1 for case, rows in zip(test.cases, pairs, strict=True)]
    right = [
        bool(rows.mean() >= case.tolerance.fraction) for case, rows in zip(test.cases, within, strict=True)
    ]
    distance, score = np.concatenate(pairs).T
    return Found(
        len(distance),
        float(np.concatenate(within).mean()),
        float(distance.max()),
        float(score.max()),
        all(right),
        tuple(right),
    )


def deviation(exported: Any, case: Case, answers: Plain) -> float:
    """How many times the tolerance of a case would have to be for answers to be right; infinite if never."""
    found = np.sort(ratios(case, differences(exported, case, answers)))
    if not len(found):
        return np.inf
    needed = int(np.ceil(case.tolerance.fraction * len(found) - 1e-9))
    return float(found[max(needed, 1) - 1])


def differences(exported: Any, case: Case, answers: Plain) -> np.ndarray:
    """`(n, 2)`: distances over the picture's longer side and differences in score over its best score."""
    expected, found = (exported.result_of(plain) for plain in (case.answers, answers))
    pairs: np.ndarray = exported.differences(expected, found, case.min_score)
    relative: np.ndarray = pairs / [max(case.picture.shape[:2]), case.min_score / ABOVE]
    return relative


def ratios(case: Case, pairs: np.ndarray) -> np.ndarray:
    """`(n,)`: `differences` over the tolerance, the larger of the two of each box or joint."""
    larger: np.ndarray = (pairs / [case.tolerance.distance, case.tolerance.score]).max(axis=1)
    return larger
