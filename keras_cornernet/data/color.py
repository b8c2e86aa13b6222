"""Colour augmentation: random brightness, contrast and saturation, and PCA lighting."""

from collections.abc import Mapping, Sequence

import numpy as np

# Weights of grey, and eigenvalues and eigenvectors of ImageNet's colours; RGB in 0..1.
GREY = np.array([0.299, 0.587, 0.114], np.float32)
EIGENVALUES = np.array([0.2141788, 0.01817699, 0.00341571], np.float32)
EIGENVECTORS = np.array(
    [
        [-0.56089297, 0.71832671, 0.41158938],
        [-0.5832747, 0.00994535, -0.81221408],
        [-0.58752847, -0.69563484, 0.41340352],
    ],
    np.float32,
)


def jitter_map(
    order: Sequence[str], alphas: Mapping[str, float], grey_mean: float
) -> tuple[np.ndarray, np.ndarray]:
    """Brightness, contrast and saturation, in any order, as one affine map of colours.

    Args:
        order: the three names in the order of application.
        alphas: the factor by name; 1 changes nothing.
        grey_mean: mean grey of the image before any of the three.

    Returns:
        matrix, bias: a pixel `p` (RGB column) becomes `matrix @ p + bias`.

    Source: `color_jittering_` of princeton-vl/CornerNet, `utils/image.py`. As there, the grey image and its
    mean are those before the first step, and nothing is clipped.
    """
    matrix, bias = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    for name in order:
        alpha = np.float32(alphas[name])
        matrix, bias = matrix * alpha, bias * alpha
        if name == "contrast":
            bias = bias + (1 - alpha) * np.float32(grey_mean)
        elif name == "saturation":
            matrix = matrix + (1 - alpha) * GREY
        elif name != "brightness":
            raise ValueError(f"order must name brightness, contrast and saturation, not {name!r}")
    return matrix, bias


def lighting_shift(alphas: Sequence[float] | np.ndarray) -> np.ndarray:
    """The RGB shift of PCA lighting for three normal draws `alphas` (deviation 0.1 in the paper).

    Source: Krizhevsky et al. 2012; `lighting_` of princeton-vl/CornerNet, `utils/image.py`.
    """
    shift: np.ndarray = EIGENVECTORS @ (EIGENVALUES * np.asarray(alphas, np.float32))
    return shift


def augment_color(
    image: np.ndarray, rng: np.random.Generator, *, jitter: float, lighting: float
) -> np.ndarray:
    """Changes the colours of an image at random.

    Args:
        image: `(height, width, 3)` RGB in 0..255.
        rng: the source of all draws.
        jitter: brightness, contrast and saturation are multiplied by factors within `1 - jitter` and `1 +
            jitter`.
        lighting: standard deviation of PCA lighting.

    Returns:
        `(height, width, 3)` float32; values may leave 0..255.
    """
    # A matrix product with one long list of pixels is several times faster than with rows of pixels.
    pixels = image.reshape(-1, 3).astype(np.float32)
    names = ["brightness", "contrast", "saturation"]
    rng.shuffle(names)
    alphas = {name: 1 + rng.uniform(-jitter, jitter) for name in names}
    mean = np.ones(len(pixels), np.float32) @ pixels / len(pixels)
    grey_mean = float(mean @ GREY) / 255
    matrix, bias = jitter_map(names, alphas, grey_mean)
    bias = bias + lighting_shift(rng.normal(0, lighting, 3))
    changed: np.ndarray = pixels @ matrix.T
    changed += 255 * bias
    return changed.reshape(image.shape)
