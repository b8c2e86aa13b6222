"""Training by `keras.Model.fit`."""

from keras_cornernet.training.callbacks import StopOnBadLoss
from keras_cornernet.training.trainer import Trainer

__all__ = ["StopOnBadLoss", "Trainer"]
