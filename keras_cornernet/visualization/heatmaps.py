"""Heatmaps over an image."""

import numpy as np
from PIL import Image

from keras_cornernet.visualization.canvas import canvas_of
from keras_cornernet.visualization.colours import HEAT


def draw_heatmap(image: np.ndarray, heatmap: np.ndarray) -> Image.Image:
    """Lays a heatmap over its image: the warmer the colour, the higher the value.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        heatmap: `(rows, columns)` float in 0..1, a grid of any size over the whole image; NaN counts as 0.

    Returns:
        A new `PIL.Image` of the size of `image`; where the heatmap is 0 the image is only dimmed.

    Raises:
        ValueError: an argument has another shape.
    """
    picture = canvas_of(image)
    heatmap = np.nan_to_num(np.asarray(heatmap, np.float32))
    if heatmap.ndim != 2 or not heatmap.size:
        raise ValueError(f"heatmap must have shape (rows, columns), got {heatmap.shape}")
    smooth = Image.fromarray(heatmap).resize(picture.size, Image.Resampling.BILINEAR)
    heat = np.clip(np.asarray(smooth), 0.0, 1.0)
    stops = np.linspace(0.0, 1.0, len(HEAT))
    warm = np.stack([np.interp(heat, stops, channel) for channel in zip(*HEAT, strict=True)], axis=-1)
    opacity = (0.25 + 0.6 * np.sqrt(heat))[..., None]
    mixed = (1.0 - opacity) * np.asarray(picture) + opacity * warm
    return Image.fromarray(np.rint(mixed).astype(np.uint8))
