"""From an image of any type and size to a network's input: read it, choose an affine map, resample."""

from keras_cornernet.preprocessing.decoding import ImageReader
from keras_cornernet.preprocessing.placing import halve, halvings, warp_into
from keras_cornernet.preprocessing.reading import open_image, pil_to_rgb, read_image, read_image_size, to_rgb
from keras_cornernet.preprocessing.views import (
    View,
    fit_view,
    padded_view,
    person_view,
    stretch_view,
    zoom_view,
)
from keras_cornernet.preprocessing.warping import Size, warp

__all__ = [
    "ImageReader",
    "Size",
    "View",
    "fit_view",
    "halve",
    "halvings",
    "open_image",
    "padded_view",
    "person_view",
    "pil_to_rgb",
    "read_image",
    "read_image_size",
    "stretch_view",
    "to_rgb",
    "warp",
    "warp_into",
    "zoom_view",
]
