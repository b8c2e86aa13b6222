"""Codecs: `encode` and `decode` of one representation, side by side."""

from keras_cornernet.codecs.corners import CornerCodec, Decoded

__all__ = ["CornerCodec", "Decoded"]
