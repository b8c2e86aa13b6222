"""Line charts of training curves, drawn with Pillow in the colours of `visualization`."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.visualization.drawing import DARK, LIGHT, draw_disc, font_of_size, label_colour


def plot_curves(
    curves: dict[str, Sequence[float]],
    title: str,
    *,
    log: bool = False,
    x_label: str = "epoch",
    size: tuple[int, int] = (480, 800),
) -> Image.Image:
    """A line chart of training curves.

    Args:
        curves: one list of values per name; value `i` stands at `i + 1` on the horizontal axis. NaN and
            infinite values leave a gap.
        title: written above the chart.
        log: logarithmic vertical axis, for losses; values of 0 and below leave a gap.
        x_label: what is counted horizontally.
        size: `(height, width)` of the picture in pixels.

    Returns:
        The chart as a `PIL.Image`.

    Raises:
        ValueError: `size` is too small to draw in.
    """
    height, width = size
    if height < 160 or width < 240:
        raise ValueError(f"size must be at least (160, 240), got {size}")
    # Drawn at double size and halved, since Pillow draws lines without anti-aliasing.
    sheet = Image.new("RGB", (2 * width, 2 * height), LIGHT)
    draw = ImageDraw.Draw(sheet)
    series = {name: _plottable(values, log) for name, values in curves.items()}
    finite = np.concatenate([v[np.isfinite(v)] for v in series.values()] or [np.zeros(0)])
    low, high = _range(finite, log)
    ticks, texts = _log_ticks(low, high) if log else _linear_ticks(low, high)
    small, large = font_of_size(24), font_of_size(34)

    left = 40 + max([draw.textlength(text, small) for text in texts], default=40)
    draw.text((left, 26), title, DARK, large)
    top = _draw_legend(draw, list(series), left, 2 * width - 40, 84) + 16
    right, bottom = 2 * width - 40, 2 * height - 92
    longest = max([len(values) for values in series.values()], default=0)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - 1) / (longest - 1) if longest > 1 else 0.5
        return left + (right - left) * across, bottom - (bottom - top) * (y - low) / (high - low)

    for tick, text in zip(ticks, texts, strict=True):
        y = place(1, tick)[1]
        draw.line([left, y, right, y], fill=(226, 229, 234), width=2)
        draw.text((left - 14, y), text, (90, 96, 106), small, anchor="rm")
    for x in _whole_ticks(longest):
        at = place(x, low)[0]
        draw.line([at, bottom, at, bottom + 10], fill=(120, 126, 136), width=2)
        draw.text((at, bottom + 16), str(x), (90, 96, 106), small, anchor="mt")
    draw.line([left, bottom, right, bottom], fill=(120, 126, 136), width=3)
    draw.text(((left + right) / 2, 2 * height - 14), x_label, (90, 96, 106), small, anchor="mb")
    if not finite.size:
        draw.text(((left + right) / 2, (top + bottom) / 2), "no values", (150, 155, 165), large, anchor="mm")
    for index, values in enumerate(series.values()):
        for run in _runs(values):
            path = [place(x + 1, values[x]) for x in run]
            draw.line(path, fill=label_colour(index), width=5, joint="curve")
            if len(run) == 1 or longest <= 40:
                for x, y in path:
                    draw_disc(draw, x, y, 6.0, label_colour(index))
    return sheet.reduce(2)


def _draw_legend(draw: ImageDraw.ImageDraw, names: list[str], left: float, right: float, top: float) -> float:
    """Writes the names in as many lines as they need; returns the bottom of the last."""
    font = font_of_size(24)
    x, line = left, 38
    for index, name in enumerate(names):
        wide = 58 + draw.textlength(name, font)
        if x > left and x + wide > right:
            x, top = left, top + line
        draw.line([x, top + 15, x + 36, top + 15], fill=label_colour(index), width=7)
        draw.text((x + 48, top + 15), name, DARK, font, anchor="lm")
        x += wide + 28
    return top + line if names else top


def _plottable(values: Sequence[float], log: bool) -> np.ndarray:
    """Values as floats on the axis (their logarithm if asked), NaN where nothing can be drawn."""
    values = np.asarray(values, float).reshape(-1)
    values = np.where(np.isfinite(values) & (values > 0 if log else True), values, np.nan)
    return np.log10(values) if log else values


def _range(values: np.ndarray, log: bool) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    spread = high - low
    if spread <= 1e-9 * max(abs(low), abs(high), 1e-9):
        spread = 1.0 if log else max(abs(high), 1e-3)
        low, high = low - spread / 2, high + spread / 2
    margin = 0.06 * spread
    # Curves that only come near 0 from above keep 0 as their floor: there is nothing below it.
    floor = 0.0 if not log and 0 <= low <= 0.3 * spread else low - margin
    return floor, high + margin


def _linear_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """About six round values (1, 2 or 5 times a power of ten) and their texts."""
    raw = (high - low) / 7
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    ticks = [i * step for i in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = step >= 1e-4 and max(abs(low), abs(high)) < 1e6
    return ticks, [f"{t:.{digits}f}" if plain else f"{t:.3g}" for t in ticks]


def _log_ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Powers of ten within the range, with 2 and 5 between (or every digit) when they are few."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    for digits in ((1,), (1, 2, 5), tuple(range(1, 10))):
        values = [float(f"{digit}e{power}") for power in decades for digit in digits]
        values = [value for value in values if low <= math.log10(value) <= high]
        if len(values) >= 4:
            break
    else:
        ticks, texts = _linear_ticks(10**low, 10**high)
        kept = [(math.log10(t), text) for t, text in zip(ticks, texts, strict=True) if t > 0]
        return [t for t, _ in kept], [text for _, text in kept]
    values = values[:: math.ceil(len(values) / 9)]
    return [math.log10(value) for value in values], [f"{value:g}" for value in values]


def _whole_ticks(last: int) -> list[int]:
    """Whole numbers from 1 to `last`, at most about ten, at a round step."""
    if last <= 12:
        return list(range(1, last + 1))
    power = 10 ** int(math.log10(last / 10))
    step = next(m * power for m in (1, 2, 5, 10, 20) if last / (m * power) <= 10)
    ticks = [1, *range(step, last + 1, step)]
    return ticks if step > 2 else ticks[1:]


def _runs(values: np.ndarray) -> list[np.ndarray]:
    """The stretches of indices without a gap."""
    index = np.flatnonzero(np.isfinite(values))
    return np.split(index, np.flatnonzero(np.diff(index) > 1) + 1) if len(index) else []
