"""Codecs: `encode` and `decode` of one representation, side by side."""

from keras_cornernet.codecs.corners import CornerCodec, Decoded
from keras_cornernet.codecs.keypoints import DecodedJoints, KeypointCodec

__all__ = ["CornerCodec", "Decoded", "DecodedJoints", "KeypointCodec"]
