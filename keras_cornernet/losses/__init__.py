"""Losses: pure functions on tensors, and the sum of them that trains a detector."""

from keras_cornernet.losses.detection import DetectionLoss
from keras_cornernet.losses.embedding import pull_push_loss
from keras_cornernet.losses.heatmap import penalty_reduced_focal_loss
from keras_cornernet.losses.offset import offset_loss

__all__ = ["DetectionLoss", "offset_loss", "penalty_reduced_focal_loss", "pull_push_loss"]
