"""From images to results."""

from keras_cornernet.inference.detector import Detector
from keras_cornernet.inference.pose_estimator import PoseEstimator
from keras_cornernet.inference.saccade import SaccadeDetector
from keras_cornernet.inference.settings import SaccadeSettings, TestSettings

__all__ = ["Detector", "PoseEstimator", "SaccadeDetector", "SaccadeSettings", "TestSettings"]
