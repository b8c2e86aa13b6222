"""The networks, one file per paper."""

from keras_cornernet.models.cornernet import CornerNet

__all__ = ["CornerNet"]
