"""Codecs: `encode` and `decode` of one representation, side by side."""

from keras_cornernet.codecs.attention import LEVELS, AttentionLevel, SaccadeCodec
from keras_cornernet.codecs.centers import CenterCodec
from keras_cornernet.codecs.centripetal import CentripetalCodec
from keras_cornernet.codecs.corners import CornerCodec
from keras_cornernet.codecs.heatmaps import Decoded, HeatmapCodec
from keras_cornernet.codecs.keypoints import DecodedKeypoints, KeypointCodec
from keras_cornernet.codecs.triplets import DecodedTriplets, TripletCodec, confirm_by_centers

__all__ = [
    "LEVELS",
    "AttentionLevel",
    "CenterCodec",
    "CentripetalCodec",
    "CornerCodec",
    "Decoded",
    "DecodedKeypoints",
    "DecodedTriplets",
    "HeatmapCodec",
    "KeypointCodec",
    "SaccadeCodec",
    "TripletCodec",
    "confirm_by_centers",
]
