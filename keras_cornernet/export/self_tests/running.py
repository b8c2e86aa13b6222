"""Self-tests that are run, and what their answers mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.export.self_tests.agreement import Found, agreement, differences, ratios
from keras_cornernet.export.self_tests.content import SelfTest
from keras_cornernet.export.self_tests.faults import FAULTS
from keras_cornernet.export.self_tests.planted import changed, plain_answers, with_fault

Answer = Callable[[np.ndarray], Mapping[str, Any]]

NO_TEST = (
    "this file has no self-test: it was written by an earlier version, or without one. Export the model "
    "again to have one"
)

SAME = 0.01  # times the tolerance
FAR = 10.0  # times the tolerance; whatever is farther is wrong to the same degree
RESAMPLED = "Only the picture that is not resampled is answered rightly: others are resampled in another way."


@dataclass(frozen=True)
class SelfTestResult:
    """Whether answers are right; the fields are fit for json.

    Attributes:
        right: whether they are.
        compared: boxes or joints of all pictures.
        fraction: of them that are as they should be.
        largest_distance: over the picture's longer side; None where a box is missing or too many.
        largest_score: difference over the picture's best score; None likewise.
        diagnosis: what is probably wrong, for people; empty if nothing is.
    """

    right: bool
    compared: int
    fraction: float
    largest_distance: float | None
    largest_score: float | None
    diagnosis: str = ""

    def __str__(self) -> str:
        if not self.right:
            return (
                f"wrong: {self.fraction:.0%} of {self.compared} boxes or joints are as they should be. "
                f"{self.diagnosis}"
            )
        return (
            f"right: {self.compared} boxes or joints are as they should be; farthest apart "
            f"{self.largest_distance:.2%} of the picture, in score {self.largest_score:.2%} of the best"
        )


def self_test(
    path: str | Path,
    answer: Answer | None = None,
    *,
    threads: int | None = None,
    trust: bool = False,
    xnnpack: bool = True,
) -> SelfTestResult:
    """Asks a runtime, or a program of one's own, for the answers that an exported file must give.

    Args:
        path: a `.tflite`, `.onnx` or OpenVINO `.xml` file, or the folder of a version of a SavedModel.
        answer: see `ExportedDetector.self_test`; None tests the runtime here.
        threads, trust, xnnpack: see `export.runtimes.open_runtime`.

    Raises:
        ValueError: there is no such file, it is not an export of this package, or it has no self-test.
        ImportError: the runtime is not installed; the message names the extra.

    Example:
        >>> result = keras_cornernet.export.self_test("people_int8.tflite", threads=1)
        >>> result.right
        True
    """
    from keras_cornernet.export.exported import load

    exported = load(path, threads=threads, trust=trust, xnnpack=xnnpack)
    if not hasattr(exported, "self_test"):
        raise ValueError(f"{path}: {NO_TEST}")
    result: SelfTestResult = exported.self_test(answer)
    return result


def run_self_test(exported: Any, answer: Answer | None = None) -> SelfTestResult:
    """See `ExportedDetector.self_test`.

    Args:
        exported: the opened file.
        answer: from a picture to the answers for it; None asks the file here.

    Raises:
        ValueError: the file has no self-test, or `answer` returns something else.
    """
    if not exported.description.self_test:
        raise ValueError(NO_TEST)
    test = SelfTest.from_json(exported.description.self_test)
    here = agreement(exported, test, lambda picture: plain_answers(exported, picture))
    if answer is None:
        return _result(here, "" if here.right else _diagnosis_of_runtime(exported, test, here))
    found = agreement(exported, test, lambda picture: dict(answer(picture)))
    if found.right:
        return _result(found, "")
    if not here.right:
        return _result(found, "The runtime here answers wrong too, so that nothing more can be said.")
    return _result(found, _diagnosis_of_program(exported, test, found, answer))


def _result(found: Found, diagnosis: str) -> SelfTestResult:
    distance, score = (
        value if np.isfinite(value) else None for value in (found.largest_distance, found.largest_score)
    )
    return SelfTestResult(found.right, found.compared, found.fraction, distance, score, diagnosis)


def _diagnosis_of_runtime(exported: Any, test: SelfTest, found: Found) -> str:
    for fault in FAULTS.values():
        if fault.undo is not None and agreement(exported, test, changed(exported, fault.undo)).right:
            return f"It looks as if {fault.words}: with that undone the answers are right."
    if found.right_by_case[0] and not all(found.right_by_case):
        return (
            "They are right for the picture that is not resampled, and wrong for others: resampling is wrong."
        )
    return "Runtime or file compute something else than they did when the file was written."


def _diagnosis_of_program(exported: Any, test: SelfTest, found: Found, answer: Answer) -> str:
    """The fault with which the runtime here answers as the program does."""
    answers = [dict(answer(case.picture)) for case in test.cases]
    apart = {}
    for fault in FAULTS.values():
        faulty = with_fault(exported, fault)
        cases = [case._replace(answers=faulty(case.picture)) for case in test.cases]
        pairs = zip(cases, answers, strict=True)
        far = np.concatenate([ratios(case, differences(exported, case, theirs)) for case, theirs in pairs])
        apart[fault.words] = float(np.minimum(far, FAR).mean()) if len(far) else 0.0  # neither finds anything
    least = min(apart.values())
    if least <= 1:
        # On pictures that become nearly black two mistakes can look the same.
        alike = ", or if ".join(words for words, far in apart.items() if far <= least + SAME)
        return f"It looks as if {alike}."
    if found.right_by_case[0] and not all(found.right_by_case):
        return (
            "They are right for the picture that is not resampled, and wrong for others: resampling is wrong."
        )
    return "The runtime here answers right: the program prepares pictures or reads answers in another way."
