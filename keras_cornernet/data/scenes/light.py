"""Soft shadows on the ground, and brightness, blur and noise of the whole image."""

import numpy as np
from PIL import Image, ImageFilter

from keras_cornernet.data.scenes.canvas import Sprite
from keras_cornernet.data.scenes.dice import between, chance


def paint_shadow(picture: Image.Image, sprite: Sprite, left: int, top: int) -> None:
    """Darkens the ground at the lower edge of a sprite."""
    width, height = sprite.image.size
    flat = max(3, round(0.1 * min(width, height)))
    shadow = SHADOW.resize((width, 2 * flat))
    picture.paste((20, 20, 30), (left, top + height - flat - 1), shadow)


def finish(rng: np.random.Generator, picture: Image.Image) -> np.ndarray:
    """Changes brightness, sharpness and noise of the whole image at random."""
    height, width = picture.height, picture.width
    if chance(rng, 0.3):
        picture = picture.filter(ImageFilter.GaussianBlur(between(rng, 0.3, 1.0)))
    gains = between(rng, 0.85, 1.3) * np.array([between(rng, 0.92, 1.08) for _ in range(3)])
    offset = between(rng, -10, 22)
    tables = np.clip(np.rint(gains[:, None] * np.arange(256) + offset), 0, 255).astype(int).ravel().tolist()
    image = np.asarray(picture.point(tables))
    strength = int(between(rng, 0, 14)) if chance(rng, 0.6) else 0
    if strength:
        noise = rng.integers(-strength, strength + 1, (height, width, 1), dtype=np.int8)
        image = np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return image


def _soft_disc(strength: int = 120) -> Image.Image:
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    return Image.fromarray(
        (strength * np.clip(1.2 - x * x - y * y, 0, 1) ** 1.5 * (x * x + y * y < 1)).astype(np.uint8)
    )


SHADOW = _soft_disc()
