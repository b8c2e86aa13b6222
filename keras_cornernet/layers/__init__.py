"""What the networks are made of."""

from keras_cornernet.layers.convolution import ConvNorm, NormConv
from keras_cornernet.layers.corner_pooling import (
    BottomPool,
    BottomRightPool,
    LeftPool,
    RightPool,
    TopLeftPool,
    TopPool,
)
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.prediction import AddPosition, CornerPrediction, Head
from keras_cornernet.layers.residual import Residual

__all__ = [
    "AddPosition",
    "BottomPool",
    "BottomRightPool",
    "ConvNorm",
    "CornerPrediction",
    "Head",
    "Hourglass",
    "LeftPool",
    "NormConv",
    "Residual",
    "RightPool",
    "TopLeftPool",
    "TopPool",
]
