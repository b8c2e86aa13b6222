"""Training by `keras.Model.fit`."""

from keras_cornernet.training.callbacks import StopOnBadLoss
from keras_cornernet.training.heatmap_pck import HeatmapPCK
from keras_cornernet.training.optimizers import TorchRMSprop
from keras_cornernet.training.trainer import Trainer

__all__ = ["HeatmapPCK", "StopOnBadLoss", "TorchRMSprop", "Trainer"]
