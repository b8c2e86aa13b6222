"""Networks and data small enough to train in a test."""

import keras
import numpy as np

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.layers.convolution import ConvNorm
from keras_cornernet.layers.head import HEATMAP_BIAS, Head
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import CornerNet
from keras_cornernet.models.network import Network
from keras_cornernet.training import Trainer

SIZE = (64, 64)


def tiny_trainer(stacks: int = 1, **arguments) -> Trainer:
    network = CornerNet(
        2,
        stacks=stacks,
        channels=(16, 24),
        num_blocks=(1, 1),
        stem=(8, 16),
        pool_channels=8,
        head_channels=16,
        head_kernel_size=1,
        input_size=SIZE,
        **arguments,
    )
    return Trainer(network, CornerCodec(2), DetectionLoss())


def plain_trainer() -> Trainer:
    """Two convolutions and the heads of a detector: all that the trainer asks of a network.

    Its graph is traced in a third of the time that the smallest hourglass takes.
    """
    images = keras.Input((*SIZE, 3), name="images")
    x = ConvNorm(8, 3, 2, name="first")(images / 255)
    x = ConvNorm(16, 3, 2, name="second")(x)
    sizes = {"heatmap": (2, HEATMAP_BIAS), "embedding": (1, 0.0), "offset": (2, 0.0)}
    outputs = {
        corner: {
            head: Head(size, 8, 1, bias=bias, name=f"{corner}_{head}_0")(x)
            for head, (size, bias) in sizes.items()
        }
        for corner in ("top_left", "bottom_right")
    }
    network = Network(images, [outputs], name="plain")
    return Trainer(network, CornerCodec(2), DetectionLoss())


def drawn_squares(count: int = 4, seed: int = 0, objects: int = 2):
    """Images of filled squares (class 0) and hollow ones (class 1), and their padded annotations."""
    rng = np.random.default_rng(seed)
    images = np.full((count, *SIZE, 3), 40, np.float32)
    boxes = np.zeros((count, objects + 1, 4), np.float32)
    labels = np.full((count, objects + 1), -1, np.int32)
    for i in range(count):
        for j in range(objects):
            side = int(rng.integers(14, 24))
            x, y = rng.integers(1, 63 - side), 1 + j * 32 + rng.integers(0, max(1, 31 - side))
            label = int(rng.integers(2))
            images[i, y : y + side, x : x + side] = rng.integers(120, 255, 3)
            if label:
                images[i, y + 4 : y + side - 4, x + 4 : x + side - 4] = 40
            boxes[i, j], labels[i, j] = (x, y, x + side, y + side), label
    return images, {"boxes": boxes, "labels": labels}
