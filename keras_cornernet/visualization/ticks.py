"""The range of a chart's axis, and the values that are marked on it."""

import math

import numpy as np


def axis_range(values: np.ndarray, log: bool) -> tuple[float, float]:
    """The smallest and largest value on the axis: those of the values, and a margin.

    Args:
        values: finite values, or their logarithms.
        log: whether they are logarithms.
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    spread = high - low
    if spread <= 1e-9 * max(abs(low), abs(high), 1e-9):
        spread = 1.0 if log else max(abs(high), 1e-3)
        low, high = low - spread / 2, high + spread / 2
    margin = 0.06 * spread
    # The axis of values that come near 0 from above starts at 0, with nothing below it.
    floor = 0.0 if not log and 0 <= low <= 0.3 * spread else low - margin
    return floor, high + margin


def linear_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """About six round values (1, 2 or 5 times a power of ten) and their texts."""
    raw = (high - low) / 7
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    ticks = [i * step for i in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = step >= 1e-4 and max(abs(low), abs(high)) < 1e6
    return ticks, [f"{t:.{digits}f}" if plain else f"{t:.3g}" for t in ticks]


def log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """The logarithms of round values and the texts of the values.

    Powers of ten within the range, with 2 and 5 between them, or every digit, where there would be few.
    """
    decades = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1,), (1, 2, 5), tuple(range(1, 10))):
        values = [float(f"{digit}e{power}") for power in decades for digit in digits]
        values = [value for value in values if low <= math.log10(value) <= high]
        if len(values) >= 4:
            break
    else:
        ticks, texts = linear_ticks(10**low, 10**high)
        kept = [(math.log10(t), text) for t, text in zip(ticks, texts, strict=True) if t > 0]
        return [t for t, _ in kept], [text for _, text in kept]
    values = values[:: math.ceil(len(values) / 9)]
    return [math.log10(value) for value in values], [f"{value:g}" for value in values]


def whole_ticks(last: int) -> list[int]:
    """Whole numbers from 1 to `last`, at most about ten, at a round step."""
    if last <= 12:
        return list(range(1, last + 1))
    power = 10 ** int(math.log10(last / 10))
    step = next(m * power for m in (1, 2, 5, 10, 20) if last / (m * power) <= 10)
    ticks = [1, *range(step, last + 1, step)]
    return ticks if step > 2 else ticks[1:]
