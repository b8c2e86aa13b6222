"""Readers: each turns annotation files into a data set and names what cannot be used in it."""

from keras_cornernet.data.readers.coco import read_coco
from keras_cornernet.data.readers.coco_people import read_coco_people
from keras_cornernet.data.readers.flic import read_flic
from keras_cornernet.data.readers.folders import find_part, read_dataset
from keras_cornernet.data.readers.formats import detect_format
from keras_cornernet.data.readers.lsp import read_lsp
from keras_cornernet.data.readers.mpii import read_mpii
from keras_cornernet.data.readers.pascal_voc import read_pascal_voc
from keras_cornernet.data.readers.people_boxes import boxes_of_people, read_lsp_boxes
from keras_cornernet.data.readers.table import READERS, read_annotations, read_people
from keras_cornernet.data.readers.tfds import read_tfds

__all__ = [
    "READERS",
    "boxes_of_people",
    "detect_format",
    "find_part",
    "read_annotations",
    "read_coco",
    "read_coco_people",
    "read_dataset",
    "read_flic",
    "read_lsp",
    "read_lsp_boxes",
    "read_mpii",
    "read_pascal_voc",
    "read_people",
    "read_tfds",
]
