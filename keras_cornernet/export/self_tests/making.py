"""Self-tests for files that have just been written."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.export.describing import change_description
from keras_cornernet.export.precisions import PRECISIONS
from keras_cornernet.export.self_tests import pictures
from keras_cornernet.export.self_tests.agreement import ABOVE, deviation
from keras_cornernet.export.self_tests.content import Case, SelfTest
from keras_cornernet.export.self_tests.faults import FAULTS
from keras_cornernet.export.self_tests.planted import Plain, plain_answers, with_fault

TRIED = 40  # pictures of each size, until one shows all faults
MARGIN = 1.5  # faults must exceed the tolerance by this factor, and the tolerance what kernels differ
PATIENCE = 60.0  # seconds for the choice of pictures; the best so far are taken then
WIDEST = 8.0  # times the usual tolerance; beyond it the answers for a picture are chance
LEAST = 1e-4  # a best score below this is chance
KEPT = 40  # boxes of a picture that are kept

Answering = Callable[[np.ndarray], Plain]


class Candidate(NamedTuple):
    """A picture that may become part of a self-test, and the names of the faults that it shows clearly."""

    case: Case
    faults: frozenset[str]


def add_self_test(path: str | Path) -> tuple[str, ...]:
    """Chooses pictures and keeps them in a file's description, with what the file answers for them here.

    Args:
        path: of the exported file or the SavedModel's version.

    Returns:
        Notes for people: why there is no self-test, or what it does not show.
    """
    from keras_cornernet.export.exported import load

    try:
        exported = load(path, trust=True)  # it has just been written here
    except (ImportError, ValueError) as error:
        return (f"the file has no self-test, because nothing here runs it: {error}",)
    if not hasattr(exported, "result_of"):
        return ()  # of a task that others have added
    # The kernels for whole numbers round in different ways, and phones have either.
    varies = Path(path).suffix == ".tflite" and PRECISIONS[exported.description.precision].rounds
    test = make_self_test(exported, [load(path, xnnpack=False)] if varies else [])
    if not test.cases:
        return ("the file has no self-test, because the model finds nothing on its pictures",)
    change_description(path, trust=True, self_test=test.to_json())
    return tuple(
        f"the self-test does not show whether {fault.words}"
        for name, fault in FAULTS.items()
        if name not in test.faults
    )


def make_self_test(exported: Any, others: Sequence[Any] = ()) -> SelfTest:
    """The self-test of an opened file, which is run to learn its answers.

    Of several pictures of each size the one is taken that shows most faults, and among them the one on which
    the answers of `others` are nearest.

    Args:
        exported: the opened file.
        others: the same file in runtimes whose answers are right, too.

    Returns:
        Without cases if the model finds nothing on any picture.
    """
    start = time.monotonic()
    chosen = []
    for i, scale in enumerate(pictures.SCALES):
        end = start + PATIENCE * (i + 1) / len(pictures.SCALES)
        best = _best(exported, others, scale, whole=i == 0, end=end)
        chosen += [] if best is None else [best]
    shown = frozenset[str]().union(*(candidate.faults for candidate in chosen))
    return SelfTest([candidate.case for candidate in chosen], tuple(name for name in FAULTS if name in shown))


def _best(
    exported: Any, others: Any, scale: tuple[float, float], *, whole: bool, end: float
) -> Candidate | None:
    # Nothing is resampled in a picture of the input's own size, so that only the other faults can show.
    possible = {name for name, fault in FAULTS.items() if not (whole and fault.place)}
    best = None
    for picture in pictures.candidates(exported.takes, scale, TRIED):
        candidate = _candidate(exported, others, picture, possible)
        if candidate is None:
            if time.monotonic() > end:
                break
            continue
        if best is None or _worth(candidate) > _worth(best):
            best = candidate
        if candidate.faults >= possible or time.monotonic() > end:
            break
    return best


def _worth(candidate: Candidate) -> tuple[int, float]:
    return len(candidate.faults), -candidate.case.tolerance.distance


def _candidate(exported: Any, others: Any, picture: np.ndarray, possible: set[str]) -> Candidate | None:
    """None if the model finds nothing on the picture, or by chance."""
    answers = plain_answers(exported, picture)
    best = float(np.max(answers["scores"], initial=0.0))
    if best < LEAST:
        return None
    usual = PRECISIONS[exported.description.precision].repeated
    kept = exported.kept(answers, ABOVE * best / 2, KEPT)
    case = Case(picture, kept, ABOVE * best, usual)
    wider = MARGIN * max(
        (deviation(exported, case, plain_answers(other, picture)) for other in others), default=0.0
    )
    if wider > WIDEST:
        return None
    wider = max(1.0, wider)
    case = case._replace(tolerance=replace(usual, distance=wider * usual.distance, score=wider * usual.score))
    shown = (
        name
        for name in sorted(possible)
        if deviation(exported, case, with_fault(exported, FAULTS[name])(picture)) > MARGIN
    )
    return Candidate(case, frozenset(shown))
