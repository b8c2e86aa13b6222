"""Line charts of training curves, drawn with Pillow in the colours of `visualization`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.visualization.canvas import draw_disc, font_of_size
from keras_cornernet.visualization.colours import DARK, LIGHT, Colour, label_colour
from keras_cornernet.visualization.ticks import axis_range, linear_ticks, log_ticks, whole_ticks

# Charts are drawn at double size and halved, since Pillow draws lines without anti-aliasing: all lengths in
# this file are half pixels.
SMALL, LARGE = 24, 34
GRID: Colour = (226, 229, 234)
AXIS: Colour = (120, 126, 136)
TEXT: Colour = (90, 96, 106)


@dataclass(frozen=True)
class _Axes:
    """The area of the curves, and the values at its edges; `first` .. `last` are the whole numbers across."""

    left: float
    top: float
    right: float
    bottom: float
    low: float
    high: float
    first: int
    last: int

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the value `y` at the whole number `x` is drawn."""
        span = self.last - self.first
        across = (x - self.first) / span if span > 0 else 0.5
        up = (y - self.low) / (self.high - self.low)
        return self.left + (self.right - self.left) * across, self.bottom - (self.bottom - self.top) * up


def plot_curves(
    curves: Mapping[str, Sequence[float]],
    title: str,
    *,
    log: bool = False,
    x_label: str = "epoch",
    first: int = 1,
    size: tuple[int, int] = (480, 800),
) -> Image.Image:
    """A line chart of training curves.

    Args:
        curves: one list of values per name; value `i` is drawn at `first + i` on the horizontal axis. NaN and
            infinite values leave a gap.
        title: written above the chart.
        log: logarithmic vertical axis, for losses; values of 0 and below leave a gap.
        x_label: what is counted horizontally.
        first: where the horizontal axis begins.
        size: `(height, width)` of the picture in pixels.

    Returns:
        The chart as a `PIL.Image`.

    Raises:
        ValueError: `size` is too small to draw in.
    """
    height, width = size
    if height < 160 or width < 240:
        raise ValueError(f"size must be at least (160, 240), got {size}")
    sheet = Image.new("RGB", (2 * width, 2 * height), LIGHT)
    draw = ImageDraw.Draw(sheet)
    series = {name: _plottable(values, log) for name, values in curves.items()}
    finite = np.concatenate([v[np.isfinite(v)] for v in series.values()] or [np.zeros(0)])
    low, high = axis_range(finite, log)
    ticks, texts = log_ticks(low, high) if log else linear_ticks(low, high)

    left = 40 + max([draw.textlength(text, font_of_size(SMALL)) for text in texts], default=40)
    right, bottom = 2 * width - 40, 2 * height - 92
    draw.text((left, 26), title, DARK, font_of_size(LARGE))
    top = _draw_legend(draw, list(series), left, right, 84) + 16
    axes = _Axes(
        left, top, right, bottom, low, high, first, first - 1 + max(map(len, series.values()), default=0)
    )
    _draw_axes(draw, axes, ticks, texts)
    middle = (left + right) / 2
    draw.text((middle, 2 * height - 14), x_label, TEXT, font_of_size(SMALL), anchor="mb")
    if not finite.size:
        draw.text((middle, (top + bottom) / 2), "no values", TEXT, font_of_size(LARGE), anchor="mm")
    for index, values in enumerate(series.values()):
        _draw_curve(draw, axes, values, label_colour(index))
    return sheet.reduce(2)


def _draw_legend(draw: ImageDraw.ImageDraw, names: list[str], left: float, right: float, top: float) -> float:
    """Writes the names in as many lines as they need; returns the bottom of the last."""
    font = font_of_size(SMALL)
    x, line = left, 38
    for index, name in enumerate(names):
        wide = 58 + draw.textlength(name, font)
        if x > left and x + wide > right:
            x, top = left, top + line
        draw.line((x, top + 15, x + 36, top + 15), fill=label_colour(index), width=7)
        draw.text((x + 48, top + 15), name, DARK, font, anchor="lm")
        x += wide + 28
    return top + line if names else top


def _draw_axes(draw: ImageDraw.ImageDraw, axes: _Axes, ticks: list[float], texts: list[str]) -> None:
    """Draws a line across for each tick, and the whole numbers below the chart."""
    font = font_of_size(SMALL)
    for tick, text in zip(ticks, texts, strict=True):
        y = axes.at(axes.first, tick)[1]
        draw.line((axes.left, y, axes.right, y), fill=GRID, width=2)
        draw.text((axes.left - 14, y), text, TEXT, font, anchor="rm")
    for number in whole_ticks(axes.last):
        number = axes.first if number == 1 else number
        x = axes.at(number, axes.low)[0]
        draw.line((x, axes.bottom, x, axes.bottom + 10), fill=AXIS, width=2)
        draw.text((x, axes.bottom + 16), str(number), TEXT, font, anchor="mt")
    draw.line((axes.left, axes.bottom, axes.right, axes.bottom), fill=AXIS, width=3)


def _draw_curve(draw: ImageDraw.ImageDraw, axes: _Axes, values: np.ndarray, colour: Colour) -> None:
    """Draws each stretch without a gap; single values, and all values of short curves, get a dot."""
    index = np.flatnonzero(np.isfinite(values))
    stretches = np.split(index, np.flatnonzero(np.diff(index) > 1) + 1) if len(index) else []
    for stretch in stretches:
        path = [axes.at(axes.first + int(i), float(values[i])) for i in stretch]
        draw.line(path, fill=colour, width=5, joint="curve")
        if len(stretch) == 1 or axes.last <= 40:
            for x, y in path:
                draw_disc(draw, x, y, 6.0, colour)


def _plottable(values: Sequence[float], log: bool) -> np.ndarray:
    """Values as floats on the axis (their logarithms for `log`), NaN where nothing can be drawn."""
    array = np.asarray(values, float).reshape(-1)
    drawn = np.isfinite(array) & ((array > 0) | (not log))
    array = np.where(drawn, array, np.nan)
    return np.log10(array) if log else array
