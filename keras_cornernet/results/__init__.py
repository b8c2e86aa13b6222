"""What a model found on an image."""

from keras_cornernet.results.detections import Detection, Detections
from keras_cornernet.results.image_result import ImageResult
from keras_cornernet.results.poses import Pose, Poses
from keras_cornernet.results.result import Result
from keras_cornernet.results.speed import Speed

__all__ = ["Detection", "Detections", "ImageResult", "Pose", "Poses", "Result", "Speed"]
