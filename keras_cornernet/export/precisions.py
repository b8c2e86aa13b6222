"""The precisions of TFLite networks: how each is converted and how far its results may differ."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerance:
    """How far the results of two models may differ.

    Attributes:
        distance: between box sides or joints, as a fraction of the image's longer side.
        score: difference in score of boxes and joints.
        fraction: of all boxes and joints that must agree within both.
    """

    distance: float
    score: float
    fraction: float


@dataclass(frozen=True)
class Precision:
    """One precision.

    Attributes:
        tolerance: for the comparison with Keras.
        repeated: for the comparison of a file with itself in another runtime, see `export.self_tests`; its
            scores are relative to the best one.
        types: names of TensorFlow's types that weights are stored in, where it is not the converter's choice.
        optimized: whether the converter may use smaller types at all.
        whole_numbers: whether the whole network computes in 8 bits, with ranges that are measured on sample
            images and pixels as bytes.
        rounds: whether convolutions are computed in whole numbers, which runtimes round in different ways.
    """

    tolerance: Tolerance
    repeated: Tolerance = Tolerance(0.004, 0.02, 0.8)
    types: tuple[str, ...] = ()
    optimized: bool = True
    whole_numbers: bool = False
    rounds: bool = False


# In floating point only the order of operations differs. In 8 bits a joint or box may move to another peak.
PRECISIONS = {
    "float32": Precision(Tolerance(0.005, 0.01, 1.0), optimized=False),
    "float16": Precision(Tolerance(0.01, 0.02, 1.0), types=("float16",)),
    "dynamic": Precision(Tolerance(0.04, 0.15, 0.8), rounds=True),
    "int8": Precision(Tolerance(0.04, 0.25, 0.8), whole_numbers=True, rounds=True),
}


def precision_named(name: str) -> Precision:
    """Looks a precision up.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {name!r}")
    return PRECISIONS[name]
