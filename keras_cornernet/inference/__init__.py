"""From images to results."""

from keras_cornernet.inference.detector import Detector

__all__ = ["Detector"]
