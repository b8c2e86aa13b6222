"""From images to results."""

from typing import TYPE_CHECKING

from keras_cornernet.lazy import names_on_first_use

if TYPE_CHECKING:
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

# Models in exported files take what they share with these from here, without Keras.
__getattr__ = names_on_first_use(
    __name__,
    {
        "Detector": "detector",
        "InferenceConfig": "config",
        "PoseEstimator": "pose_estimator",
        "PoseInferenceConfig": "config",
        "SaccadeConfig": "saccade_config",
        "SaccadeDetector": "saccade",
    },
)
