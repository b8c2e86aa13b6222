"""Times several sides in turn in one process, so that other load on the machine affects all of them alike."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Spread(NamedTuple):
    """One number per round: the seconds of a call, or a ratio of two such times.

    Attributes:
        samples: one value for each round, in the order measured.
    """

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def low(self) -> float:
        return min(self.samples)

    @property
    def high(self) -> float:
        return max(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and third quartile."""
        if len(self.samples) < 2:
            return self.samples[0], self.samples[0]
        lower, _, upper = statistics.quantiles(self.samples, n=4, method="inclusive")
        return lower, upper


def interleave(
    candidates: dict[str, Callable[[], object]], rounds: int = 15, *, turn_seconds: float = 0.05
) -> dict[str, Spread]:
    """Times every candidate in every round, so that a slow minute affects all of them alike.

    Each turn starts with one untimed call, which fills caches and lets threads of the previous candidate
    end, and then times as many calls as fill `turn_seconds`. Every other round runs in the opposite order.

    Args:
        candidates: functions without arguments, which return when their work is done.
        rounds: turns of each candidate.
        turn_seconds: how long a turn should last; a slower candidate is called once.

    Returns:
        The seconds of one call, for each candidate.
    """
    calls, seconds = {}, {name: [] for name in candidates}
    for name, run in candidates.items():
        run()
        calls[name] = max(1, round(turn_seconds / _seconds(run, 1)))
    for turn in range(rounds):
        for name in list(candidates)[:: 1 if turn % 2 == 0 else -1]:
            candidates[name]()
            seconds[name].append(_seconds(candidates[name], calls[name]))
    return {name: Spread(tuple(samples)) for name, samples in seconds.items()}


def ratio(results: dict[str, Spread], a: str, b: str) -> Spread:
    """The time of `a` divided by that of `b`, round by round."""
    return Spread(tuple(x / y for x, y in zip(results[a].samples, results[b].samples, strict=True)))


def table(results: dict[str, Spread], title: str) -> str:
    """A markdown table of the times in milliseconds, in the order of the candidates."""
    lines = [f"### {title}", "", "| side | median ms | quartiles | min | max |", "|---|---:|---:|---:|---:|"]
    for name, spread in results.items():
        values = [1000 * v for v in (spread.median, *spread.quartiles, spread.low, spread.high)]
        lines.append("| {} | {:.2f} | {:.2f} .. {:.2f} | {:.2f} | {:.2f} |".format(name, *values))
    return "\n".join(lines)


def verdict(spread: Spread, target: float, claim: str) -> str:
    """One markdown row: a claim, the ratio measured with its spread, the target and whether it is met."""
    lower, upper = spread.quartiles
    met = "met" if spread.median <= target else "NOT met"
    return (
        f"| {claim} | {spread.median:.3f} | {lower:.3f} .. {upper:.3f} | {spread.low:.3f} | "
        f"{spread.high:.3f} | {target:g} | {met} |"
    )


VERDICT_HEAD = "| ratio | median | quartiles | min | max | at most | |\n|---|---:|---:|---:|---:|---:|---|"


def _seconds(run: Callable[[], object], calls: int) -> float:
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - start) / calls
    finally:
        if collecting:
            gc.enable()
