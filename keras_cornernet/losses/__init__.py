"""Losses: pure functions on tensors, and the sums of them that train detectors and pose networks."""

from keras_cornernet.losses.detection import DetectionLoss
from keras_cornernet.losses.embedding import pull_push_loss
from keras_cornernet.losses.heatmap import gaussian_focal_loss, penalty_reduced_focal_loss
from keras_cornernet.losses.offset import offset_loss
from keras_cornernet.losses.pose import PoseLoss

__all__ = [
    "DetectionLoss",
    "PoseLoss",
    "gaussian_focal_loss",
    "offset_loss",
    "penalty_reduced_focal_loss",
    "pull_push_loss",
]
