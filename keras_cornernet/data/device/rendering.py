"""The pixels of training examples, made on the accelerator; `data/rendering.py` does it on the host."""

from typing import Any

from keras import ops

from keras_cornernet.backend import gather_pairs
from keras_cornernet.data.color import BLUE, GREEN, RED
from keras_cornernet.data.device.images import PAGE, PAGE_BITS
from keras_cornernet.data.draws import HIDDEN_GREY
from keras_cornernet.preprocessing import Size
from keras_cornernet.tensors import Tensor


def render_batch(pages: Tensor, numbers: dict[str, Any], input_size: Size, *, clip: bool) -> Tensor:
    """Makes the images of a batch.

    Args:
        pages: of `PackedImages`.
        numbers: of `numbers_of`.
        input_size: `(height, width)`.
        clip: keep colours within 0..255.

    Returns:
        `(batch, height, width, 3)` float32 RGB.
    """
    rows, columns = input_size
    x = ops.reshape(ops.arange(columns, dtype="float32") + 0.5, (1, 1, columns))
    y = ops.reshape(ops.arange(rows, dtype="float32") + 0.5, (1, rows, 1))
    place, covered = _chosen(numbers, x, y)
    channels = _sampled(pages, place, covered, x, y, numbers["fill"])
    # The host rounds here, too: its warp gives whole grey levels.
    channels = [ops.round(channel) for channel in channels]
    red, green, blue = channels
    grey = ops.mean(RED * red + GREEN * green + BLUE * blue, axis=(1, 2), keepdims=True)
    color = numbers["color"][..., None, None]
    changed = []
    for c in range(3):
        m = [color[:, c, i] for i in range(5)]
        value = m[0] * red + m[1] * green + m[2] * blue + m[3] * grey + m[4]
        changed.append(ops.clip(value, 0.0, 255.0) if clip else value)
    hidden = _within(numbers["hidden"], x, y)
    return ops.stack([ops.where(hidden, float(HIDDEN_GREY), value) for value in changed], axis=-1)


def _within(rectangle: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Whether pixel centres lie in `(batch, 4)` rectangles, `(batch, height, width)`."""
    x1, y1, x2, y2 = (rectangle[:, i, None, None] for i in range(4))
    return (x > x1) & (x < x2) & (y > y1) & (y < y2)


def _chosen(numbers: dict[str, Any], x: Tensor, y: Tensor) -> tuple[dict[str, Any], Tensor]:
    """For each pixel the numbers of the view that it shows, and whether it shows one."""
    named: dict[str, Any] = {"page": numbers["page"]}
    for i, name in enumerate(("a", "b", "u", "c", "d", "v")):
        named[name] = numbers["level_from_input"][:, :, i // 3, i % 3]
    for i, name in enumerate(("height", "width")):
        named[name], named[f"extent_{name}"] = numbers["level_size"][..., i], numbers["extent"][..., i]
    found = {name: values[:, 0, None, None] for name, values in named.items()}
    covered = _within(numbers["covered"][:, 0], x, y)
    for view in range(1, numbers["page"].shape[1]):
        here = _within(numbers["covered"][:, view], x, y)
        covered = covered | here
        found = {
            name: ops.where(here, named[name][:, view, None, None], value) for name, value in found.items()
        }
    return found, covered


def _sampled(
    pages: Tensor, place: dict[str, Any], covered: Tensor, x: Tensor, y: Tensor, fill: Tensor
) -> list[Tensor]:
    """Red, green and blue of each pixel, bilinear; the image's edge is repeated for half a pixel."""
    u = place["a"] * x + place["b"] * y + place["u"]
    v = place["c"] * x + place["d"] * y + place["v"]
    # Rounding to 32 bits must not lose the outermost pixels.
    tolerance = 1e-4
    inside = (u > -tolerance) & (u < place["extent_width"] + tolerance)
    inside = covered & inside & (v > -tolerance) & (v < place["extent_height"] + tolerance)
    last_u, last_v = place["width"] - 1, place["height"] - 1
    u = ops.clip(u - 0.5, 0.0, ops.cast(last_u, "float32"))
    v = ops.clip(v - 0.5, 0.0, ops.cast(last_v, "float32"))
    left, top = ops.floor(u), ops.floor(v)
    across, down = u - left, v - top
    left, top = ops.cast(left, "int32"), ops.cast(top, "int32")
    right, bottom = ops.minimum(left + 1, last_u), ops.minimum(top + 1, last_v)

    def pixels(row: Tensor, column: Tensor) -> Tensor:
        position = row * place["width"] + column
        page = place["page"] + ops.right_shift(position, PAGE_BITS)
        return gather_pairs(pages, page, ops.bitwise_and(position, PAGE - 1))

    corners = [pixels(top, left), pixels(top, right), pixels(bottom, left), pixels(bottom, right)]
    found = []
    for channel in range(3):
        one, two, three, four = (
            ops.cast(ops.bitwise_and(ops.right_shift(corner, 8 * channel), 255), "float32")
            for corner in corners
        )
        upper, lower = one + (two - one) * across, three + (four - three) * across
        value = upper + (lower - upper) * down
        found.append(ops.where(inside, value, fill[:, channel, None, None]))
    return found
