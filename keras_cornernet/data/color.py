"""Colour augmentation as one map: random brightness, contrast and saturation, and PCA lighting."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_cornernet.preprocessing import opencv

# Weights of grey, and eigenvalues and eigenvectors of ImageNet's colours; RGB in 0..1.
RED, GREEN, BLUE = 0.299, 0.587, 0.114
EIGENVALUES = np.array([0.2141788, 0.01817699, 0.00341571], np.float32)
EIGENVECTORS = np.array(
    [
        [-0.56089297, 0.71832671, 0.41158938],
        [-0.5832747, 0.00994535, -0.81221408],
        [-0.58752847, -0.69563484, 0.41340352],
    ],
    np.float32,
)
IDENTITY_COLOR = np.eye(3, 5, dtype=np.float32)
"""The map that changes nothing."""


def jitter_color(order: Sequence[str], factors: Mapping[str, float]) -> np.ndarray:
    """Brightness, contrast and saturation, in any order, as one map of colours.

    Args:
        order: the three names in the order of application.
        factors: the factor by name; 1 changes nothing.

    Returns:
        `(3, 5)` float32, see `apply_color`.

    Source: `color_jittering_` of princeton-vl/CornerNet, `utils/image.py`. As there, the grey image and its
    mean are those before the first step, and nothing is clipped.
    """
    # The map is own * rgb + grey * (grey of the pixel) + mean * (mean grey of the image).
    own, grey, mean = 1.0, 0.0, 0.0
    for name in order:
        factor = float(factors[name])
        own, grey, mean = own * factor, grey * factor, mean * factor
        if name == "contrast":
            mean += 1 - factor
        elif name == "saturation":
            grey += 1 - factor
        elif name != "brightness":
            raise ValueError(f"order must name brightness, contrast and saturation, not {name!r}")
    return color_map(own, grey, mean)


def color_map(
    own: float,
    grey: float,
    mean: float,
    shift: Sequence[float] = (0.0, 0.0, 0.0),
    gain: Sequence[float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """The `(3, 5)` float32 map to `gain * (own * rgb + grey * grey_of_pixel + mean * grey_mean + shift)`.

    All colours are in 0..255; see `apply_color`.
    """
    r, g, b = grey * RED, grey * GREEN, grey * BLUE
    rows = ((own + r, g, b), (r, own + g, b), (r, g, own + b))
    return np.array(
        [
            [k * x, k * y, k * z, k * mean, k * move]
            for (x, y, z), move, k in zip(rows, shift, gain, strict=True)
        ],
        np.float32,
    )


def lighting_shift(alphas: Sequence[float] | np.ndarray) -> np.ndarray:
    """The RGB shift of PCA lighting for three normal draws `alphas` (deviation 0.1 in the paper).

    Source: Krizhevsky et al. 2012; `lighting_` of princeton-vl/CornerNet, `utils/image.py`.
    """
    shift: np.ndarray = EIGENVECTORS @ (EIGENVALUES * np.asarray(alphas, np.float32))
    return shift


def draw_color(rng: np.random.Generator, *, jitter: float, lighting: float) -> np.ndarray:
    """Draws a change of colours.

    Args:
        rng: the source of all draws.
        jitter: brightness, contrast and saturation are multiplied by factors within `1 - jitter` and `1 +
            jitter`, in a random order.
        lighting: standard deviation of PCA lighting.

    Returns:
        `(3, 5)` float32, see `apply_color`.
    """
    names = ["brightness", "contrast", "saturation"]
    rng.shuffle(names)
    color = jitter_color(names, {name: 1 + jitter * (2 * rng.random() - 1) for name in names})
    color[:, 4] = 255 * lighting_shift(rng.normal(0, lighting, 3))
    return color


def apply_color(image: np.ndarray, color: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Changes the colours of an image.

    Args:
        image: `(height, width, 3)` RGB in 0..255.
        color: `(3, 5)`: a pixel becomes `color[:, :3] @ rgb + color[:, 3] * grey_mean + color[:, 4]`, where
            `grey_mean` is the mean grey of the image.
        out: `(height, width, 3)` float32 for the result, contiguous, or None for a new array.

    Returns:
        `(height, width, 3)` float32; values may leave 0..255.
    """
    found = np.empty(image.shape, np.float32) if out is None else out
    np.copyto(found, image)
    if color is IDENTITY_COLOR:
        return found
    # A matrix product with one long list of pixels is several times faster than with rows of pixels.
    pixels = found.reshape(-1, 3)
    cv2 = opencv.cv2
    if cv2 is None:
        red, green, blue = np.ones(len(pixels), np.float32) @ pixels / len(pixels)
    else:
        red, green, blue, _ = cv2.mean(image)
    grey_mean = RED * red + GREEN * green + BLUE * blue
    shift = color[:, 3] * np.float32(grey_mean) + color[:, 4]
    if cv2 is None:
        np.matmul(pixels.copy(), color[:, :3].T, out=pixels)
        pixels += shift
    else:
        matrix = np.empty((3, 4), np.float32)
        matrix[:, :3], matrix[:, 3] = color[:, :3], shift
        cv2.transform(found, matrix, dst=found)
    return found
