"""What a file's description holds of its self-test."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from keras_cornernet.checks import check_number
from keras_cornernet.export.precisions import Tolerance
from keras_cornernet.export.self_tests import pictures
from keras_cornernet.export.self_tests.planted import Plain

MOST_PICTURES, MOST_ROWS = 16, 1000  # of a file; each box is compared with each
_TYPES = {"boxes": np.float32, "keypoints": np.float32, "scores": np.float32, "labels": np.int32}


class Case(NamedTuple):
    """A picture and the answers that it must give.

    Attributes:
        picture: `(height, width, 3)` uint8 RGB.
        answers: in pixels of the picture, see `Plain`.
        min_score: boxes or joints with a lower score are not compared.
        tolerance: of distances over the picture's longer side, of scores over the picture's best score, and
            which fraction of the boxes or joints must be within both.
    """

    picture: np.ndarray
    answers: Plain
    min_score: float
    tolerance: Tolerance


class SelfTest(NamedTuple):
    """The content of a self-test.

    Attributes:
        cases: pictures that are all answered rightly or else the test has failed.
        faults: names of the faults that it shows, see `faults.FAULTS`.
    """

    cases: Sequence[Case]
    faults: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the description: lists, numbers and texts."""
        return {
            "pictures": [
                {
                    "png": pictures.to_text(case.picture),
                    "min_score": round(float(case.min_score), 6),
                    "tolerance": {
                        name: float(f"{value:.3g}") for name, value in asdict(case.tolerance).items()
                    },
                    "answers": {name: _rounded(name, values) for name, values in case.answers.items()},
                }
                for case in self.cases
            ],
            "faults": list(self.faults),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "SelfTest":
        """Reads what `to_json` returned.

        Raises:
            ValueError: it is something else.
        """
        try:
            shown = content["pictures"]
            if not 1 <= len(shown) <= MOST_PICTURES:
                raise ValueError(f"it has {len(shown)} pictures")
            return cls([_case(one) for one in shown], tuple(map(str, content.get("faults", ()))))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"the self-test in the file cannot be read ({error!r})") from error


def _case(content: Mapping[str, Any]) -> Case:
    tolerance = Tolerance(**content["tolerance"])
    for name, value in asdict(tolerance).items():
        check_number(name, value, at_least=0, at_most=1)
    answers = {name: np.array(values, _TYPES[name]) for name, values in content["answers"].items()}
    if any(not values.ndim or len(values) > MOST_ROWS for values in answers.values()):
        raise ValueError(f"answers must be lists of at most {MOST_ROWS} rows")
    return Case(
        pictures.from_text(content["png"]),
        answers,
        float(content["min_score"]),
        tolerance,
    )


def _rounded(name: str, values: np.ndarray) -> list[Any]:
    digits = {"scores": 5, "labels": 0}.get(name, 2)
    rounded: list[Any] = np.asarray(values).astype(np.float64).round(digits).tolist()
    return [int(value) for value in rounded] if name == "labels" else rounded
