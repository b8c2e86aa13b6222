"""From images to results."""

from keras_cornernet.inference.detector import Detector
from keras_cornernet.inference.pose_estimator import PoseEstimator

__all__ = ["Detector", "PoseEstimator"]
