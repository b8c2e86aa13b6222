"""From images to results."""

from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig
from keras_cornernet.inference.detector import Detector
from keras_cornernet.inference.pose_estimator import PoseEstimator
from keras_cornernet.inference.saccade import SaccadeDetector
from keras_cornernet.inference.saccade_config import SaccadeConfig

__all__ = [
    "Detector",
    "InferenceConfig",
    "PoseEstimator",
    "PoseInferenceConfig",
    "SaccadeConfig",
    "SaccadeDetector",
]
