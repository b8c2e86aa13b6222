"""What a model found on an image."""

from keras_cornernet.results.detections import Detections
from keras_cornernet.results.poses import Poses
from keras_cornernet.results.speed import Speed

__all__ = ["Detections", "Poses", "Speed"]
