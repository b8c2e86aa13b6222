"""What all result classes share."""

from keras_cornernet.structures import Record


class ImageResult(Record):
    """The common part of `Detections` and `Poses`: what was found on one image.

    Two results are equal if they are of the same class and all fields but `speed` are equal, see `Record`.
    """
