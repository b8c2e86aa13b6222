"""What the networks are made of."""

from keras_cornernet.layers.convolution import ConvNorm, NormConv
from keras_cornernet.layers.corner_pooling import (
    BottomPool,
    BottomRightPool,
    CenterPool,
    LeftPool,
    RightPool,
    TopLeftPool,
    TopPool,
)
from keras_cornernet.layers.fire import Expand
from keras_cornernet.layers.head import AddPosition, Head
from keras_cornernet.layers.hourglass import Hourglass
from keras_cornernet.layers.prediction import CenterPrediction, CornerPrediction
from keras_cornernet.layers.residual import Residual

__all__ = [
    "AddPosition",
    "BottomPool",
    "BottomRightPool",
    "CenterPool",
    "CenterPrediction",
    "ConvNorm",
    "CornerPrediction",
    "Expand",
    "Head",
    "Hourglass",
    "LeftPool",
    "NormConv",
    "Residual",
    "RightPool",
    "TopLeftPool",
    "TopPool",
]
