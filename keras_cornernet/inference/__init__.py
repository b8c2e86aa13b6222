"""From images to results."""

from keras_cornernet.inference.config import InferenceConfig, SaccadeConfig
from keras_cornernet.inference.detector import Detector
from keras_cornernet.inference.pose_estimator import PoseEstimator
from keras_cornernet.inference.saccade import SaccadeDetector

__all__ = ["Detector", "InferenceConfig", "PoseEstimator", "SaccadeConfig", "SaccadeDetector"]
