"""Training by `keras.Model.fit`."""

from keras_cornernet.training.averaging import averaged_weights
from keras_cornernet.training.callbacks import EvaluationCallback, StopOnBadLoss
from keras_cornernet.training.config import TrainingConfig, make_optimizer, rate_at
from keras_cornernet.training.heatmap_pck import HeatmapPCK
from keras_cornernet.training.optimizers import TorchRMSprop
from keras_cornernet.training.rematerialization import rematerialize
from keras_cornernet.training.time_limit import TimeLimit
from keras_cornernet.training.trainer import Trainer

__all__ = [
    "EvaluationCallback",
    "HeatmapPCK",
    "StopOnBadLoss",
    "TimeLimit",
    "TorchRMSprop",
    "Trainer",
    "TrainingConfig",
    "averaged_weights",
    "make_optimizer",
    "rate_at",
    "rematerialize",
]
