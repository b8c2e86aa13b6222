"""The pictures of self-tests: drawn, of few colours and coarse pixels, a few kilobytes each."""

import base64
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.preprocessing import Size, open_image

COLOURS = 16
LONGEST = 160  # coarse pixels on the longer side, before they are enlarged
SMALLEST_SCENE = 64  # pixels of a side; of a smaller scene the upper left part
LARGEST_PICTURE = 4096  # pixels of a side that a file may hold
# Sides over those of the file's input. The picture of the input's own size is not resampled: if it alone
# gives the right answers, resampling is wrong. The others are enlarged and reduced, and have another shape
# than the input.
SCALES = ((1.0, 1.0), (0.55, 0.65), (1.9, 1.5))


def candidates(input_size: Size, scale: tuple[float, float], count: int) -> Iterator[np.ndarray]:
    """Pictures of one size, drawn scenes of people and coloured shapes in turn.

    Args:
        input_size: `(height, width)` of the images that the file takes, or that it fits images into.
        scale: one of `SCALES`.
        count: of pictures.
    """
    height, width = (max(8, round(side * factor)) for side, factor in zip(input_size, scale, strict=True))
    first = 100 * SCALES.index(scale)
    for seed in range(count):
        yield coarse_picture((height, width), first + seed, scene=seed % 2 == 0)


def coarse_picture(size: Size, seed: int, *, scene: bool = True) -> np.ndarray:
    """A picture of `(height, width)` uint8 RGB in few colours, whose sharp edges tell resampling methods
    apart.

    Args:
        size: of the picture.
        seed: another one draws another picture.
        scene: people in a drawn scene; False draws plain shapes.
    """
    factor = -(-max(size) // LONGEST)
    height, width = (-(-side // factor) for side in size)
    drawn = _scene(seed, (height, width)) if scene else _shapes(seed, (height, width))
    small = Image.fromarray(drawn)
    small = small.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    large = np.asarray(small).repeat(factor, axis=0).repeat(factor, axis=1)
    return np.ascontiguousarray(large[: size[0], : size[1]])


def _scene(seed: int, size: Size) -> np.ndarray:
    height, width = (max(side, SMALLEST_SCENE) for side in size)
    return draw_scene(seed, (height, width), max_people=2)[0][: size[0], : size[1]]


def _shapes(seed: int, size: Size) -> np.ndarray:
    rng = np.random.default_rng(seed)
    height, width = size
    image = Image.new("RGB", (width, height), tuple(rng.integers(0, 256, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(0.05, 0.3, 2) * min(size)
        kind = draw.ellipse if rng.random() < 0.6 else draw.rectangle
        kind((x - w, y - h, x + w, y + h), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return np.asarray(image)


def to_text(picture: np.ndarray) -> str:
    """A picture as the base64 text of a PNG file with a palette."""
    file = io.BytesIO()
    Image.fromarray(picture).quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def from_text(text: str) -> np.ndarray:
    """The picture that `to_text` wrote.

    Raises:
        ValueError: the text holds no picture, or one of absurd size.
    """
    try:
        with open_image(io.BytesIO(base64.b64decode(text, validate=True))) as image:
            if max(image.size) > LARGEST_PICTURE:
                raise ValueError(f"it is {image.width} x {image.height} pixels large")
            return np.asarray(image.convert("RGB"))
    except (ValueError, OSError, TypeError, SyntaxError) as error:
        raise ValueError(f"a picture of the self-test cannot be read ({error})") from error
