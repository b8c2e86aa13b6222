"""The networks, one file per paper."""

from keras_cornernet.models.cornernet import CornerNet
from keras_cornernet.models.legacy_hourglass import LegacyStackedHourglass
from keras_cornernet.models.stacked_hourglass import StackedHourglass

__all__ = ["CornerNet", "LegacyStackedHourglass", "StackedHourglass"]
