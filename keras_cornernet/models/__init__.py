"""The networks, one file per paper."""

from keras_cornernet.models.centernet import CenterNet
from keras_cornernet.models.centripetalnet import CentripetalNet
from keras_cornernet.models.cornernet import CornerNet
from keras_cornernet.models.cornernet_saccade import CornerNetSaccade
from keras_cornernet.models.cornernet_squeeze import CornerNetSqueeze
from keras_cornernet.models.legacy_hourglass import LegacyStackedHourglass
from keras_cornernet.models.objects_as_points import ObjectsAsPoints
from keras_cornernet.models.stacked_hourglass import StackedHourglass

__all__ = [
    "CenterNet",
    "CentripetalNet",
    "CornerNet",
    "CornerNetSaccade",
    "CornerNetSqueeze",
    "LegacyStackedHourglass",
    "ObjectsAsPoints",
    "StackedHourglass",
]
